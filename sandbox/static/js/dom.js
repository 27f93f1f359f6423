// Small ways to make elements. Text always goes in as text, never as markup.

export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") element.style.cssText = value;
    else if (name in element && typeof value === "boolean") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const PATHS = {
  bell: "M12 3a6 6 0 0 0-6 6v3.600L4.500 16h15L18 12.600V9a6 6 0 0 0-6-6zM9.500 19a2.600 2.600 0 0 0 5 0",
  chat: "M5 4.500h14a1.500 1.500 0 0 1 1.500 1.500v9a1.500 1.500 0 0 1-1.500 1.500h-7L7.500 20v-3.500H5A1.500 1.500 0 0 1 3.500 15V6A1.500 1.500 0 0 1 5 4.500zM8 9h8M8 12.500h5",
  phone: "M8 2.500h8A1.500 1.500 0 0 1 17.500 4v16a1.500 1.500 0 0 1-1.500 1.500H8A1.500 1.500 0 0 1 6.500 20V4A1.500 1.500 0 0 1 8 2.500zM10.500 18.500h3",
  sliders: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.800a2.200 2.200 0 1 1 0 4.400 2.200 2.200 0 0 1 0-4.400zM9 14.800a2.200 2.200 0 1 1 0 4.400 2.200 2.200 0 0 1 0-4.400z",
  moon: "M19.500 14.500A8 8 0 0 1 9.500 4.500a8 8 0 1 0 10 10z",
  sun: "M12 7.500a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9zM12 1.800v2.400M12 19.800v2.400M1.800 12h2.400M19.800 12h2.400M4.800 4.800l1.700 1.700M17.500 17.500l1.700 1.700M19.200 4.800l-1.700 1.700M6.500 17.500l-1.700 1.700",
  send: "M4 4.500 20.500 12 4 19.500l2-7.500zM6 12h8",
  close: "M6 6l12 12M18 6 6 18",
  down: "M6 9.500l6 6 6-6",
  link: "M10 14a4 4 0 0 0 5.700 0l3-3a4 4 0 0 0-5.700-5.700l-1 1M14 10a4 4 0 0 0-5.700 0l-3 3a4 4 0 0 0 5.700 5.700l1-1",
  plus: "M12 5v14M5 12h14",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  search: "M11 4.500a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM16 16l4.500 4.500",
  hash: "M9.500 4 7.500 20M16.500 4l-2 16M4.500 9h16M3.500 15h16",
  list: "M4 6.500h16M4 12h16M4 17.500h16",
  reply: "M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6",
  pulse: "M3 12h4l3-8 4 16 3-8h4",
  cards: "M4 5.500h16v5H4zM4 13.500h16v5H4z",
  reset: "M4.500 12a7.500 7.500 0 1 0 2.500-5.600M4.500 4v4.500H9",
  check: "M5 12.500l4.500 4.500L19 7.500",
};

export function icon(name, size = 20) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("width", size);
  svg.setAttribute("height", size);
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

const HUES = [262, 199, 152, 28, 338, 220];

export function avatar(person, size = 32, index = 0) {
  const initials = person.name.split(" ").map((part) => part[0]).slice(0, 2).join("");
  const hue = HUES[index % HUES.length];
  return h("span", { class: "avatar", "aria-hidden": "true", style: `--hue:${hue};--size:${size}px` }, initials);
}

export function badge(count) {
  return count > 0 ? h("span", { class: "badge", "aria-label": `${count} unread` }, String(count)) : null;
}
