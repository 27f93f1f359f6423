// Dialogs (task modules): a card, a page in a frame, or a closing message.
import { h, icon } from "./dom.js";
import { problemOf, signInOf, WRONG } from "./answers.js";
import { CardView } from "./card.js";
import { host } from "./frame.js";
import { local, openLink, openSignIn } from "./sign_in.js";

const HEIGHTS = { small: "40vh", medium: "60vh", large: "80vh" };
const WIDTHS = { small: 440, medium: 600, large: 760 };
const dialog = () => document.getElementById("card-dialog");
let unhost = () => {};
let before = null; // what had the focus

// An empty dialog at once; what comes fills it.
export function openBusy(title) {
  draw(title, h("p", { class: "quiet loading" }, "One moment…"));
}

// `origin`: {place, messageId, submit(data, state) → the answer, done(answer)}.
export function openTask(task, origin) {
  if (task.type === "message") return showMessage(String(task.value), origin.title);
  const { title = "Herald", card, url, height, width } = task.value ?? {};
  origin.title = title;
  if (url) return openFrame(title, url, origin, height);
  const content = card?.content ?? card;
  if (!content) return showMessage(WRONG);
  const line = h("p", { class: "card-says", role: "status" });
  const says = (text, tone = "neutral") => { line.className = `card-says ${tone}`; line.replaceChildren(text); };
  const pressed = (action, inputs) => submit({ ...origin, view, says }, action, inputs);
  const view = new CardView(content, pressed, { messageId: origin.messageId, placeId: origin.place, dialog: true });
  return draw(title, view.element, line, width);
}

export function showMessage(text, title = "Herald") {
  draw(title, h("p", { class: "closing" }, text), h("p", { class: "closing-line" }, h("button", { type: "button", class: "primary", onclick: close }, "Close")));
}

// The dialog asks to sign in; `again(code)` goes on with the pop-up's code.
export function showSignIn(title, link, again) {
  draw(title, h("p", { class: "closing" }, "Herald needs you to sign in before it can go on."),
    h("p", { class: "closing-line" }, h("button", { type: "button", class: "primary", onclick: () => openSignIn(link, { finish: again }) }, icon("link", 16), "Sign in")));
}

export const close = () => dialog().close();

async function submit(where, action, inputs) {
  if (action.type === "Action.OpenUrl") return openLink(action.url);
  const teams = action.data?.msteams;
  if (teams?.type === "signin") return openSignIn(teams.value, { place: where.place });
  where.view.busy(true);
  where.says("");
  try {
    await sendOn({ ...action.data, ...inputs }, where, where.says);
  } catch {
    where.says(WRONG, "problem");
  } finally {
    where.view.busy(false);
  }
  return undefined;
}

async function sendOn(data, origin, says, state = "") {
  const answer = await origin.submit(data, state);
  const problem = problemOf(answer);
  if (problem) return says(problem, "problem");
  const link = signInOf(answer);
  if (link) return showSignIn(origin.title, link, (code) => sendOn(data, origin, showMessage, code));
  if (answer.body?.task) return openTask(answer.body.task, origin);
  close();
  return origin.done?.(answer);
}

function openFrame(title, url, origin, height) {
  const frame = h("iframe", { class: "task-frame", title, src: local(url), style: `height:${HEIGHTS[height] ?? `${Number(height) || 420}px`}` });
  draw(title, frame);
  unhost = host(frame, (result) => sendOn(result, origin, (text) => showMessage(text, title)).catch(() => showMessage(WRONG, title)));
}

function draw(title, content, below = null, width = "medium") {
  unhost();
  unhost = () => {};
  const element = dialog();
  const again = element.open;
  element.setAttribute("aria-label", title);
  element.style.setProperty("--wide", `${WIDTHS[width] ?? (Number(width) || WIDTHS.medium)}px`);
  element.replaceChildren(h("header", { class: "drawer-head" }, h("h2", {}, title),
    h("button", { class: "icon-button", type: "button", "aria-label": "Close", onclick: close }, icon("close"))), content, ...[below].filter(Boolean));
  if (again) return focusIn(content);
  before = document.activeElement;
  element.showModal();
  element.addEventListener("close", closed, { once: true });
  return focusIn(content);
}

function focusIn(content) {
  // Not into a look-up, whose list would come up at once.
  content.querySelector?.(":is(input, textarea, select):not(.picker input)")?.focus({ preventScroll: true });
  dialog().scrollTop = 0;
}

function closed() {
  unhost();
  unhost = () => {};
  before?.focus?.();
}
