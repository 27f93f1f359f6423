// Who is at the keyboard: the list, the sheet on a narrow window, and the button in the bar.
import { avatar, badge, h, icon } from "./dom.js";
import { become, indexOf, me, store } from "./store.js";

export function drawPeople(state) {
  const list = document.getElementById("people-list");
  fill(list, state);
  const sheet = document.getElementById("people-sheet");
  if (sheet.open) fill(sheet.querySelector("ul"), state);
}

function fill(list, state) {
  const signature = JSON.stringify(state.people.map((p) => [p.id, p.unread, p.id === state.me]));
  if (list.dataset.signature === signature) return;
  list.dataset.signature = signature;
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.person : null;
  list.replaceChildren(...desks(state).map((person) => h("li", {}, entry(person, state))));
  if (focused) list.querySelector(`[data-person="${focused}"]`)?.focus();
}

// A guest has no apps, and so no desk here.
const desks = (state) => state.people.filter((person) => !person.is_guest);

function entry(person, state) {
  const current = person.id === state.me;
  return h("button", {
    type: "button",
    class: "person",
    "data-person": person.id,
    "data-name": person.name,
    "aria-current": current ? "true" : null,
    onclick: () => { document.getElementById("people-sheet").close(); if (!current) become(person.id); },
  },
  avatar(person, 36, indexOf(person.id)),
  h("span", { class: "person-text" }, h("b", {}, person.name), h("small", {}, person.title)),
  badge(person.unread));
}

export function meButton() {
  const button = h("button", { class: "me", type: "button", id: "me", onclick: openSheet });
  return button;
}

export function drawMe() {
  const person = me();
  const button = document.getElementById("me");
  if (button.dataset.person === person.id) return;
  button.dataset.person = person.id;
  button.setAttribute("aria-label", `You are ${person.name}, ${person.title}. Switch person`);
  button.replaceChildren(
    avatar(person, 32, indexOf(person.id)),
    h("span", { class: "person-text" }, h("b", {}, person.name), h("small", {}, person.title)),
    icon("down", 16),
  );
  document.title = `${person.name} | Herald in the sandbox`;
}

function openSheet() {
  const sheet = document.getElementById("people-sheet");
  const list = h("ul", { class: "people-list" });
  sheet.replaceChildren(
    h("header", { class: "drawer-head" }, h("h2", {}, "You are"),
      h("button", { class: "icon-button", type: "button", "aria-label": "Close", onclick: () => sheet.close() }, icon("close"))),
    list,
  );
  fill(list, store.state);
  sheet.showModal();
}
