// The last snapshot, which chat or channel is open, and who is told of the next.
import { listen, personPath, post } from "./api.js";

const listeners = [];
let messages = new Map();
let close = () => {};
let generation = 0;

export const store = { state: null, before: null, connected: false, placeId: "" };

export function subscribe(listener) {
  listeners.push(listener);
}

export const me = () => store.state.people.find((person) => person.id === store.state.me);
export const indexOf = (id) => store.state.people.findIndex((person) => person.id === id);
export const personOf = (id) => store.state?.people.find((person) => person.id === id);
export const ownChat = () => store.state.places[0];
// The open one; one's own chat where that is gone, or is not open to this person.
export const currentPlace = () => store.state.places.find((place) => place.id === store.placeId) ?? ownChat();

export function openPlace(placeId) {
  store.placeId = placeId;
  sessionStorage.setItem("place", placeId);
  if (store.state) tell();
}

export function become(personId) {
  close();
  const mine = ++generation;
  messages = new Map();
  store.before = null;
  store.state = null;
  localStorage.setItem("person", personId);
  close = listen(
    personId,
    (snapshot) => mine === generation && take(snapshot),
    (connected) => mine === generation && connection(connected),
  );
  post(personPath(personId, "open")).catch(() => {});
}

// What a person does: `act("say", {…})`, as whoever is at the keyboard.
export const act = (what, body) => post(personPath(store.state.me, what), body);

function take(snapshot) {
  // What did not change since comes as an id alone.
  const kept = new Map();
  for (const place of snapshot.places) {
    place.messages = place.messages.map((message) => (message.digest ? message : messages.get(message.id))).filter(Boolean);
    for (const message of place.messages) kept.set(message.id, message);
  }
  messages = kept;
  snapshot.timeline ??= store.state?.timeline ?? [];
  store.before = store.state;
  store.state = snapshot;
  tell();
}

function connection(connected) {
  if (connected) {
    // A stream that comes back sends everything anew.
    messages = new Map();
  }
  store.connected = connected;
  if (store.state) tell();
}

function tell() {
  for (const listener of listeners) listener(store.state, store.before);
}
