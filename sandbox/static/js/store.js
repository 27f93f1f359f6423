// The last snapshot, and who is told of the next.
import { listen, personPath, post } from "./api.js";

const listeners = [];
let messages = new Map();
let close = () => {};
let generation = 0;

export const store = { state: null, before: null, connected: false };

export function subscribe(listener) {
  listeners.push(listener);
}

export const me = () => store.state.people.find((person) => person.id === store.state.me);
export const indexOf = (id) => store.state.people.findIndex((person) => person.id === id);

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

function take(snapshot) {
  // What did not change since comes as an id alone.
  const kept = new Map();
  for (const message of snapshot.chat.messages) {
    kept.set(message.id, message.digest ? message : messages.get(message.id));
  }
  messages = kept;
  snapshot.chat.messages = [...kept.values()].filter(Boolean);
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
