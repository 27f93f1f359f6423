// What happens when a button of a message's card is pressed.
import { h } from "./dom.js";
import { problemOf, signInOf, WRONG } from "./answers.js";
import { openTask } from "./task.js";
import { openLink, openSignIn } from "./sign_in.js";
import { act } from "./store.js";

// `where` is the message: its id, its place, its card, and `says(text, tone)` for a line below it.
export async function press(where, action, inputs, state = "") {
  if (action.type === "Action.OpenUrl") return openLink(action.url);
  const teams = action.data?.msteams;
  if (teams?.type === "signin") return openSignIn(teams.value, { place: where.placeId });
  where.view.busy(true);
  where.says("");
  try {
    read(await act("press", { message_id: where.messageId, action, inputs, state }));
  } catch {
    where.says(WRONG, "problem");
  } finally {
    where.view.busy(false);
  }
  return undefined;

  function read(answer) {
    const problem = problemOf(answer);
    if (problem) return where.says(problem, "problem");
    const link = signInOf(answer);
    if (link) return askToSignIn(link);
    const { type, value, task } = answer.body ?? {};
    if (type === "application/vnd.microsoft.activity.message") return where.says(String(value));
    if (task) return openTask(task, { place: where.placeId, messageId: where.messageId, submit: submitTask });
    return undefined;
  }

  // As in Teams: the pop-up's code goes with the same press again.
  function askToSignIn(link) {
    const again = (code) => press(where, action, inputs, code);
    where.says(h("button", { type: "button", class: "primary", onclick: () => openSignIn(link, { finish: again }) }, "Sign in"));
  }

  function submitTask(data) {
    return act("dialog", { data, place: where.placeId, message_id: where.messageId });
  }
}
