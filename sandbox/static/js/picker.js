// Choice sets whose choices are looked up while one types: people of the directory, which Teams
// knows by itself, and what the bot finds. The renderer draws neither.
import { avatar, h, icon } from "./dom.js";
import { act, indexOf, personOf, store } from "./store.js";

export const PICKER = "Input.Lookup";
const DATASET = "graph.microsoft.com/users";
const PAUSE_MS = 200;
let count = 0;

// The card with its lookups under a type of our own, which the renderer is taught.
export function withPickers(node) {
  if (Array.isArray(node)) return node.map(withPickers);
  if (node === null || typeof node !== "object") return node;
  const copy = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, name === "data" ? value : withPickers(value)]));
  if (node.type === "Input.ChoiceSet" && node["choices.data"]) copy.type = PICKER;
  return copy;
}

export function registerPicker() {
  const { AdaptiveCards } = window;
  class LookupInput extends AdaptiveCards.Input {
    getJsonTypeName() { return PICKER; }
    internalParse(source, context) {
      super.internalParse(source, context);
      this.source = source;
      this.chosen = String(source.value ?? "").split(",").map((id) => id.trim()).filter(Boolean);
    }
    internalRender() {
      const origin = this.getRootElement().origin ?? {};
      this.control = new Picker(this.source, this.chosen, origin, (chosen) => { this.chosen = chosen; this.valueChanged(); });
      return this.control.element;
    }
    updateInputControlAriaLabelledBy() {
      this.control?.label(this.getAllLabelIds().join(" "));
    }
    focus() { this.control?.input.focus(); }
    isSet() { return this.chosen.length > 0; }
    isDirty() { return this.isSet(); }
    get value() { return this.isSet() ? this.chosen.join(",") : undefined; }
  }
  AdaptiveCards.GlobalRegistry.elements.register(PICKER, LookupInput);
}

// Who of the directory, or of this conversation, fits the words.
function people(words, inContext, origin) {
  const members = inContext && store.state.places.find((place) => place.id === origin.placeId)?.member_ids;
  return store.state.people
    .filter((person) => (!members || members.includes(person.id)) && `${person.name} ${person.mail} ${person.title}`.toLowerCase().includes(words))
    .map((person) => ({ value: person.id, title: person.name, text: person.title }));
}

class Picker {
  constructor(source, chosen, origin, changed) {
    const query = source["choices.data"];
    Object.assign(this, { chosen, origin, changed, active: 0, found: [], dataset: String(query.dataset) });
    this.isPeople = this.dataset.startsWith(DATASET);
    this.choices = (source.choices ?? []).map((choice) => ({ value: choice.value, title: choice.title }));
    this.names = Object.fromEntries(this.choices.map((choice) => [choice.value, choice.title]));
    this.many = Boolean(source.isMultiSelect);
    const listId = `people-options-${++count}`;
    this.list = h("ul", { class: "picker-list", role: "listbox", id: listId, "aria-label": "Suggestions", hidden: true });
    this.input = h("input", {
      type: "text", role: "combobox", autocomplete: "off", "aria-autocomplete": "list",
      "aria-expanded": "false", "aria-controls": listId,
      oninput: () => { this.active = 0; this.ask(); },
      onfocus: () => this.ask(),
      onblur: () => this.close(),
      onkeydown: (event) => this.key(event),
    });
    this.placeholder = source.placeholder ?? (this.isPeople ? "Type a name" : "Type to search");
    this.chips = h("span", { class: "picker-chips" });
    this.element = h("div", { class: "picker ac-input", onclick: () => this.input.focus() }, this.chips, this.input, this.list);
    this.draw();
  }

  label(ids) {
    if (ids) this.input.setAttribute("aria-labelledby", ids);
  }

  name(id) {
    return (this.isPeople && personOf(id)?.name) || this.names[id] || id;
  }

  draw() {
    this.chips.replaceChildren(...this.chosen.map((id) => {
      const name = this.name(id);
      return h("span", { class: "chip" }, this.isPeople ? avatar({ name }, 20, Math.max(0, indexOf(id))) : null, h("span", { class: "chip-name" }, name),
        h("button", { type: "button", "aria-label": `Remove ${name}`, onclick: (event) => { event.stopPropagation(); this.remove(id); } }, icon("close", 12)));
    }));
    this.input.placeholder = this.chosen.length ? "" : this.placeholder;
  }

  ask() {
    clearTimeout(this.timer);
    const words = this.input.value.trim().toLowerCase();
    const fits = (choice) => !this.chosen.includes(choice.value);
    if (this.isPeople) return this.open(people(words, this.dataset.includes("scope=currentContext"), this.origin).filter(fits));
    const own = this.choices.filter((choice) => choice.title.toLowerCase().includes(words));
    this.open(own.filter(fits), words ? "Searching…" : "Type to search");
    if (words) this.timer = setTimeout(() => this.lookUp(words, own), PAUSE_MS);
    return undefined;
  }

  // The static choices stay first, as in Teams; what the bot finds comes after them.
  async lookUp(words, own) {
    const { messageId, placeId, dialog } = this.origin;
    const body = { dataset: this.dataset, query: words, message_id: messageId ?? "", dialog: Boolean(dialog), place: placeId ?? "" };
    const answer = await act("typeahead", body).catch(() => ({ status: 0 }));
    if (this.input.value.trim().toLowerCase() !== words || document.activeElement !== this.input) return;
    const failed = answer.status !== 200 || answer.problem;
    const results = (failed ? [] : answer.body.value.results).filter((one) => !own.some((choice) => choice.value === one.value));
    for (const { value, title } of results) this.names[value] = title;
    const found = [...own, ...results].filter((choice) => !this.chosen.includes(choice.value));
    this.open(found, failed ? "The app did not answer. Please try again." : "Nothing found");
  }

  open(found, none = "Nobody found") {
    this.found = found;
    this.active = Math.min(this.active, Math.max(0, found.length - 1));
    const options = found.map((choice, index) => h("li", {
      role: "option", id: `${this.list.id}-${index}`, "aria-selected": String(index === this.active),
      // Before the blur, or the list is gone when the click comes.
      onmousedown: (event) => { event.preventDefault(); this.add(choice.value); },
    }, this.isPeople ? avatar({ name: choice.title }, 28, Math.max(0, indexOf(choice.value))) : null,
    h("span", { class: "person-text" }, h("b", {}, choice.title), choice.text ? h("small", {}, choice.text) : null)));
    this.list.replaceChildren(...(options.length ? options : [h("li", { class: "none" }, none)]));
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.input.setAttribute("aria-activedescendant", found.length ? `${this.list.id}-${this.active}` : "");
    this.list.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }

  close() {
    clearTimeout(this.timer);
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const { found } = this;
    const keys = {
      ArrowDown: () => { this.active = Math.min(this.active + 1, found.length - 1); this.list.hidden ? this.ask() : this.open(found); },
      ArrowUp: () => { this.active = Math.max(this.active - 1, 0); this.open(found); },
      Enter: () => { if (!this.list.hidden && found[this.active]) this.add(found[this.active].value); },
      Escape: () => this.close(),
    };
    if (event.key in keys) {
      event.preventDefault();
      keys[event.key]();
    } else if (event.key === "Backspace" && !this.input.value && this.chosen.length) {
      this.remove(this.chosen.at(-1));
    }
  }

  add(id) {
    this.chosen = this.many ? [...this.chosen, id] : [id];
    this.input.value = "";
    this.active = 0;
    this.update();
    this.many ? this.ask() : this.close();
  }

  remove(id) {
    this.chosen = this.chosen.filter((other) => other !== id);
    this.update();
    this.input.focus();
  }

  update() {
    this.draw();
    this.changed(this.chosen);
  }
}
