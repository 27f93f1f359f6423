// What has the focus: its name for a screen reader, and whether the focus can be seen; or null.
() => {
  const at = document.activeElement;
  if (at === document.body) return null;
  const ids = (at.getAttribute("aria-labelledby") ?? "").split(" ");
  const texts = ids.map((id) => document.getElementById(id)?.textContent ?? "").join(" ").trim();
  const labels = [...(at.labels ?? [])].map((label) => label.textContent).join(" ");
  const name = at.getAttribute("aria-label") || texts || labels || at.textContent.trim();
  // Boxes with more than a line in them show it around all they hold.
  const around = at.closest(".compose-line, .command-box, .picker, .search-line");
  const style = getComputedStyle(at);
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  return { name, seen: outlined || Boolean(around?.matches(":focus-within")) };
}
