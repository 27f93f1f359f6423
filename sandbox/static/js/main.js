// Joins the parts of the page.
import { drawActivity, setUpActivity } from "./activity.js";
import { prepareCards } from "./card.js";
import { commandBox } from "./command_box.js";
import { attachToDraft, drawConversation, setUpConversation } from "./conversation.js";
import { setUpGallery } from "./gallery.js";
import { drawMe, drawPeople, meButton } from "./people.js";
import { drawPhones, unreadPhones } from "./phones.js";
import { drawPlaces } from "./places.js";
import { drawRequests, setUpRequests } from "./requests.js";
import { drawSettings, settingsButton } from "./settings.js";
import { become, me, store, subscribe } from "./store.js";
import { themeButton } from "./theme.js";
import { drawBadges, drawRail } from "./views.js";

document.getElementById("command-place").append(commandBox(attachToDraft));
document.getElementById("top-actions").append(themeButton(), settingsButton(), meButton());
setUpConversation();
setUpActivity();
setUpRequests();
setUpGallery();
drawRail();
await prepareCards();

subscribe((state, before) => {
  document.body.classList.toggle("offline", !store.connected);
  drawMe();
  drawPeople(state);
  drawConversation(state);
  drawPlaces(state);
  drawActivity(state, before);
  drawPhones(state, before);
  drawRequests(state);
  drawSettings();
  drawBadges({ activity: me().unread, phones: unreadPhones() });
});

const people = await (await fetch("/sandbox/people")).json();
const last = localStorage.getItem("person");
store.placeId = sessionStorage.getItem("place") ?? "";
become(people.includes(last) ? last : people[0]);

for (const dialog of document.querySelectorAll("dialog.drawer")) {
  // A click beside a drawer closes it.
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}
