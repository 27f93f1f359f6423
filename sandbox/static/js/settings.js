// What can go wrong, at the flick of a switch; and a new start.
import { h, icon } from "./dom.js";
import { personPath, post } from "./api.js";
import { me, store } from "./store.js";
import { problem, toast } from "./toasts.js";

const GRAPH = [
  ["throttled", "Graph throttles every send (429)"],
  ["offline", "Graph can't be reached"],
  ["unavailable", "Graph is unavailable (503)"],
  ["hang", "Graph takes a send, its answer is lost"],
  ["skip_not_installed", "Bulk sends skip people without the app"],
  ["duplicate_app", "Another app shares the Entra app (409)"],
];
const ENTRA = [
  ["entra_down", "Entra is unavailable"],
  ["short_tokens", "Tokens live only 30 minutes"],
  ["exchange_mute", "Silent sign-in never comes"],
];
const POSTS = [
  [0, "may post"],
  [403, "isn't in that conversation (403)"],
  [404, "posts to what is gone (404)"],
  [429, "posts too much (429)"],
  [502, "is not heard at all (502)"],
];

const dialog = () => document.getElementById("settings");
// How long a throttled request waits is no fault of its own.
const isOn = (state) => Object.entries(state.faults).filter(([name, value]) => name !== "retry_after_s" && Number(value) > 0).length;

export function settingsButton() {
  return h("button", { class: "icon-button", type: "button", id: "gear", "aria-label": "Sandbox settings", title: "Sandbox settings", onclick: open }, icon("sliders"), h("span", { class: "badge-place" }));
}

function open() {
  draw();
  dialog().showModal();
}

export function drawSettings() {
  const count = isOn(store.state);
  const place = document.querySelector("#gear .badge-place");
  if (place.textContent !== String(count || "")) {
    place.replaceChildren(...(count ? [h("span", { class: "badge", "aria-label": `${count} faults are on` }, String(count))] : []));
  }
  if (dialog().open) draw();
}

function draw() {
  const { state } = store;
  const person = me();
  const signature = JSON.stringify([state.faults, state.tenant_consents, state.teams, person.id, person.consents, person.has_app, person.has_premium]);
  if (dialog().dataset.signature === signature && dialog().childElementCount) return;
  dialog().dataset.signature = signature;
  const focused = document.activeElement?.id;
  const fault = ([name, label]) => toggle(`fault-${name}`, label, state.faults[name], (on) => post("faults", { [name]: on }));
  dialog().replaceChildren(
    h("header", { class: "drawer-head" }, h("h2", {}, "What if…"),
      h("button", { class: "icon-button", type: "button", "aria-label": "Close", onclick: () => dialog().close() }, icon("close"))),
    group("Microsoft Graph", [...GRAPH.map(fault), number("slow_s", "Graph answers late by", state.faults.slow_s, 0.5), number("retry_after_s", "Throttled: try again after", state.faults.retry_after_s ?? 0, 1)]),
    group("Sign-in", ENTRA.map(fault)),
    group("What Herald posts in Teams", [
      choice("connector_refuses", "Teams says that Herald", state.faults.connector_refuses, POSTS),
      number("connector_slow_s", "Teams answers late by", state.faults.connector_slow_s, 0.5)]),
    group(person.name, personal(state, person)),
    group("The administrator approved", state.permissions.admin.map((name) =>
      toggle(`admin-${name}`, name, state.tenant_consents.includes(name), (on) => post("consents", { consents: changed(state.tenant_consents, name, on) })))),
    group("Teams", state.teams.filter((team) => !team.deleted).map((team) =>
      toggle(`team-${team.id}`, `Herald is in the team ${team.name}`, team.has_bot, (on) => post(`teams/${team.id}`, { person: person.id, has_bot: on })))),
    h("footer", { class: "reset" }, h("button", { type: "button", class: "secondary", id: "reset", onclick: reset }, icon("reset", 16), "Start over"),
      h("small", {}, "Puts everybody, every chat, phone and feed back, and lets Herald forget what it did.")));
  if (focused) document.getElementById(focused)?.focus();
}

async function reset() {
  const button = document.getElementById("reset");
  button.disabled = true;
  button.lastChild.textContent = "One moment…";
  try {
    await post("reset");
    // Everything on the page is of the world that is no more.
    location.reload();
  } catch {
    problem("Starting over did not work", "Stop the sandbox and start it again.");
    button.disabled = false;
  }
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

const notKept = () => toast({ title: "The change was not kept", text: "Please try it again.", tone: "problem" });

function toggle(id, label, on, change) {
  const box = h("input", { type: "checkbox", role: "switch", id, onchange: () => change(box.checked).catch(notKept) });
  box.checked = Boolean(on);
  return h("label", { class: "switch", for: id }, h("span", {}, label), box);
}

function choice(name, label, value, options) {
  const box = h("select", { id: `fault-${name}`, onchange: () => post("faults", { [name]: Number(box.value) }).catch(notKept) },
    options.map(([status, words]) => h("option", { value: status, selected: status === value }, words)));
  return h("label", { class: "switch", for: box.id }, h("span", {}, label), box);
}

function number(name, label, value, step) {
  const box = h("input", { type: "number", min: "0", max: "60", step: String(step), id: `fault-${name}`, value: String(value),
    onchange: () => post("faults", { [name]: Number(box.value) || 0 }).catch(notKept) });
  return h("label", { class: "switch", for: box.id }, h("span", {}, label), h("span", { class: "with-unit" }, box, "seconds"));
}
