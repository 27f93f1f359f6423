// The box at the top, where the extension's commands are found by typing.
import { h, icon } from "./dom.js";
import { commandsFor, run } from "./extension.js";
import { openPlace, ownChat } from "./store.js";
import { show } from "./views.js";

export function commandBox(insert) {
  let active = 0;
  let found = [];
  const list = h("ul", { class: "picker-list", role: "listbox", id: "command-list", "aria-label": "Commands", hidden: true });
  const input = h("input", { type: "text", role: "combobox", id: "command-box", autocomplete: "off", "aria-label": "Search or type a command", placeholder: "Search commands",
    "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "command-list",
    oninput: open, onfocus: open, onblur: close, onkeydown: key });
  return h("div", { class: "command-box" }, icon("search", 16), input, list);

  function open() {
    const words = input.value.trim().replace(/^[@/]/, "").toLowerCase();
    found = commandsFor("commandBox").filter((command) => `herald ${command.title}`.toLowerCase().includes(words));
    active = Math.min(active, Math.max(0, found.length - 1));
    list.replaceChildren(...(found.length ? found.map(option) : [h("li", { class: "none" }, "No command of Herald's is called so.")]));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    input.setAttribute("aria-activedescendant", found.length ? `command-${active}` : "");
  }

  function option(command, index) {
    return h("li", { role: "option", id: `command-${index}`, "aria-selected": String(index === active),
      onmousedown: (event) => { event.preventDefault(); choose(command); } },
    h("img", { src: "/static/herald.svg", alt: "", width: 28, height: 28 }),
    h("span", { class: "person-text" }, h("b", {}, command.title), h("small", {}, command.description)));
  }

  function close() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function key(event) {
    const keys = {
      ArrowDown: () => { active = Math.min(active + 1, found.length - 1); open(); },
      ArrowUp: () => { active = Math.max(active - 1, 0); open(); },
      Enter: () => found[active] && choose(found[active]),
      Escape: () => { input.value = ""; close(); },
    };
    if (!(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  }

  function choose(command) {
    input.value = "";
    close();
    input.blur();
    run(command, { place: ownChat().id, context: "commandBox" }, (attachment) => { show("chat"); openPlace(ownChat().id); insert(attachment); });
  }
}
