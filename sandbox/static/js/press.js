// What happens when a button of a card is pressed, and how Teams shows what comes back.
import { h, icon } from "./dom.js";
import { personPath, post } from "./api.js";
import { CardView } from "./card.js";
import { local, openSignIn } from "./sign_in.js";
import { store } from "./store.js";
import { toast } from "./toasts.js";

const UNREACHABLE = "Unable to reach the app. Please try again.";
const WRONG = "Something went wrong. Please try again.";

// `says(text, tone)` shows a line under the card.
export async function press(messageId, view, action, inputs, says) {
  if (action.type === "Action.OpenUrl") return openLink(action.url);
  const teams = action.data?.msteams;
  if (teams?.type === "signin") return openSignIn(teams.value);
  view.busy(true);
  says("");
  try {
    const path = personPath(store.state.me, "press");
    read(await post(path, { message_id: messageId, action, inputs }), says);
  } catch {
    says(WRONG, "problem");
  } finally {
    view.busy(false);
  }
  return undefined;
}

function read(answer, says) {
  if (answer.late || answer.status === 0) return says(UNREACHABLE, "problem");
  if (answer.status >= 400) return says(WRONG, "problem");
  const { type, value, task, statusCode } = answer.body ?? {};
  if (type === "application/vnd.microsoft.error" || statusCode >= 400) {
    return says(value?.message ?? WRONG, "problem");
  }
  if (type === "application/vnd.microsoft.activity.message") return says(String(value), "neutral");
  if (task) return openDialog(task, says);
  return undefined;
}

function openDialog(task, says) {
  if (task.type === "message") return says(String(task.value), "neutral");
  const { title = "Herald", card } = task.value ?? {};
  const content = card?.content ?? card;
  if (!content) return says(WRONG, "problem");
  const dialog = document.getElementById("card-dialog");
  const line = h("p", { class: "card-says", role: "status" });
  const view = new CardView(content, (action, inputs) => submit(dialog, view, line, action, inputs));
  dialog.replaceChildren(h("header", { class: "drawer-head" }, h("h2", {}, title),
    h("button", { class: "icon-button", type: "button", "aria-label": "Close", onclick: () => dialog.close() }, icon("close"))), view.element, line);
  if (!dialog.open) dialog.showModal();
  return undefined;
}

async function submit(dialog, view, line, action, inputs) {
  if (action.type === "Action.OpenUrl") return openLink(action.url);
  if (action.data?.msteams?.type === "signin") return openSignIn(action.data.msteams.value);
  const says = (text) => line.replaceChildren(text);
  view.busy(true);
  try {
    const data = { ...action.data, ...inputs };
    const answer = await post(personPath(store.state.me, "dialog"), { data });
    const isOver = answer.status === 200 && !answer.body?.task;
    if (isOver) dialog.close();
    else if (answer.body?.task?.type === "message") { dialog.close(); toast({ title: String(answer.body.task.value) }); }
    else read(answer, says);
  } catch {
    says(WRONG);
  } finally {
    view.busy(false);
  }
  return undefined;
}

function openLink(link) {
  let address;
  try {
    address = new URL(local(link), location.href);
  } catch {
    return;
  }
  if (address.hostname === "teams.microsoft.com") {
    toast({ title: "In Teams, this opens", text: address.href });
  } else if (["http:", "https:", "mailto:"].includes(address.protocol)) {
    window.open(address.href, "_blank", "noopener");
  }
}
