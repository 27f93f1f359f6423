// The chat with Herald. A message that did not change is not drawn again: what is typed stays.
import { h, icon } from "./dom.js";
import { personPath, post } from "./api.js";
import { CardView, renderMarkdown } from "./card.js";
import { timeOf } from "./format.js";
import { press } from "./press.js";
import { signInCard } from "./sign_in.js";
import { me, store } from "./store.js";
import { onTheme } from "./theme.js";
import { problem } from "./toasts.js";
import { show } from "./views.js";

const BOTTOM_SLACK_PX = 120;
const ANSWER_MS = 8000;
const shown = new Map();
let owner = null;
let typingTimer = 0;
let askedAt = 0; // when the last message was typed
let followedTo = 0; // where we scrolled to last; elsewhere, somebody reads

const messagesElement = () => document.getElementById("messages");

export function setUpChat() {
  onTheme(() => shown.forEach((item) => item.view?.redraw()));
  const form = document.getElementById("compose");
  const box = document.getElementById("compose-box");
  document.getElementById("send").append(icon("send"));
  form.addEventListener("submit", (event) => { event.preventDefault(); sendTyped(box); });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    sendTyped(box);
  });
  box.addEventListener("input", () => grow(box));
}

function grow(box) {
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight, 160)}px`;
}

function sendTyped(box) {
  const text = box.value.trim();
  if (!text) return;
  box.value = "";
  grow(box);
  say(text);
}

async function say(text) {
  askedAt = Date.now();
  const path = personPath(store.state.me, "say");
  try {
    const { status } = await post(path, { text });
    if (status === 0 || status >= 400) problem("Herald did not get this message", "Is the app running?");
  } catch {
    problem("The message could not be sent");
  }
}

export function drawChat(state) {
  const element = messagesElement();
  if (owner !== state.me) {
    owner = state.me;
    shown.clear();
    element.replaceChildren();
    document.getElementById("compose-box").value = "";
  }
  drawHead(state);
  drawPrompts(state);
  drawChatList(state);
  const first = element.childElementCount === 0;
  const atBottom = element.scrollHeight - element.scrollTop - element.clientHeight < BOTTOM_SLACK_PX;
  const there = atBottom || Math.abs(element.scrollTop - followedTo) < 4;
  const { added, changed } = reconcile(element, state.chat.messages);
  drawTyping(element, state.chat.typing_ms);
  const mine = added && !state.chat.messages.at(-1).from_bot;
  // Whoever asked wants to see the answer, also when it came together with the question.
  const asked = Date.now() - askedAt < ANSWER_MS;
  if (first || mine || (added && (there || asked))) follow(element);
  else if (changed && atBottom && !isLong(element)) element.scrollTop = element.scrollHeight;
}

// To the end, but not past the beginning of a long last message.
function follow(element) {
  element.scrollTop = isLong(element) ? lastOf(element).offsetTop - 12 : element.scrollHeight;
  followedTo = element.scrollTop;
}

const lastOf = (element) => element.querySelector(".message:last-of-type");
const isLong = (element) => (lastOf(element)?.offsetHeight ?? 0) > element.clientHeight;

function reconcile(element, messages) {
  let changed = false;
  let added = false;
  const ids = new Set(messages.map((message) => message.id));
  for (const [id, item] of shown) {
    if (!ids.has(id)) { item.element.remove(); shown.delete(id); }
  }
  for (const message of messages) {
    const item = shown.get(message.id);
    if (item?.digest === message.digest) continue;
    changed = true;
    added ||= !item;
    const fresh = drawMessage(message, item);
    item ? item.element.replaceWith(fresh.element) : element.append(fresh.element);
    shown.set(message.id, fresh);
  }
  return { added, changed };
}

function drawMessage(message, before) {
  const item = { digest: message.digest, view: null };
  const says = h("p", { class: "card-says", role: "status" });
  const body = h("div", { class: "bubble" });
  if (message.deleted) body.append(h("i", { class: "quiet" }, "This message was deleted."));
  if (message.text) body.append(message.format === "plain" ? h("span", { class: "plain" }, message.text) : renderMarkdown(message.text));
  if (message.sign_in) body.append(signInCard(message.sign_in));
  if (message.card) {
    item.view = kept(message.card, before) ?? new CardView(message.card, (action, inputs) => press(message.id, item.view, action, inputs, tell));
    body.append(item.view.element, says);
  }
  item.element = h("article", { class: `message ${message.from_bot ? "bot" : "mine"}`, "data-message": message.id },
    message.from_bot ? h("img", { class: "bot-avatar", src: "/static/herald.svg", alt: "", width: 32, height: 32 }) : null,
    h("div", { class: "message-body" },
      h("header", {}, h("b", { class: message.from_bot ? "" : "hidden" }, message.from_bot ? "Herald" : "You"),
        h("time", { datetime: message.at }, timeOf(message.at)), message.edited ? h("span", {}, "Edited") : null),
      body));
  return item;

  function tell(text, tone = "neutral") {
    says.className = `card-says ${tone}`;
    says.textContent = text;
  }
}

// The same card in a changed message keeps its element, and so what was typed into it.
function kept(card, before) {
  return before?.view && before.view.signature === JSON.stringify(card) ? before.view : null;
}

function drawTyping(element, typingMs) {
  clearTimeout(typingTimer);
  element.querySelector(".typing")?.remove();
  if (typingMs <= 0) return;
  element.append(h("p", { class: "typing" }, h("i"), h("i"), h("i"), h("span", { class: "hidden" }, "Herald is typing")));
  typingTimer = setTimeout(() => element.querySelector(".typing")?.remove(), typingMs);
}

function drawHead(state) {
  const head = document.getElementById("chat-head");
  const line = state.chat.installed || me().has_app ? "Appointment texts and notifications" : "Not installed for you";
  if (head.dataset.line === line) return;
  head.dataset.line = line;
  head.replaceChildren(h("img", { src: "/static/herald.svg", alt: "", width: 36, height: 36 }),
    h("div", {}, h("h1", {}, "Herald"), h("small", {}, line)));
}

function drawPrompts(state) {
  const place = document.getElementById("prompts");
  const signature = state.commands.map((command) => command.title).join();
  if (place.dataset.signature === signature) return;
  place.dataset.signature = signature;
  place.replaceChildren(...state.commands.slice(0, 9).map((command) =>
    h("button", { type: "button", class: "prompt", title: command.description, onclick: () => say(command.title) }, command.title)));
}

function drawChatList(state) {
  const last = state.chat.messages.at(-1);
  const preview = !last ? "Say hello" : last.deleted ? "Message deleted" : last.text || (last.card ? "Sent a card" : "Sign in");
  const place = document.getElementById("chat-list");
  if (place.dataset.preview === preview + last?.at) return;
  place.dataset.preview = preview + last?.at;
  place.replaceChildren(h("button", { type: "button", class: "person chat-entry", "aria-current": "true", onclick: () => show("chat") },
    h("img", { src: "/static/herald.svg", alt: "", width: 36, height: 36 }),
    h("span", { class: "person-text" }, h("b", {}, "Herald"), h("small", {}, `${last && !last.from_bot ? "You: " : ""}${preview}`)),
    last ? h("time", {}, timeOf(last.at)) : null));
}

