// What can be done with a team: another name, and taking it away with all that was said in it.
import { h, icon } from "./dom.js";
import { post } from "./api.js";
import { menuButton } from "./menu.js";
import { store } from "./store.js";
import { problem, toast } from "./toasts.js";

const LONGEST_NAME = 50;
const dialog = () => document.getElementById("team-dialog");

export function teamMenu(team) {
  return menuButton({
    label: `More about the team ${team.name}`, content: icon("more", 18),
    items: () => [
      { title: "Rename team", choose: () => askForName(team) },
      { title: "Delete team", text: "Its channels and what was posted there are gone.", choose: () => askToDelete(team) },
    ],
  });
}

function askForName(team) {
  const box = h("input", { type: "text", id: "team-name", required: true, maxlength: LONGEST_NAME, autocomplete: "off", value: team.name });
  const rename = () => box.value.trim() && box.value.trim() !== team.name ? change(team, { name: box.value.trim() }) : dialog().close();
  ask("Rename team", rename, "Rename", h("label", { for: "team-name" }, "Name"), box);
  box.select();
}

function askToDelete(team) {
  const remove = async () => {
    await change(team, { deleted: true });
    toast({ title: `${team.name} was deleted`, text: "What Herald still has to say about it comes to the sender's own chat." });
  };
  ask("Delete team", remove, "Delete", h("p", {}, `Delete ${team.name} with everything in it? Only “Start over” brings it back.`));
}

function ask(title, doing, word, ...content) {
  const button = h("button", { type: "submit", class: "primary" }, word);
  const form = h("form", { class: "team-form", onsubmit: submit }, content,
    h("p", { class: "closing-line" }, h("button", { type: "button", class: "secondary", onclick: () => dialog().close() }, "Cancel"), button));
  dialog().setAttribute("aria-label", title);
  dialog().replaceChildren(
    h("header", { class: "drawer-head" }, h("h2", {}, title),
      h("button", { class: "icon-button", type: "button", "aria-label": "Close", onclick: () => dialog().close() }, icon("close"))),
    form);
  dialog().showModal();
  form.querySelector("input, [type=submit]").focus();

  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    try {
      await doing();
    } catch {
      problem(`${title} did not work`, "Please try it again.");
    }
    button.disabled = false;
  }
}

async function change(team, what) {
  await post(`teams/${team.id}`, { person: store.state.me, ...what });
  dialog().close();
}
