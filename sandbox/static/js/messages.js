// Messages, drawn. One that did not change is not drawn again: what is typed into its card stays.
import { avatar, h } from "./dom.js";
import { CardView, renderMarkdown } from "./card.js";
import { timeOf } from "./format.js";
import { messageMenu } from "./message_menu.js";
import { press } from "./press.js";
import { signInCard } from "./sign_in.js";
import { act, indexOf } from "./store.js";

export class MessageList {
  constructor() {
    this.shown = new Map();
    this.refreshed = new Map();
  }

  clear() {
    this.shown.clear();
    this.refreshed.clear();
  }

  redraw() {
    this.shown.forEach((item) => item.view?.redraw());
  }

  has(id) {
    return this.shown.has(id);
  }

  // Put these messages into the element, in this order. Tells what was added and what changed.
  fill(element, messages, place) {
    let changed = false;
    let added = false;
    const ids = new Set(messages.map((message) => message.id));
    for (const child of [...element.children]) {
      if (child.dataset.message && !ids.has(child.dataset.message)) { child.remove(); this.shown.delete(child.dataset.message); }
    }
    for (const message of messages) {
      const item = this.shown.get(message.id);
      if (item?.digest === message.digest) continue;
      changed = true;
      added ||= !item;
      const focused = document.activeElement;
      const fresh = this.draw(message, item, place);
      item ? item.element.replaceWith(fresh.element) : element.append(fresh.element);
      // Who is in the middle of a card that moved into its changed message goes on there.
      if (focused !== document.activeElement && fresh.element.contains(focused)) focused.focus();
      this.shown.set(message.id, fresh);
      this.refresh(message);
    }
    return { added, changed };
  }

  // A card with a refresh asks for its reader's own view when it comes into sight.
  refresh(message) {
    const seen = this.refreshed.get(message.id);
    if (message.refresh === null || message.refresh === seen) return;
    this.refreshed.set(message.id, message.refresh);
    act("refresh", { message_id: message.id }).catch(() => {});
  }

  draw(message, before, place) {
    const item = { digest: message.digest, view: null };
    const says = h("p", { class: "card-says", role: "status" });
    const tell = (text, tone = "neutral") => { says.className = `card-says ${tone}`; says.replaceChildren(text); };
    const body = h("div", { class: "bubble" });
    if (message.deleted) body.append(h("i", { class: "quiet" }, "This message was deleted."));
    if (message.text) body.append(words(message));
    if (message.sign_in) body.append(signInCard(message.sign_in, message.id, place));
    if (message.card) {
      const pressed = (action, inputs) => press({ messageId: message.id, placeId: place.id, view: item.view, says: tell }, action, inputs);
      item.view = kept(message.card, before) ?? new CardView(message.card, pressed, { messageId: message.id, placeId: place.id });
      body.append(item.view.element, says);
    }
    const mine = message.mine && place.kind !== "channel";
    item.element = h("article", { class: `message ${message.from_bot ? "bot" : mine ? "mine" : "theirs"}`, "data-message": message.id,
      "aria-label": `${message.mine ? "You" : message.author}, ${timeOf(message.at)}` },
    face(message, mine),
    h("div", { class: "message-body" }, head(message, mine), body),
    message.deleted ? null : messageMenu(message, place));
    return item;
  }
}

function head(message, mine) {
  return h("header", {},
    h("b", { class: mine ? "hidden" : "" }, message.author),
    message.from_bot ? h("span", { class: "app-tag" }, "App") : null,
    h("time", { datetime: message.at }, timeOf(message.at)),
    message.via ? h("span", {}, `via ${message.via}`) : null,
    message.edited ? h("span", {}, "Edited") : null);
}

function face(message, mine) {
  if (message.from_bot) return h("img", { class: "bot-avatar", src: "/static/herald.svg", alt: "", width: 32, height: 32 });
  return mine ? null : avatar({ name: message.author }, 32, Math.max(0, indexOf(message.author_id)));
}

// The names of who is mentioned stand out; the rest is as it was typed.
function words(message) {
  if (message.format !== "plain") return renderMarkdown(message.text);
  const parts = message.text.split(/<at>([^<]*)<\/at>/);
  return h("span", { class: "plain" }, parts.map((part, index) => (index % 2 ? h("span", { class: "mention" }, part) : part)));
}

// The same card in a changed message keeps its element, and so what was typed into it.
function kept(card, before) {
  return before?.view && before.view.signature === JSON.stringify(card) ? before.view : null;
}

export function typingDots() {
  return h("p", { class: "typing" }, h("i"), h("i"), h("i"), h("span", { class: "hidden" }, "Herald is typing"));
}

export const previewOf = (message) => {
  if (!message) return "";
  if (message.deleted) return "Message deleted";
  const text = message.text.replace(/<\/?at>/g, "") || (message.card ? "Sent a card" : "Sign in");
  return `${message.mine ? "You: " : message.from_bot ? "" : `${message.author.split(" ")[0]}: `}${text}`;
};

