// What left for Graph, delivery by delivery.
import { h, icon } from "./dom.js";
import { plural } from "./format.js";
import { currentView, onView } from "./views.js";
import { store } from "./store.js";

const WORDS = { 0: "no answer", 200: "fine", 202: "accepted", 204: "accepted", 400: "not valid", 401: "not signed in", 403: "refused", 404: "not found", 409: "conflict", 412: "token too short", 429: "throttled", 500: "error", 502: "error", 503: "unavailable", 504: "too late" };
const clock = new Intl.DateTimeFormat("en-US", { hour: "numeric", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
let drawn = "";
const opened = new Map();

export function setUpRequests() {
  onView(() => store.state && drawRequests(store.state));
}

export function drawRequests(state) {
  if (currentView() !== "requests") return;
  const signature = JSON.stringify(state.timeline);
  if (signature === drawn) return;
  drawn = signature;
  const place = document.getElementById("view-requests");
  const sends = state.timeline.filter((group) => group.kind !== "read");
  place.replaceChildren(
    h("header", { class: "view-head" }, h("h1", {}, "Requests"), h("small", {}, sends.length ? plural(sends.length, "delivery", "deliveries") : "")),
    state.timeline.length ? h("div", { class: "requests" }, state.timeline.map(drawGroup)) : nothing());
}

function nothing() {
  return h("div", { class: "empty" }, icon("pulse", 48), h("h2", {}, "Nothing has left yet"),
    h("p", {}, "Every request to Microsoft Graph is listed here, delivery by delivery, with its answer, its id and what was tried again."));
}

function drawGroup(group) {
  const isOpen = opened.get(group.id) ?? group.kind !== "read";
  const details = h("details", { class: "delivery", "data-kind": group.kind, open: isOpen, ontoggle: () => opened.set(group.id, details.open) },
    h("summary", {}, icon("down", 16), h("span", { class: "person-text" }, h("h2", {}, group.title), h("small", {}, `${group.person} · ${plural(group.calls.length, "request", "requests")}${group.kind === "read" ? "" : ` · ${group.accepted} accepted`}`)),
      h("time", { datetime: group.at }, clock.format(new Date(group.at)))),
    h("ol", { class: "calls" }, group.calls.map(drawCall)));
  return details;
}

function drawCall(call) {
  const word = call.answered ? WORDS[call.status] ?? "refused" : "no answer";
  const tone = call.answered && call.status >= 200 && call.status < 300 ? "good" : "bad";
  return h("li", { class: "call" },
    h("time", { datetime: call.at }, clock.format(new Date(call.at))),
    h("span", { class: `status ${tone}` }, `${call.answered ? call.status || "" : ""} ${word}`.trim()),
    h("span", { class: "call-text" },
      h("span", { class: "path" }, `${call.method} ${call.path}`),
      h("small", {}, [call.to.join(", "), call.attempt > 1 ? `attempt ${call.attempt}` : "", call.code, !call.answered && call.took_effect ? "it took effect all the same" : ""].filter(Boolean).join(" · ")),
      h("small", { class: "mono" }, `request-id ${call.request_id}`)));
}
