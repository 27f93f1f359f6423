// Banners in the corner, as Teams shows them.
import { h, icon } from "./dom.js";

const SHOWN_MS = 7000;

export function toast({ title, text = "", picture = null, tone = "neutral", onOpen = null }) {
  const box = document.getElementById("toasts");
  const body = h("div", { class: "toast-body" }, h("b", {}, title), text && h("span", {}, text));
  const closer = h("button", { class: "icon-button", type: "button", "aria-label": "Close", onclick: remove }, icon("close", 16));
  const open = onOpen && h("button", { class: "toast-open", type: "button", "aria-label": `Open: ${title}`, onclick: () => { remove(); onOpen(); } });
  const element = h("div", { class: `toast ${tone}` }, picture, body, open, closer);
  box.append(element);
  const timer = setTimeout(remove, SHOWN_MS);
  function remove() {
    clearTimeout(timer);
    element.remove();
  }
}

export const problem = (title, text = "") => toast({ title, text, tone: "problem" });
