// Joins the parts of the page.
import { drawActivity, setUpActivity } from "./activity.js";
import { prepareCards } from "./card.js";
import { drawChat, setUpChat } from "./chat.js";
import { drawMe, drawPeople, meButton } from "./people.js";
import { drawPhones, unreadPhones } from "./phones.js";
import { drawSettings, settingsButton } from "./settings.js";
import { become, me, store, subscribe } from "./store.js";
import { themeButton } from "./theme.js";
import { drawBadges, drawRail } from "./views.js";

document.getElementById("top-actions").append(themeButton(), settingsButton(), meButton());
setUpChat();
setUpActivity();
drawRail();
await prepareCards();

subscribe((state, before) => {
  document.body.classList.toggle("offline", !store.connected);
  drawMe();
  drawPeople(state);
  drawChat(state);
  drawActivity(state, before);
  drawPhones(state, before);
  drawSettings();
  drawBadges({ activity: me().unread, phones: unreadPhones() });
});

const people = await (await fetch("/sandbox/people")).json();
const last = localStorage.getItem("person");
become(people.includes(last) ? last : people[0]);

for (const dialog of document.querySelectorAll("dialog")) {
  // A click beside a dialog closes it.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}
