// Light and dark: the system's wish, until somebody chooses.
import { h, icon } from "./dom.js";

const listeners = [];
export const theme = () => document.documentElement.dataset.theme;
export const onTheme = (listener) => listeners.push(listener);

function set(name) {
  document.documentElement.dataset.theme = name;
  for (const listener of listeners) listener(name);
}

export function themeButton() {
  const button = h("button", { class: "icon-button", type: "button" });
  const draw = () => {
    const dark = theme() === "dark";
    button.replaceChildren(icon(dark ? "sun" : "moon"));
    button.setAttribute("aria-label", dark ? "Switch to light" : "Switch to dark");
    button.title = button.getAttribute("aria-label");
  };
  button.addEventListener("click", () => {
    const other = theme() === "dark" ? "light" : "dark";
    localStorage.setItem("theme", other);
    set(other);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
    if (!localStorage.getItem("theme")) set(event.matches ? "dark" : "light");
  });
  onTheme(draw);
  draw();
  return button;
}
