// Which of the views is shown, and the rail that switches them.
import { badge, h, icon } from "./dom.js";

const VIEWS = [
  ["activity", "Activity", "bell"],
  ["chat", "Chat", "chat"],
  ["phones", "Phones", "phone"],
  ["requests", "Requests", "pulse"],
  ["cards", "Cards", "cards"],
];
const listeners = [];

export const currentView = () => document.body.dataset.view;
export const onView = (listener) => listeners.push(listener);

export function show(view) {
  document.body.dataset.view = view;
  for (const button of document.querySelectorAll("#rail button")) {
    const current = button.dataset.view === view;
    current ? button.setAttribute("aria-current", "page") : button.removeAttribute("aria-current");
  }
  for (const listener of listeners) listener(view);
}

export function drawRail() {
  const rail = document.getElementById("rail");
  for (const [view, label, picture] of VIEWS) {
    const button = h("button", { type: "button", "data-view": view, onclick: () => show(view) },
      icon(picture, 22), h("span", {}, label), h("span", { class: "badge-place" }));
    rail.append(button);
  }
  show("chat");
}

export function drawBadges(counts) {
  for (const [view, count] of Object.entries(counts)) {
    const place = document.querySelector(`#rail [data-view=${view}] .badge-place`);
    const shown = place.textContent === String(count || "");
    if (!shown) place.replaceChildren(...[badge(count)].filter(Boolean));
  }
}
