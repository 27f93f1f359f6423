// Draws cards with Microsoft's own renderer and tells what it complains about.
//
// Reads {cards: {name: card}, texts: [...]} from standard input. Writes {cards: {name: {events,
// drawn, tags}}, texts: [tags, ...]}: `events` are parse and validation events, `drawn` counts the
// elements that the renderer made, `tags` are what markdown made of the card's texts besides
// paragraphs. The renderer needs a document to draw into; the one below keeps no more than that.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

const require = createRequire(import.meta.url);

class Node {
  constructor(tagName) {
    this.tagName = tagName.toUpperCase();
    this.children = [];
    this.attributes = {};
    this.style = { setProperty() {}, removeProperty() {} };
    this.parentElement = null;
    this.classList = { add() {}, remove() {}, toggle() {}, contains: () => false };
  }
  appendChild(child) {
    child.parentElement = this;
    this.children.push(child);
    return child;
  }
  append(...children) { children.forEach((child) => this.appendChild(child)); }
  insertBefore(child) { return this.appendChild(child); }
  removeChild(child) { this.children = this.children.filter((other) => other !== child); return child; }
  remove() {}
  replaceChild(child) { return this.appendChild(child); }
  contains() { return false; }
  setAttribute(name, value) { this.attributes[name] = String(value); }
  getAttribute(name) { return this.attributes[name] ?? null; }
  removeAttribute(name) { delete this.attributes[name]; }
  hasAttribute(name) { return name in this.attributes; }
  addEventListener() {}
  removeEventListener() {}
  focus() {}
  getElementsByTagName() { return []; }
  getElementsByClassName() { return []; }
  querySelectorAll() { return []; }
  querySelector() { return null; }
  getBoundingClientRect() { return { width: 600, height: 20, left: 0, top: 0, right: 600, bottom: 20 }; }
  get parentNode() { return this.parentElement; }
  get firstChild() { return this.children[0] ?? null; }
  get lastChild() { return this.children.at(-1) ?? null; }
  get firstElementChild() { return this.firstChild; }
  get lastElementChild() { return this.lastChild; }
  get childNodes() { return this.children; }
  get offsetWidth() { return 600; }
  get clientWidth() { return 600; }
}

const elements = [];
for (const name of ["HTMLElement", "HTMLInputElement", "HTMLSelectElement", "HTMLTextAreaElement", "HTMLButtonElement"]) {
  globalThis[name] = Node;
}
globalThis.document = {
  createElement: (tagName) => { const made = new Node(tagName); elements.push(made); return made; },
  body: new Node("body"),
  documentElement: new Node("html"),
  getElementById: () => null,
  activeElement: null,
};
globalThis.window = globalThis;
globalThis.self = globalThis;

const AdaptiveCards = require("../../node_modules/adaptivecards/dist/adaptivecards.js");
const MarkdownIt = require("markdown-it");
const markdown = new MarkdownIt();
const hostConfig = JSON.parse(readFileSync(
  new URL("../../node_modules/adaptivecards-designer/lib/hostConfigs/microsoft-teams-light.json", import.meta.url),
  "utf8",
));

function tagsOf(text) {
  const all = markdown.parse(text, {}).flatMap((token) => [token, ...(token.children ?? [])]);
  return [...new Set(all.map((token) => token.tag).filter((tag) => tag && tag !== "p"))];
}

function draw(json) {
  const tags = new Set();
  AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
    tagsOf(text).forEach((tag) => tags.add(tag));
    result.outputHtml = markdown.render(text);
    result.didProcess = true;
  };
  elements.length = 0;
  const card = new AdaptiveCards.AdaptiveCard();
  card.hostConfig = new AdaptiveCards.HostConfig(hostConfig);
  const context = new AdaptiveCards.SerializationContext();
  card.parse(json, context);
  const events = [];
  for (let index = 0; index < context.eventCount; index++) {
    events.push(context.getEventAt(index).message);
  }
  // The renderer tests `lang` with a global regular expression: every second card fails there.
  const languages = events.indexOf(`Invalid value "${json.lang}" for property "lang".`);
  if (languages >= 0 && /^[a-z]{2,3}$/.test(json.lang)) events.splice(languages, 1);
  card.validateProperties().validationEvents.forEach((event) => events.push(event.message));
  const drawn = card.render();
  tagsOf(json.fallbackText).forEach((tag) => tags.add(tag));
  return { events, drawn: drawn ? elements.length : 0, tags: [...tags] };
}

const asked = JSON.parse(readFileSync(0, "utf8"));
const cards = Object.fromEntries(Object.entries(asked.cards).map(([name, json]) => [name, draw(json)]));
process.stdout.write(JSON.stringify({ cards, texts: asked.texts.map(tagsOf) }));
