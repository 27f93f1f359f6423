// The list of chats, teams and channels; on a narrow window it comes up as a sheet.
import { h, icon } from "./dom.js";
import { placeFace } from "./conversation.js";
import { timeOf } from "./format.js";
import { previewOf } from "./messages.js";
import { currentPlace, openPlace, store } from "./store.js";
import { teamMenu } from "./team_menu.js";
import { show } from "./views.js";

const seen = new Map(); // by person and place: the last message that was looked at

export function drawPlaces(state) {
  fill(document.getElementById("place-list"), state);
  const sheet = document.getElementById("places-sheet");
  if (sheet.open) fill(sheet.querySelector(".places"), state);
}

function fill(element, state) {
  const open = currentPlace().id;
  if (document.body.dataset.view === "chat") seen.set(`${state.me} ${open}`, currentPlace().messages.at(-1)?.id);
  const signature = JSON.stringify([state.me, open, state.places.map((place) => [place.id, place.name, place.team, place.has_bot, place.messages.at(-1)?.digest, isUnread(state, place)])]);
  if (element.dataset.signature === signature) return;
  if (element.querySelector(".menu:not([hidden])")) return; // somebody is choosing; the next news draws it
  element.dataset.signature = signature;
  const focused = element.contains(document.activeElement) ? document.activeElement.dataset.place : null;
  const chats = state.places.filter((place) => place.kind !== "channel");
  element.replaceChildren(
    h("h2", {}, "Chats"), h("ul", { class: "people-list" }, chats.map((place) => h("li", {}, entry(place, open, state)))),
    ...teams(state, open));
  if (focused) element.querySelector(`[data-place="${focused}"]`)?.focus();
}

function teams(state, open) {
  const channels = state.places.filter((place) => place.kind === "channel");
  const ids = [...new Set(channels.map((place) => place.team.id))];
  return ids.flatMap((id) => {
    const own = channels.filter((place) => place.team.id === id);
    return [h("div", { class: "team-line" }, h("h2", {}, "Team: ", own[0].team.name), teamMenu(own[0].team)), h("ul", { class: "people-list" }, own.map((place) => h("li", {}, entry(place, open, state))))];
  });
}

function entry(place, open, state) {
  const last = place.messages.at(-1);
  const small = place.kind === "channel" ? 24 : 36;
  const unread = isUnread(state, place);
  return h("button", {
    type: "button", class: `person place ${place.kind} ${unread ? "unread" : ""}`, "data-place": place.id, "data-name": place.name,
    "aria-current": place.id === open ? "true" : null,
    onclick: () => { document.getElementById("places-sheet").close(); openPlace(place.id); show("chat"); },
  },
  placeFace(place, small),
  h("span", { class: "person-text" }, h("b", {}, place.name), place.kind === "channel" ? null : h("small", {}, previewOf(last) || "Nothing yet")),
  unread ? h("span", { class: "dot" }, h("span", { class: "hidden" }, "unread")) : null,
  last && place.kind !== "channel" ? h("time", { datetime: last.at }, timeOf(last.at)) : null);
}

// What came since it was last looked at; what was there at the first look is not news.
function isUnread(state, place) {
  const key = `${state.me} ${place.id}`;
  const last = place.messages.at(-1)?.id;
  if (!seen.has(key)) seen.set(key, last);
  return last !== undefined && seen.get(key) !== last && place.id !== currentPlace().id;
}

export function openPlaces() {
  const sheet = document.getElementById("places-sheet");
  const list = h("div", { class: "places" });
  sheet.replaceChildren(
    h("header", { class: "drawer-head" }, h("h2", {}, "Chats and teams"),
      h("button", { class: "icon-button", type: "button", "aria-label": "Close", onclick: () => sheet.close() }, icon("close"))),
    list);
  fill(list, store.state);
  sheet.showModal();
}
