// What is wrong with each sample card of the gallery, as sentences; nothing, when all is well.
() => [...document.querySelectorAll("#view-cards .sample")].flatMap((sample) => {
  const faults = [];
  const card = sample.querySelector(".card");
  const box = card.getBoundingClientRect();
  const say = (text) => faults.push(`${sample.dataset.card}, ${sample.dataset.sample}: ${text}`);

  const over = card.scrollWidth - card.clientWidth;
  if (over > 1) say(`scrolls sideways by ${over}`);
  for (const control of card.querySelectorAll("button, input, select, textarea, a[href]")) {
    const place = control.getBoundingClientRect();
    const words = control.getAttribute("aria-label") || control.textContent || control.type;
    const outside = place.left < box.left - 1 || place.right > box.right + 1;
    if (place.width && outside) say(`"${words}" reaches beyond the card`);
    if (control.tagName === "BUTTON" && control.scrollWidth > control.clientWidth + 1) say(`"${words}" is cut`);
    if (place.width && (control.disabled || control.tabIndex < 0)) say(`"${words}" is not reached by keyboard`);
  }
  for (const input of card.querySelectorAll("input, select, textarea")) {
    if (!nameOf(input)) say(`an input (${input.type}) has no label`);
  }
  for (const picture of card.querySelectorAll("img")) {
    if (!picture.alt) say("a picture has no text");
  }
  const headings = [...card.querySelectorAll("[role=heading]")];
  const levels = headings.map((heading) => Number(heading.getAttribute("aria-level")));
  if (!levels.length) say("has no heading");
  levels.forEach((level, index) => {
    if (index && level > levels[index - 1] + 1) say(`heading of level ${level} after ${levels[index - 1]}`);
  });
  return faults;

  function nameOf(input) {
    const ids = (input.getAttribute("aria-labelledby") ?? "").split(" ");
    const texts = ids.map((id) => document.getElementById(id)?.textContent ?? "");
    const labels = [...(input.labels ?? [])].map((label) => label.textContent);
    return (input.getAttribute("aria-label") ?? "") + [...texts, ...labels].join("").trim();
  }
})
