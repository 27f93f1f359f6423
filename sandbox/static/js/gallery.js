// Every card that Herald can send, with sample data, in light and dark, in each language.
import { h, icon } from "./dom.js";
import { CardView } from "./card.js";
import { plural } from "./format.js";
import { currentView, onView } from "./views.js";

const place = () => document.getElementById("view-cards");
let samples = null;
let chosen = { card: "", scheme: "both", language: "en", provoked: false };

export function setUpGallery() {
  onView(() => currentView() === "cards" && open());
}

async function open() {
  if (samples) return;
  place().replaceChildren(head(null), h("p", { class: "quiet loading" }, "Drawing the cards…"));
  const answer = await fetch("/sandbox/gallery");
  if (!answer.ok) {
    const why = await answer.text();
    place().replaceChildren(head(null), h("div", { class: "empty" }, icon("cards", 48), h("h2", {}, "The cards could not be drawn"), h("p", {}, why)));
    return;
  }
  samples = await answer.json();
  chosen.card = samples[0].card;
  draw();
}

function head(controls) {
  return h("header", { class: "view-head" }, h("h1", {}, "Cards"), controls);
}

function draw() {
  const cards = [...new Set(samples.map((sample) => sample.card))];
  const shown = samples.filter((sample) => sample.language === chosen.language && (!chosen.card || sample.card === chosen.card) && (chosen.provoked || !sample.provoked));
  const groups = cards.map((card) => [card, shown.filter((sample) => sample.card === card)]).filter(([, own]) => own.length);
  const focused = document.activeElement?.id;
  place().replaceChildren(head(controls(cards, shown.length)), h("div", { class: "gallery", "data-scheme": chosen.scheme }, groups.map(group)));
  if (focused) document.getElementById(focused)?.focus();
}

function controls(cards, count) {
  const card = h("select", { id: "gallery-card", "aria-label": "Card", onchange: () => set({ card: card.value }) },
    h("option", { value: "" }, "All cards"), cards.map((name) => h("option", { value: name, selected: name === chosen.card }, name)));
  const scheme = h("select", { id: "gallery-scheme", "aria-label": "Light or dark", onchange: () => set({ scheme: scheme.value }) },
    [["both", "Light and dark"], ["light", "Light"], ["dark", "Dark"]].map(([value, words]) => h("option", { value, selected: value === chosen.scheme }, words)));
  const languages = [...new Set(samples.map((sample) => sample.language))];
  const language = h("select", { id: "gallery-language", "aria-label": "Language", onchange: () => set({ language: language.value }) },
    languages.map((value) => h("option", { value, selected: value === chosen.language }, new Intl.DisplayNames([value], { type: "language" }).of(value))));
  const provoked = h("input", { type: "checkbox", id: "gallery-provoked", onchange: () => set({ provoked: provoked.checked }) });
  provoked.checked = chosen.provoked;
  return h("div", { class: "gallery-controls" }, card, scheme, language,
    h("label", { for: "gallery-provoked" }, provoked, "Hostile and huge ones too"), h("small", { role: "status" }, plural(count, "sample", "samples")));
}

function set(wish) {
  chosen = { ...chosen, ...wish };
  draw();
}

function group([card, own]) {
  return h("section", { "aria-label": card }, h("h2", {}, card), own.map(drawSample));
}

function drawSample(sample) {
  const schemes = chosen.scheme === "both" ? ["light", "dark"] : [chosen.scheme];
  return h("article", { class: "sample", "aria-label": `${sample.card}: ${sample.sample}`, "data-card": sample.card, "data-sample": sample.sample },
    h("h3", {}, sample.sample),
    h("div", { class: "schemes" }, schemes.map((scheme) => h("div", { class: "scheme", "data-theme": scheme }, new CardView(sample.payload, () => {}, { scheme }).element))));
}
