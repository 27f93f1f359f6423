// A search command: what is typed is asked of the bot, and a result becomes a card in the draft.
import { h, icon } from "./dom.js";
import { problemOf, signInOf, WRONG } from "./answers.js";
import { openSignIn } from "./sign_in.js";
import { act } from "./store.js";

const PAUSE_MS = 250;
const dialog = () => document.getElementById("search-dialog");
let asked = 0;

export function openSearch(command, where, insert) {
  let timer = 0;
  const results = h("ul", { class: "results", "aria-label": "Results" });
  const line = h("p", { class: "card-says", role: "status" });
  const input = h("input", { type: "search", "aria-label": command.hint, placeholder: command.hint, autocomplete: "off",
    oninput: () => { clearTimeout(timer); timer = setTimeout(() => ask(""), PAUSE_MS); } });
  dialog().setAttribute("aria-label", command.title);
  dialog().replaceChildren(h("header", { class: "drawer-head" }, h("h2", {}, command.title),
    h("button", { class: "icon-button", type: "button", "aria-label": "Close", onclick: () => dialog().close() }, icon("close"))),
  h("div", { class: "search-line" }, icon("search", 18), input), line, results);
  dialog().showModal();
  input.focus();
  ask("");

  async function ask(state) {
    const mine = ++asked;
    results.classList.add("busy");
    try {
      const answer = await act("search", { ...where, command_id: command.id, query: input.value.trim(), state });
      if (mine === asked) read(answer);
    } catch {
      if (mine === asked) say(WRONG, "problem");
    }
    results.classList.remove("busy");
  }

  function read(answer) {
    results.replaceChildren();
    const problem = problemOf(answer);
    if (problem) return say(problem, "problem");
    const link = signInOf(answer);
    if (link) return say(h("button", { type: "button", class: "primary", onclick: () => openSignIn(link, { finish: ask }) }, "Sign in to search"));
    const { type, text, attachments = [] } = answer.body?.composeExtension ?? {};
    say(type === "message" ? text : attachments.length ? "" : "Nothing found.");
    results.append(...attachments.map((attachment) => h("li", {}, entry(attachment))));
    return undefined;
  }

  function entry(attachment) {
    const { title = "", subtitle = "", text = "" } = attachment.preview?.content ?? attachment.content ?? {};
    return h("button", { type: "button", class: "result", onclick: () => { dialog().close(); choose(attachment); } },
      h("img", { src: "/static/herald.svg", alt: "", width: 32, height: 32 }),
      h("span", { class: "person-text" }, h("b", {}, plain(title)), subtitle ? h("small", {}, plain(subtitle)) : null, text ? h("small", {}, plain(text)) : null));
  }

  // A preview with a tap asks the bot for the card of what was chosen.
  async function choose(attachment) {
    const tap = attachment.preview?.content?.tap;
    if (tap?.type !== "invoke") return insert(attachment);
    const answer = await act("select", { value: tap.value, place: where.place });
    return insert(answer.body?.composeExtension?.attachments?.[0] ?? attachment);
  }

  function say(what, tone = "neutral") {
    line.className = `card-says ${tone}`;
    line.replaceChildren(what ?? "");
  }
}

// A preview may carry HTML; only its words are shown here.
function plain(text) {
  return new DOMParser().parseFromString(String(text), "text/html").body.textContent;
}
