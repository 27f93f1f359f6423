// The sign-in window, and this page as its parent in the protocol of Microsoft's teams-js.
import { h, icon } from "./dom.js";
import { personPath, post } from "./api.js";
import { act, store } from "./store.js";
import { problem, toast } from "./toasts.js";

const RUNTIME = JSON.stringify({ apiVersion: 4, hostVersionsInfo: {}, isLegacyTeams: false, supports: {} });
const FEATURES = "popup,width=520,height=680";
let open = null;

// `finish(code)` takes the window's code; without it the bot gets it, in the chat `place`.
// `fail(reason, title, text)` hears of every other end, by the names that teams-js has for them.
export function openSignIn(link, { place = "", finish = null, fail = say } = {}) {
  open?.window.close();
  const popup = window.open(local(link), "herald-sign-in", FEATURES);
  if (!popup) {
    fail("FailedToOpenWindow", "The sign-in window was blocked", "Allow pop-up windows for this page and try again.");
    return;
  }
  const attempt = { window: popup, person: store.state.me, finished: false, fail };
  attempt.finish = finish ?? ((code) => verify(attempt, code, place));
  open = attempt;
  watch(attempt);
}

function say(_reason, title, text) {
  problem(title, text);
}

// Entra's pages come through this page's server: no browser knows the sandbox's certificates.
export function local(link) {
  const entra = store.state?.entra_url;
  return entra && link.startsWith(`${entra}/`) ? link.slice(entra.length) : link;
}

export function openLink(link) {
  let address;
  try {
    address = new URL(local(link), location.href);
  } catch {
    return;
  }
  if (address.hostname === "teams.microsoft.com") {
    toast({ title: "In Teams, this opens", text: address.href });
  } else if (["http:", "https:", "mailto:"].includes(address.protocol)) {
    window.open(address.href, "_blank", "noopener");
  }
}

function watch(attempt) {
  const timer = setInterval(() => {
    if (!attempt.window.closed) return;
    clearInterval(timer);
    if (!attempt.finished) attempt.fail("CancelledByUser", "Sign-in was not finished", "The window was closed before the end.");
  }, 500);
}

window.addEventListener("message", (event) => {
  const attempt = open;
  if (!attempt || event.source !== attempt.window || event.origin !== location.origin) return;
  const { id, uuidAsString, func, args } = event.data ?? {};
  const answers = {
    initialize: () => reply(["authentication", "web", RUNTIME, "2.31.0"]),
    "authentication.authenticate.success": () => end(attempt, String(args?.[0] ?? "")),
    "authentication.authenticate.failure": () => refused(attempt, String(args?.[0] ?? "")),
  };
  // Whatever else the library asks (telemetry, app loaded) needs no answer.
  answers[func]?.();

  function reply(values) {
    attempt.window.postMessage({ id, uuidAsString, args: values }, location.origin);
  }
});

function end(attempt, code) {
  attempt.finished = true;
  attempt.finish(code);
}

async function verify(attempt, code, place) {
  const answer = await post(personPath(attempt.person, "verify"), { code, place });
  if (answer.late || answer.status === 0 || answer.status >= 400) {
    problem("Sign-in did not work", "Please try it again.");
  }
}

function refused(attempt, reason) {
  attempt.finished = true;
  attempt.fail(reason, "Sign-in was cancelled", reason);
}

export function signInCard({ text, title, link, exchanges }, messageId, place) {
  return h("div", { class: "card sign-in" },
    text && h("p", {}, text),
    h("button", { type: "button", class: "primary", onclick: press }, icon("link", 16), title));

  // In a group chat one's own token comes first; the window, where there is none to be had.
  async function press() {
    if (exchanges) {
      const answer = await act("exchange", { message_id: messageId }).catch(() => ({ status: 0 }));
      if (answer.status === 200) return;
    }
    openSignIn(link, { place: place.id });
  }
}
