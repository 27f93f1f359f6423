// The people picker: Teams draws it for a choice set over the directory, the renderer does not.
import { avatar, h, icon } from "./dom.js";
import { indexOf, store } from "./store.js";

export const PICKER = "Input.PeoplePicker";
const DATASET = "graph.microsoft.com/users";
let count = 0;

// The card with its people pickers under a type of our own, which the renderer is taught.
export function withPickers(node) {
  if (Array.isArray(node)) return node.map(withPickers);
  if (node === null || typeof node !== "object") return node;
  const copy = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, name === "data" ? value : withPickers(value)]));
  const query = node.type === "Input.ChoiceSet" && node["choices.data"];
  if (query && String(query.dataset).startsWith(DATASET)) copy.type = PICKER;
  return copy;
}

export function registerPicker() {
  const { AdaptiveCards } = window;
  class PeoplePickerInput extends AdaptiveCards.Input {
    getJsonTypeName() { return PICKER; }
    internalParse(source, context) {
      super.internalParse(source, context);
      this.source = source;
      this.chosen = String(source.value ?? "").split(",").map((id) => id.trim()).filter(Boolean);
    }
    internalRender() {
      this.control = new Picker(this.source, this.chosen, (chosen) => { this.chosen = chosen; this.valueChanged(); });
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
  AdaptiveCards.GlobalRegistry.elements.register(PICKER, PeoplePickerInput);
}

class Picker {
  constructor(source, chosen, changed) {
    this.names = Object.fromEntries((source.choices ?? []).map((choice) => [choice.value, choice.title]));
    this.many = Boolean(source.isMultiSelect);
    this.chosen = chosen;
    this.changed = changed;
    this.active = 0;
    const listId = `people-options-${++count}`;
    this.list = h("ul", { class: "picker-list", role: "listbox", id: listId, hidden: true });
    this.input = h("input", {
      type: "text", role: "combobox", autocomplete: "off", "aria-autocomplete": "list",
      "aria-expanded": "false", "aria-controls": listId,
      oninput: () => { this.active = 0; this.open(); },
      onfocus: () => this.open(),
      onblur: () => this.close(),
      onkeydown: (event) => this.key(event),
    });
    this.placeholder = source.placeholder ?? "Type a name";
    this.chips = h("span", { class: "picker-chips" });
    this.element = h("div", { class: "picker ac-input", onclick: () => this.input.focus() }, this.chips, this.input, this.list);
    this.draw();
  }

  label(ids) {
    if (ids) this.input.setAttribute("aria-labelledby", ids);
  }

  name(id) {
    return store.state?.people.find((person) => person.id === id)?.name ?? this.names[id] ?? id;
  }

  draw() {
    this.chips.replaceChildren(...this.chosen.map((id) => {
      const name = this.name(id);
      return h("span", { class: "chip" }, avatar({ name }, 20, Math.max(0, indexOf(id))), name,
        h("button", { type: "button", "aria-label": `Remove ${name}`, onclick: (event) => { event.stopPropagation(); this.remove(id); } }, icon("close", 12)));
    }));
    this.input.placeholder = this.chosen.length ? "" : this.placeholder;
  }

  matches() {
    const words = this.input.value.trim().toLowerCase();
    return store.state.people.filter((person) => !this.chosen.includes(person.id)
      && `${person.name} ${person.mail} ${person.title}`.toLowerCase().includes(words));
  }

  open() {
    const found = this.matches();
    this.active = Math.min(this.active, Math.max(0, found.length - 1));
    const options = found.map((person, index) => h("li", {
      role: "option", id: `${this.list.id}-${index}`, "aria-selected": String(index === this.active),
      // Before the blur, or the list is gone when the click comes.
      onmousedown: (event) => { event.preventDefault(); this.add(person.id); },
    }, avatar(person, 28, indexOf(person.id)), h("span", { class: "person-text" }, h("b", {}, person.name), h("small", {}, person.title))));
    this.list.replaceChildren(...(options.length ? options : [h("li", { class: "none" }, "Nobody found")]));
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.input.setAttribute("aria-activedescendant", found.length ? `${this.list.id}-${this.active}` : "");
    this.list.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const found = this.matches();
    const keys = {
      ArrowDown: () => { this.active = Math.min(this.active + 1, found.length - 1); this.open(); },
      ArrowUp: () => { this.active = Math.max(this.active - 1, 0); this.open(); },
      Enter: () => { if (!this.list.hidden && found[this.active]) this.add(found[this.active].id); },
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
    this.many ? this.open() : this.close();
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
