// A channel's threads: the message that each began with, its replies, and a line to reply on.
import { h, icon } from "./dom.js";
import { Composer } from "./composer.js";
import { plural } from "./format.js";

export class Threads {
  constructor(list, asked) {
    this.list = list;
    this.asked = asked;
    this.byRoot = new Map();
  }

  clear() {
    this.byRoot.clear();
  }

  fill(element, place) {
    const groups = new Map();
    for (const message of place.messages) {
      const root = message.root || message.id;
      groups.set(root, [...(groups.get(root) ?? []), message]);
    }
    for (const [root, thread] of this.byRoot) {
      if (!groups.has(root)) { thread.element.remove(); this.byRoot.delete(root); }
    }
    const result = { added: false, changed: false, reply: null };
    for (const [root, messages] of groups) this.fillOne(element, place, root, messages, result);
    return result;
  }

  fillOne(element, place, root, messages, result) {
    const isNew = !this.byRoot.has(root);
    const thread = this.byRoot.get(root) ?? this.make(root, place);
    if (isNew) element.append(thread.element);
    const { added, changed } = this.list.fill(thread.messages, messages, place);
    thread.label.textContent = messages.length > 1 ? plural(messages.length - 1, "reply", "replies") : "";
    thread.composer.show(place);
    result.changed ||= changed;
    if (isNew) result.added ||= added;
    else if (added) result.reply = thread.messages.lastElementChild;
  }

  make(root, place) {
    const messages = h("div", { class: "thread-messages" });
    const label = h("small", { class: "thread-count" });
    const composer = new Composer({ thread: root, isReply: true, onSent: () => this.asked() });
    const button = h("button", { type: "button", class: "link reply", onclick: () => open() }, icon("reply", 16), "Reply");
    composer.element.hidden = true;
    const element = h("section", { class: "thread", "data-thread": root, "aria-label": "Conversation" }, messages,
      h("footer", {}, button, label), composer.element);
    const thread = { element, messages, label, composer };
    this.byRoot.set(root, thread);
    composer.show(place);
    return thread;

    function open() {
      composer.element.hidden = false;
      button.hidden = true;
      composer.focus();
    }
  }
}

