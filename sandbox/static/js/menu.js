// A small menu below or above its button: arrows move, Escape closes, a choice closes too.
import { h } from "./dom.js";

export function menuButton({ label, content, className = "icon-button", items, onOpen = () => {} }) {
  const menu = h("div", { class: "menu", role: "menu", "aria-label": label, hidden: true });
  const button = h("button", { type: "button", class: className, "aria-label": label, title: label, "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => (menu.hidden ? open() : close()) }, content);
  const element = h("span", { class: "menu-place" }, button, menu);
  menu.addEventListener("keydown", key);
  element.addEventListener("focusout", (event) => { if (!element.contains(event.relatedTarget)) close(); });
  return element;

  function open() {
    menu.replaceChildren(...items().map(({ title, text, choose }) => h("button", {
      type: "button", role: "menuitem", onclick: () => { close(); button.focus(); choose(); },
    }, h("b", {}, title), text ? h("small", {}, text) : null)));
    menu.hidden = false;
    button.setAttribute("aria-expanded", "true");
    menu.classList.toggle("up", button.getBoundingClientRect().bottom > innerHeight * 0.6);
    menu.firstElementChild?.focus();
    onOpen();
  }

  function close() {
    menu.hidden = true;
    button.setAttribute("aria-expanded", "false");
  }

  function key(event) {
    const all = [...menu.children];
    const at = all.indexOf(document.activeElement);
    const keys = {
      ArrowDown: () => all[(at + 1) % all.length].focus(),
      ArrowUp: () => all[(at + all.length - 1) % all.length].focus(),
      Home: () => all[0].focus(),
      End: () => all.at(-1).focus(),
      Escape: () => { close(); button.focus(); },
    };
    if (!(event.key in keys)) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  }
}
