// The open chat or channel: its head, its messages or threads, and where the reader is in it.
import { avatar, h, icon } from "./dom.js";
import { Composer } from "./composer.js";
import { MessageList, typingDots } from "./messages.js";
import { currentPlace, indexOf, personOf, store } from "./store.js";
import { onTheme } from "./theme.js";
import { plural } from "./format.js";
import { Threads } from "./threads.js";
import { openPlaces } from "./places.js";

const BOTTOM_SLACK_PX = 120;
const ANSWER_MS = 8000;
const list = new MessageList();
const threads = new Threads(list, () => { askedAt = Date.now(); });
let composer = null;
let shownOf = ""; // whose, and which
let typingTimer = 0;
let askedAt = 0; // when the last message was typed
let followedTo = 0; // where we scrolled to last; elsewhere, somebody reads

const messagesElement = () => document.getElementById("messages");

export function setUpConversation() {
  onTheme(() => list.redraw());
  composer = new Composer({ id: "compose-box", onSent: () => { askedAt = Date.now(); } });
  document.getElementById("compose").append(composer.element);
}

export const attachToDraft = (attachment) => composer.attach(attachment);

export function drawConversation(state) {
  const element = messagesElement();
  const place = currentPlace();
  const owner = `${state.me} ${place.id}`;
  const another = shownOf !== owner;
  if (another) {
    shownOf = owner;
    list.clear();
    threads.clear();
    element.replaceChildren();
  }
  drawHead(place);
  composer.show(place);
  const atBottom = element.scrollHeight - element.scrollTop - element.clientHeight < BOTTOM_SLACK_PX;
  const untouched = Math.abs(element.scrollTop - followedTo) < 4;
  const there = atBottom || untouched;
  const { added, changed, reply } = place.kind === "channel" ? threads.fill(element, place) : list.fill(element, place.messages, place);
  drawNothing(element, place);
  drawTyping(element, place);
  if (reply) return reply.scrollIntoView({ block: "nearest" });
  const mine = added && place.messages.at(-1)?.mine;
  // Whoever asked wants to see the answer, also when it came together with the question.
  const asked = Date.now() - askedAt < ANSWER_MS;
  if (another || mine || (added && (there || asked))) follow(element);
  // Who pressed a button at the end of a long card stays at its end.
  else if (changed && atBottom && !(isLong(element) && untouched)) element.scrollTop = element.scrollHeight;
  return undefined;
}

// To the end, but not past the beginning of a long last message.
function follow(element) {
  element.scrollTop = isLong(element) ? lastOf(element).offsetTop - 12 : element.scrollHeight;
  followedTo = element.scrollTop;
}

const lastOf = (element) => [...element.children].findLast((child) => child.matches(".message, .thread"));
const isLong = (element) => (lastOf(element)?.offsetHeight ?? 0) > element.clientHeight;

function drawNothing(element, place) {
  element.querySelector(":scope > .empty")?.remove();
  if (place.messages.length) return;
  const words = {
    personal: ["Say hello", "Type a command, or choose one below."],
    groupChat: ["Nothing was said here yet", "Mention @Herald with a command, and everybody sees a small card that opens a form for its reader alone."],
    channel: ["Nothing was posted here yet", "Mention @Herald with a command: the answer stays in its thread."],
  }[place.kind];
  element.append(h("div", { class: "empty" }, icon("chat", 48), h("h2", {}, words[0]), h("p", {}, words[1])));
}

function drawTyping(element, place) {
  clearTimeout(typingTimer);
  element.querySelector(":scope > .typing")?.remove();
  if (place.typing_ms <= 0) return;
  element.append(typingDots());
  typingTimer = setTimeout(() => element.querySelector(":scope > .typing")?.remove(), place.typing_ms);
}

function drawHead(place) {
  const head = document.getElementById("chat-head");
  const [title, line] = headline(place);
  const signature = JSON.stringify([title, line, place.id]);
  if (head.dataset.line === signature) return;
  head.dataset.line = signature;
  head.replaceChildren(
    h("button", { type: "button", class: "icon-button narrow-only", "aria-label": "Chats and teams", onclick: openPlaces }, icon("list")),
    place.kind === "personal" ? h("img", { src: "/static/herald.svg", alt: "", width: 36, height: 36 }) : placeFace(place, 36),
    h("div", { class: "person-text" }, h("h1", {}, title), h("small", {}, line)));
  document.getElementById("view-chat").setAttribute("aria-label", place.kind === "personal" ? "Chat with Herald" : title);
}

function headline(place) {
  const people = place.member_ids.map((id) => personOf(id)?.name.split(" ")[0]).filter(Boolean);
  const bot = place.has_bot ? "" : " · Herald isn't in here";
  if (place.kind === "personal") return ["Herald", place.has_bot ? "Appointment texts and notices" : "Not installed for you"];
  if (place.kind === "groupChat") return [place.name, `${people.join(", ")}${bot}`];
  return [`${place.team.name} › ${place.name}`, `${plural(people.length, "member", "members")}${bot}`];
}

export function placeFace(place, size) {
  if (place.kind === "personal") return h("img", { src: "/static/herald.svg", alt: "", width: size, height: size });
  if (place.kind === "channel") return h("span", { class: "place-face", style: `--size:${size}px`, "aria-hidden": "true" }, icon("hash", size * 0.55));
  const first = place.member_ids.filter((id) => id !== store.state.me).slice(0, 2);
  return h("span", { class: "pair", style: `--size:${size}px`, "aria-hidden": "true" }, first.map((id) => avatar(personOf(id), size * 0.68, indexOf(id))));
}
