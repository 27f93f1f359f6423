// The list that comes up at an @: Herald first, then who is in the chat or channel.
import { avatar, h } from "./dom.js";
import { indexOf, personOf, store } from "./store.js";

const BOT = "Herald";
const MOST = 7;
let count = 0;

export class Mentions {
  constructor(box) {
    this.box = box;
    this.place = null;
    this.active = 0;
    this.found = [];
    this.list = h("ul", { class: "picker-list above", role: "listbox", id: `mentions-${++count}`, "aria-label": "People to mention", hidden: true });
    box.setAttribute("role", "combobox");
    box.setAttribute("aria-autocomplete", "list");
    box.setAttribute("aria-controls", this.list.id);
    box.setAttribute("aria-expanded", "false");
    box.addEventListener("blur", () => this.close());
  }

  // The words after the last @ before the caret, or null.
  wanted() {
    const before = this.box.value.slice(0, this.box.selectionStart);
    return /(?:^|\s)@([\p{L} .'-]{0,30})$/u.exec(before)?.[1] ?? null;
  }

  typed() {
    const wanted = this.place?.kind === "personal" ? null : this.wanted();
    if (wanted === null) return this.close();
    const names = [BOT, ...this.place.member_ids.filter((id) => id !== store.state.me).map((id) => personOf(id)?.name).filter(Boolean)];
    this.found = names.filter((name) => starts(name, wanted)).slice(0, MOST);
    if (!this.found.length || this.found.includes(wanted.trimEnd()) && wanted.endsWith(" ")) return this.close();
    this.active = 0;
    return this.open();
  }

  open() {
    this.list.replaceChildren(...this.found.map((name, index) => h("li", {
      role: "option", id: `${this.list.id}-${index}`, "aria-selected": String(index === this.active),
      onmousedown: (event) => { event.preventDefault(); this.choose(name); },
    }, face(name), h("span", { class: "person-text" }, h("b", {}, name), h("small", {}, name === BOT ? "App" : byName(name)?.title ?? "")))));
    this.list.hidden = false;
    this.box.setAttribute("aria-expanded", "true");
    this.box.setAttribute("aria-activedescendant", `${this.list.id}-${this.active}`);
  }

  close() {
    this.list.hidden = true;
    this.box.setAttribute("aria-expanded", "false");
    this.box.removeAttribute("aria-activedescendant");
  }

  // Whether the key was the list's.
  key(event) {
    if (this.list.hidden) return false;
    const keys = {
      ArrowDown: () => { this.active = (this.active + 1) % this.found.length; this.open(); },
      ArrowUp: () => { this.active = (this.active + this.found.length - 1) % this.found.length; this.open(); },
      Enter: () => this.choose(this.found[this.active]),
      Tab: () => this.choose(this.found[this.active]),
      Escape: () => this.close(),
    };
    if (!(event.key in keys)) return false;
    event.preventDefault();
    keys[event.key]();
    return true;
  }

  choose(name) {
    const end = this.box.selectionStart;
    const begin = this.box.value.lastIndexOf("@", end);
    this.box.setRangeText(`@${name} `, begin, end, "end");
    this.close();
    this.box.focus();
  }
}

const byName = (name) => store.state.people.find((person) => person.name === name);
const starts = (name, wanted) => `${name.toLowerCase()} `.startsWith(wanted.toLowerCase()) || name.toLowerCase().split(" ").some((part) => wanted && part.startsWith(wanted.toLowerCase()));

function face(name) {
  if (name === BOT) return h("img", { src: "/static/herald.svg", alt: "", width: 28, height: 28 });
  return avatar({ name }, 28, Math.max(0, indexOf(byName(name)?.id)));
}
