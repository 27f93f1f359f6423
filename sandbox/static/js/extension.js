// The messaging extension: its button below the typing box, its action commands, its search.
import { icon } from "./dom.js";
import { problemOf, signInOf, WRONG } from "./answers.js";
import { menuButton } from "./menu.js";
import { openSearch } from "./search.js";
import { act, store } from "./store.js";
import { openBusy, openTask, showMessage, showSignIn } from "./task.js";

export const commandsFor = (context) => store.state.extension.filter((command) => command.context.includes(context));

export function extensionButton(composer) {
  return menuButton({
    label: "Actions and apps", content: icon("plus"),
    items: () => commandsFor("compose").map((command) => ({
      title: command.title, text: command.description,
      choose: () => run(command, { place: composer.placeId, context: "compose" }, (attachment) => composer.attach(attachment)),
    })),
  });
}

// `insert(attachment)` puts a card into a draft.
export function run(command, where, insert) {
  return command.type === "action" ? runAction(command, where, insert) : openSearch(command, where, insert);
}

export async function runAction(command, where, insert = () => {}) {
  openBusy(command.title);
  const origin = { title: command.title, place: where.place, submit, done };
  await fetchTask("");

  async function fetchTask(state) {
    try {
      read(await act("compose", { ...where, command_id: command.id, state }));
    } catch {
      showMessage(WRONG, command.title);
    }
  }

  function read(answer) {
    const problem = problemOf(answer);
    if (problem) return showMessage(problem, command.title);
    const link = signInOf(answer);
    if (link) return showSignIn(command.title, link, fetchTask);
    const { task, composeExtension } = answer.body ?? {};
    if (task) return openTask(task, origin);
    return showMessage(composeExtension?.text ?? WRONG, command.title);
  }

  function submit(data, state) {
    return act("compose-submit", { ...where, command_id: command.id, data, state });
  }

  function done(answer) {
    const { composeExtension } = answer.body ?? {};
    if (composeExtension?.type === "result" && composeExtension.attachments[0]) insert(composeExtension.attachments[0]);
    if (composeExtension?.type === "message") showMessage(composeExtension.text, command.title);
  }
}

