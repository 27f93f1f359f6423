// Adaptive Cards, drawn by Microsoft's renderer with the Teams host configuration.
import { h } from "./dom.js";
import { registerPicker, withPickers } from "./picker.js";
import { theme } from "./theme.js";

const hostConfigs = {};
// The published configuration is older than Teams' present look: its coloured containers are made
// for light pages only, and its lines for a white one. These are quiet in both.
const TINTS = {
  light: { good: "#e6f4ea", attention: "#fdebee", warning: "#fdf3d9", accent: "#e9e9fb", line: "#e1e1ea" },
  dark: { good: "#21392b", attention: "#47262d", warning: "#42381d", accent: "#34355c", line: "#43434e" },
};

export async function prepareCards() {
  const { AdaptiveCards, markdownit, DOMPurify } = window;
  for (const name of ["light", "dark"]) {
    const config = await (await fetch(`/vendor/teams-${name}.json`)).json();
    hostConfigs[name] = tinted(config, TINTS[name]);
  }
  const markdown = markdownit({ html: false, linkify: false });
  AdaptiveCards.AdaptiveCard.onProcessMarkdown = (text, result) => {
    result.outputHtml = DOMPurify.sanitize(markdown.render(text));
    result.didProcess = true;
  };
  // So that an action keeps its fallback, which the renderer itself has no use for.
  AdaptiveCards.GlobalSettings.enableFullJsonRoundTrip = true;
  registerPicker();
}

function tinted(config, { line, ...tints }) {
  config.fontTypes.default.fontFamily = "var(--font)";
  config.separator.lineColor = line;
  const { foregroundColors } = config.containerStyles.default;
  for (const [style, backgroundColor] of Object.entries(tints)) {
    config.containerStyles[style] = { ...config.containerStyles[style], backgroundColor, foregroundColors };
  }
  return config;
}

export function renderMarkdown(text) {
  const { markdownit, DOMPurify } = window;
  const html = markdownit({ html: false, linkify: true, breaks: true }).render(text);
  const element = h("div", { class: "markdown" });
  element.append(DOMPurify.sanitize(html, { RETURN_DOM_FRAGMENT: true }));
  return element;
}

export class CardView {
  // `onAction(action, inputs)` gets the action's JSON and the values of the inputs it sends.
  // `origin` is where the card is: {messageId, placeId, dialog}; typeahead asks from there.
  constructor(json, onAction, origin = {}) {
    this.json = json;
    this.origin = origin;
    this.signature = JSON.stringify(json);
    this.onAction = onAction;
    // A form of its own: the renderer names radio buttons by their input, and those of two cards
    // would unselect each other.
    this.element = h("form", { class: "card", novalidate: "" });
    this.element.addEventListener("submit", (event) => event.preventDefault());
    this.render({});
  }

  render(values) {
    const { AdaptiveCards } = window;
    const card = new AdaptiveCards.AdaptiveCard();
    card.origin = this.origin;
    card.hostConfig = new AdaptiveCards.HostConfig(hostConfigs[this.origin.scheme ?? theme()]);
    card.onExecuteAction = (action) => this.onAction(action.toJSON(), referenced(action));
    card.parse(withValues(withPickers(this.json), values));
    const drawn = card.render();
    this.card = card;
    this.element.replaceChildren(...(drawn ? [drawn] : [h("p", {}, "This card can't be shown.")]));
  }

  values() {
    const found = {};
    for (const input of this.card.getAllInputs()) {
      if (input.id && input.value !== undefined && input.value !== null) found[input.id] = String(input.value);
    }
    return found;
  }

  // Another theme: the same card with what was typed into it.
  redraw() {
    this.render(this.values());
  }

  busy(on) {
    this.element.classList.toggle("busy", on);
    this.element.toggleAttribute("inert", on);
    this.element.setAttribute("aria-busy", String(on));
  }
}

function referenced(action) {
  const values = {};
  const inputs = action.getReferencedInputs?.() ?? {};
  for (const input of Object.values(inputs)) {
    if (input.id && input.isSet()) values[input.id] = String(input.value);
  }
  return values;
}

function withValues(node, values) {
  if (Array.isArray(node)) return node.map((part) => withValues(part, values));
  if (node === null || typeof node !== "object") return node;
  const copy = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, withValues(value, values)]));
  if (String(node.type).startsWith("Input.") && node.id in values) copy.value = values[node.id];
  return copy;
}
