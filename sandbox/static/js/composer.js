// Where a message is typed: mentions by @, prompts, the extension's button, a card in the draft.
import { h, icon } from "./dom.js";
import { act, store } from "./store.js";
import { CardView } from "./card.js";
import { extensionButton } from "./extension.js";
import { Mentions } from "./mentions.js";
import { problem } from "./toasts.js";

const MOST_PROMPTS = 9;

export class Composer {
  constructor({ id = null, thread = "", isReply = false, onSent = () => {} }) {
    Object.assign(this, { thread, onSent, placeId: "", attachment: null });
    this.box = h("textarea", { id, rows: "1", autocomplete: "off", oninput: () => this.grow(), onkeydown: (event) => this.key(event) });
    this.mentions = new Mentions(this.box);
    this.draft = h("div", { class: "draft" });
    this.prompts = h("div", { class: "prompts", role: "group", "aria-label": "Suggested commands" });
    const tools = isReply ? null : h("div", { class: "tools" }, extensionButton(this));
    this.element = h("form", { class: "composer", onsubmit: (event) => { event.preventDefault(); this.send(); } },
      isReply ? null : this.prompts,
      h("div", { class: "compose-line" }, this.mentions.list, this.draft, this.box,
        h("div", { class: "compose-tools" }, tools, h("button", { class: "icon-button send", type: "submit", "aria-label": "Send" }, icon("send")))));
  }

  // Called with every snapshot; another person, or another place, begins with an empty line.
  show(place) {
    this.mentions.place = place;
    this.drawPrompts(place);
    const whose = `${store.state.me} ${place.id}`;
    if (this.whose === whose) return;
    this.whose = whose;
    this.placeId = place.id;
    this.box.value = "";
    this.attach(null);
    const name = place.kind === "personal" ? "Herald" : place.name;
    const words = this.thread ? "Reply" : place.kind === "channel" ? `Start a conversation in ${name}` : `Type a message to ${name}`;
    this.box.placeholder = place.kind === "personal" ? words : `${words}. @Herald to ask Herald`;
    this.box.setAttribute("aria-label", this.thread ? `Reply in ${name}` : `Message to ${name}`);
  }

  drawPrompts(place) {
    const scope = { personal: "personal", groupChat: "groupChat", channel: "team" }[place.kind];
    const commands = place.has_bot ? (store.state.commands[scope] ?? []).slice(0, MOST_PROMPTS) : [];
    const signature = JSON.stringify([place.kind, commands]);
    if (this.prompts.dataset.signature === signature) return;
    this.prompts.dataset.signature = signature;
    this.prompts.replaceChildren(...commands.map((command) => h("button", {
      type: "button", class: "prompt", title: command.description,
      onclick: () => this.say(place.kind === "personal" ? command.title : `@Herald ${command.title}`),
    }, command.title)));
  }

  key(event) {
    if (this.mentions.key(event)) return;
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.send();
  }

  grow() {
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight, 160)}px`;
    this.mentions.typed();
  }

  focus() {
    this.box.focus();
  }

  // A card from the extension, to be sent with the next message.
  attach(attachment) {
    this.attachment = attachment;
    if (!attachment) return this.draft.replaceChildren();
    const view = new CardView(attachment.content, () => {});
    view.element.toggleAttribute("inert", true);
    this.draft.replaceChildren(view.element, h("button", { class: "icon-button", type: "button", "aria-label": "Remove the card", onclick: () => this.attach(null) }, icon("close", 16)));
    return this.focus();
  }

  async send() {
    const text = this.box.value.trim();
    const { attachment } = this;
    if (!text && !attachment) return;
    this.box.value = "";
    this.grow();
    if (!attachment) return this.say(text);
    this.attach(null);
    this.onSent();
    return act("insert", { place: this.placeId, attachment, text }).catch(() => problem("The message could not be sent"));
  }

  async say(text) {
    this.onSent();
    try {
      const { status, heard } = await act("say", { text, place: this.placeId, thread: this.thread });
      if (heard && (status === 0 || status >= 400)) problem("Herald did not get this message", "Is the app running?");
    } catch {
      problem("The message could not be sent");
    }
  }
}
