// Draws a message whose card somebody types into, and draws it again as an edited one.
async () => {
  const { MessageList } = await import("/static/js/messages.js");
  const host = document.body.appendChild(document.createElement("div"));
  const card = { type: "AdaptiveCard", version: "1.5", body: [{ type: "Input.Text", id: "words", label: "Words" }] };
  const message = { id: "typing", digest: "1", from_bot: true, author: "Herald", author_id: "", at: new Date().toISOString(), text: "", card, refresh: null };
  const place = { id: "typing", kind: "chat" };
  const list = new MessageList();
  list.fill(host, [message], place);
  const input = host.querySelector("input");
  input.focus();
  input.value = "Good mor";
  list.fill(host, [{ ...message, digest: "2", edited: true }], place);
  const found = host.querySelector("input");
  const seen = { same: found === input, focused: document.activeElement === input, typed: found.value };
  host.remove();
  return seen;
}
