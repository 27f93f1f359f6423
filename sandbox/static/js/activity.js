// Activity feeds: one's own, and everybody's side by side.
import { avatar, badge, h } from "./dom.js";
import { personPath, post } from "./api.js";
import { timeOf } from "./format.js";
import { indexOf, me, store } from "./store.js";
import { toast } from "./toasts.js";
import { currentView, onView, show } from "./views.js";

let tab = "mine";
let drawn = "";
let looking = null; // whose feed is on the screen

export function setUpActivity() {
  onView(look);
}

export function drawActivity(state, before) {
  announce(state, before);
  look();
}

// What was unread stays marked while it is looked at; leaving the feed reads it.
function look() {
  const now = currentView() === "activity" && tab === "mine" && store.state ? store.state.me : null;
  if (looking && looking !== now) post(personPath(looking, "read")).catch(() => {});
  looking = now;
  draw();
}

function draw() {
  const { state } = store;
  if (!state) return;
  const signature = tab + state.me + JSON.stringify(state.people.map((person) => [person.id, person.feed]));
  if (signature === drawn) return;
  drawn = signature;
  document.getElementById("view-activity").replaceChildren(
    h("header", { class: "view-head" }, h("h1", {}, "Activity"), tabs()),
    tab === "mine" ? ownFeed(me()) : everybody(state.people));
}

function tabs() {
  const names = { mine: "Mine", everyone: "Everyone" };
  return h("div", { class: "tabs", role: "group", "aria-label": "Whose activity" }, Object.entries(names).map(([name, label]) =>
    h("button", { type: "button", "aria-pressed": String(tab === name), onclick: () => { tab = name; look(); document.querySelector(".tabs [aria-pressed=true]").focus(); } }, label)));
}

function ownFeed(person) {
  if (!person.feed.length) return empty("Nothing yet", "When a colleague notifies you through Herald, it shows here.");
  return h("ol", { class: "feed" }, person.feed.map((item) => feedItem(item)));
}

function everybody(people) {
  return h("div", { class: "feeds" }, [...people].sort((a, b) => (b.feed.length > 0) - (a.feed.length > 0)).map((person) => h("section", { class: "feed-column", "data-feed": person.name },
    h("h2", {}, avatar(person, 28, indexOf(person.id)), h("span", {}, person.name), badge(person.unread)),
    person.feed.length ? h("ol", { class: "feed" }, person.feed.map((item) => feedItem(item))) : h("p", { class: "quiet" }, "No notifications"))));
}

function feedItem(item) {
  const actor = store.state.people.find((person) => person.id === item.actor_id) ?? { name: "?" };
  return h("li", { class: `feed-item ${item.unread ? "unread" : ""}`, "data-type": item.activity_type },
    avatar(actor, 36, Math.max(0, indexOf(item.actor_id))),
    h("div", { class: "feed-text" },
      h("b", {}, item.text),
      item.preview && h("p", {}, item.preview),
      h("footer", {}, h("span", {}, "Herald"), item.topic && h("span", { class: "topic" }, item.topic), h("time", { datetime: item.at }, timeOf(item.at)),
        item.replaced ? h("span", { class: "tag" }, "Corrected") : null),
      item.link ? h("button", { type: "button", class: "link", onclick: () => lead(item) }, "Show where it leads") : null));
}

function lead(item) {
  toast({ title: item.topic || "In Teams, this opens", text: item.link });
}

function empty(title, text) {
  return h("div", { class: "empty" }, h("img", { src: "/static/herald.svg", alt: "", width: 56, height: 56 }), h("h2", {}, title), h("p", {}, text));
}

function announce(state, before) {
  if (!before || before.me !== state.me) return;
  const old = before.people.find((person) => person.id === state.me).feed;
  const known = new Set(old.map((item) => item.at + item.text));
  const fresh = me().feed.filter((item) => !known.has(item.at + item.text));
  for (const item of fresh.slice(0, 3)) {
    const actor = state.people.find((person) => person.id === item.actor_id);
    toast({ title: item.text, text: item.preview, picture: actor && avatar(actor, 36, indexOf(actor.id)), onOpen: () => show("activity") });
  }
}
