"""The messaging extension: commands of the compose box, the command box and a message's menu."""

from typing import Any

from sandbox.activities import BOT_NAME
from sandbox.calls import Answer
from sandbox.conversation import Conversation, Message
from sandbox.message_payload import message_payload
from sandbox.teams_client import Client
from sandbox.world import Person

_CONTEXT = {"theme": "default"}
_PAGE = 25


class Compose(Client):
    """What people do with the extension, also where the bot is not a member."""

    async def compose(
        self,
        person: Person,
        command_id: str,
        conversation: Conversation | None = None,
        *,
        context: str = "compose",
        message_id: str | None = None,
        state: str = "",
    ) -> Answer:
        """Choose an action command (`composeExtension/fetchTask`).

        `context` is `compose`, `commandBox` or `message`, which `message_id` belongs to. As Teams
        does, an answer of `silentAuth` is followed by the same again with a token where one is to
        be had; `state` is the code that the pop-up after an `auth` gave back. Raises LookupError.
        """
        value = self._value(person, command_id, context, message_id)
        name = "composeExtension/fetchTask"
        return await self._signed_in(person, name, value, conversation, state)

    async def submit_compose(
        self,
        person: Person,
        command_id: str,
        data: Any,
        conversation: Conversation | None = None,
        *,
        context: str = "compose",
        message_id: str | None = None,
        state: str = "",
    ) -> Answer:
        """Submit an action command's dialog (`composeExtension/submitAction`)."""
        value = {**self._value(person, command_id, context, message_id), "data": data}
        name = "composeExtension/submitAction"
        return await self._signed_in(person, name, value, conversation, state)

    async def search(
        self,
        person: Person,
        command_id: str,
        query: str,
        conversation: Conversation | None = None,
        *,
        context: str = "compose",
        state: str = "",
    ) -> Answer:
        """Type into a search command (`composeExtension/query`); an empty query is the first run.

        Raises:
            LookupError: the manifest has no such command.
        """
        parameters = [{"name": self._parameter(command_id), "value": query}]
        value = {
            "commandId": command_id,
            "parameters": parameters if query else [{"name": "initialRun", "value": "true"}],
            "queryOptions": {"skip": 0, "count": _PAGE},
        }
        fields = {"channelData": {"source": {"name": context}}}
        name = "composeExtension/query"
        return await self._signed_in(person, name, value, conversation, state, **fields)

    async def select_item(
        self, person: Person, value: Any, conversation: Conversation | None = None
    ) -> Answer:
        """Choose a result whose preview has a tap (`composeExtension/selectItem`)."""
        return await self.invoke(person, "composeExtension/selectItem", value, conversation)

    def insert(
        self, person: Person, attachment: dict[str, Any], conversation: Conversation, text: str = ""
    ) -> Message:
        """Send a message with a card from the extension in it; the bot doesn't hear of it."""
        conversations = self.connector.conversations
        message_id = conversations.new_id()
        content = {name: attachment[name] for name in ("contentType", "content")}
        activity = {
            "type": "message",
            "id": message_id,
            "timestamp": self.world.now().isoformat(),
            "text": text,
            "textFormat": "plain",
            "attachments": [content],
            "via": BOT_NAME,
        }
        root_id = message_id if conversation.kind == "channel" else ""
        message = Message(message_id, activity, False, person.id, root_id)
        return conversations.add(conversation, message)

    def _value(
        self, person: Person, command_id: str, context: str, message_id: str | None
    ) -> dict[str, Any]:
        value: dict[str, Any] = {
            "commandId": command_id,
            "commandContext": context,
            "context": _CONTEXT,
        }
        if message_id is not None:
            place, message = self._find(message_id)
            value["messagePayload"] = message_payload(self.world, person, place, message)
        return value

    async def _signed_in(
        self,
        person: Person,
        name: str,
        value: dict[str, Any],
        conversation: Conversation | None,
        state: str,
        **fields: Any,
    ) -> Answer:
        given = {"state": state} if state else {}
        answer = await self.invoke(person, name, {**value, **given}, conversation, **fields)
        extension = (answer.body or {}).get("composeExtension") if answer.ok else None
        place = conversation or self.chat(person)
        silent = isinstance(extension, dict) and extension.get("type") == "silentAuth"
        # Unlike an exchange, a token for the extension is to be had in channels too.
        if not silent or self.world.faults.exchange_mute or person.id in self.sign_in_failures:
            return answer
        token = {"authentication": {"token": self.entra.sso_token(person)}}
        return await self.invoke(person, name, {**value, **token}, place, **fields)

    def _parameter(self, command_id: str) -> str:
        for extension in self.world.manifest.get("composeExtensions", []):
            for command in extension.get("commands", []):
                if command["id"] == command_id:
                    return str(command["parameters"][0]["name"])
        raise LookupError(f"the manifest has no command {command_id}")
