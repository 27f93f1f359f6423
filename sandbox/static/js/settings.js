// What can go wrong, at the flick of a switch.
import { h, icon } from "./dom.js";
import { personPath, post } from "./api.js";
import { me, store } from "./store.js";

const FAULTS = [
  ["throttled", "Graph throttles every send (429)"],
  ["offline", "Graph can't be reached"],
  ["unavailable", "Graph is unavailable (503)"],
  ["hang", "Graph takes a send, its answer is lost"],
  ["skip_not_installed", "Bulk sends skip people without the app"],
  ["duplicate_app", "Another app shares the Entra app (409)"],
  ["entra_down", "Entra is unavailable"],
  ["short_tokens", "Tokens live only 30 minutes"],
  ["exchange_mute", "Silent sign-in never comes"],
];

const dialog = () => document.getElementById("settings");

export function settingsButton() {
  return h("button", { class: "icon-button", type: "button", id: "gear", "aria-label": "Sandbox settings", title: "Sandbox settings", onclick: open }, icon("sliders"));
}

function open() {
  draw();
  dialog().showModal();
}

export function drawSettings() {
  if (dialog().open) draw();
}

function draw() {
  const { state } = store;
  const person = me();
  const signature = JSON.stringify([state.faults, state.tenant_consents, person.id, person.consents, person.has_app, person.has_premium]);
  if (dialog().dataset.signature === signature && dialog().childElementCount) return;
  dialog().dataset.signature = signature;
  const focused = document.activeElement?.id;
  dialog().replaceChildren(
    h("header", { class: "drawer-head" }, h("h2", {}, "What if…"),
      h("button", { class: "icon-button", type: "button", "aria-label": "Close", onclick: () => dialog().close() }, icon("close"))),
    group("Services", FAULTS.map(([name, label]) => toggle(`fault-${name}`, label, state.faults[name], (on) => post("faults", { [name]: on })))
      .concat(number("slow_s", "Graph answers late by", "seconds", state.faults.slow_s))),
    group(person.name, personal(state, person)),
    group("The administrator approved", state.permissions.admin.map((name) =>
      toggle(`admin-${name}`, name, state.tenant_consents.includes(name), (on) => post("consents", { consents: changed(state.tenant_consents, name, on) })))));
  if (focused) document.getElementById(focused)?.focus();
}

function personal(state, person) {
  const set = (values) => post(personPath(person.id, "settings"), values);
  return [
    toggle("has-app", "Herald is installed", person.has_app, (on) => set({ has_app: on })),
    toggle("has-premium", "Has Teams Premium", person.has_premium, (on) => set({ has_premium: on })),
    ...state.permissions.user.map((name) => toggle(`consent-${name}`, `Consented to ${name}`, person.consents.includes(name),
      (on) => set({ consents: changed(person.consents, name, on) }))),
  ];
}

function changed(names, name, on) {
  return on ? [...names, name] : names.filter((other) => other !== name);
}

function group(title, rows) {
  return h("fieldset", {}, h("legend", {}, title), rows);
}

function toggle(id, label, on, change) {
  const box = h("input", { type: "checkbox", role: "switch", id, onchange: () => change(box.checked).catch(() => {}) });
  box.checked = Boolean(on);
  return h("label", { class: "switch", for: id }, h("span", {}, label), box);
}

function number(name, label, unit, value) {
  const box = h("input", { type: "number", min: "0", max: "60", step: "0.5", id: `fault-${name}`, value: String(value),
    onchange: () => post("faults", { [name]: Number(box.value) || 0 }).catch(() => {}) });
  return h("label", { class: "switch", for: box.id }, h("span", {}, label), h("span", { class: "with-unit" }, box, unit));
}
