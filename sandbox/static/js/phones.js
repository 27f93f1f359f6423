// Patients' phones. One lights up when a text comes, until somebody looks at it.
import { badge, h, icon } from "./dom.js";
import { post } from "./api.js";
import { phoneNumber, plural, timeOf } from "./format.js";
import { store } from "./store.js";

let drawn = "";
const RING_MS = 4000;

export function drawPhones(state, before) {
  const signature = JSON.stringify(state.phones);
  if (signature === drawn && before) return;
  drawn = signature;
  const phones = [...state.phones].sort((a, b) => b.texts.at(-1).at.localeCompare(a.texts.at(-1).at));
  const ringing = new Set(before ? phones.filter((phone) => isNew(phone, before)).map((phone) => phone.number) : []);
  for (const [id, level, title] of [["side", "h2", "Patients' phones"], ["view-phones", "h1", "Phones"]]) {
    const place = document.getElementById(id);
    place.replaceChildren(h("header", { class: "view-head" }, h(level, {}, title), counted(phones)), grid(phones, ringing));
    for (const screen of place.querySelectorAll(".screen")) screen.scrollTop = screen.scrollHeight;
  }
}

function isNew(phone, before) {
  const old = before.phones.find((other) => other.number === phone.number);
  return phone.texts.length > (old?.texts.length ?? 0);
}

function counted(phones) {
  const texts = phones.reduce((sum, phone) => sum + phone.texts.length, 0);
  return texts ? h("small", {}, `${plural(texts, "text", "texts")} on ${plural(phones.length, "phone", "phones")}`) : null;
}

function grid(phones, ringing) {
  if (!phones.length) {
    return h("div", { class: "empty" }, icon("phone", 48), h("h2", {}, "No texts yet"),
      h("p", {}, "When Herald texts a patient, that patient's phone appears here and lights up."));
  }
  return h("div", { class: "phones" }, phones.map((phone) => drawPhone(phone, ringing.has(phone.number))));
}

function drawPhone(phone, ringing) {
  const label = `Phone ${phoneNumber(phone.number)}, ${plural(phone.unread, "new text", "new texts")}`;
  const element = h("button", {
    type: "button", class: `phone ${phone.unread ? "lit" : ""} ${ringing ? "ringing" : ""}`,
    "data-number": phone.number, "aria-label": label, onclick: () => look(phone.number),
  },
  h("span", { class: "phone-head" }, h("b", {}, phoneNumber(phone.number)), badge(phone.unread)),
  h("span", { class: "screen" }, h("span", { class: "sender" }, "Contoso Clinic"), phone.texts.map(drawText)));
  if (ringing) setTimeout(() => element.classList.remove("ringing"), RING_MS);
  return element;
}

function drawText(text) {
  return h("span", { class: `sms ${text.message_type}`, lang: text.language || null },
    h("span", { class: "sms-body" }, withShortLinks(text.body)), h("time", { datetime: text.at }, timeOf(text.at)));
}

// A phone shows a long link by its beginning; the whole one is its title.
function withShortLinks(body) {
  return body.split(/(https?:\/\/\S+)/).map((part, index) => {
    if (index % 2 === 0) return part;
    const whole = part.replace(/^https?:\/\//, "");
    return h("span", { class: "sms-link", title: part }, whole.length > 34 ? `${whole.slice(0, 33)}…` : whole);
  });
}

function look(number) {
  post(`phones/${encodeURIComponent(number)}/read`).catch(() => {});
}

export const unreadPhones = () => store.state.phones.reduce((sum, phone) => sum + phone.unread, 0);
