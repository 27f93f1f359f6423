// The menu of a message, with the extension's commands for messages.
import { icon } from "./dom.js";
import { commandsFor, runAction } from "./extension.js";
import { menuButton } from "./menu.js";

export function messageMenu(message, place) {
  const commands = commandsFor("message");
  if (!commands.length) return null;
  return menuButton({
    label: "More about this message", className: "icon-button message-menu", content: icon("more", 18),
    items: () => commands.map((command) => ({
      title: command.title, text: command.description,
      choose: () => runAction(command, { place: place.id, context: "message", message_id: message.id }),
    })),
  });
}
