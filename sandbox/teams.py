"""The Teams client: what people do in it, and what it does by itself."""

from collections.abc import Iterable
from typing import Any

from sandbox import activities
from sandbox.calls import Answer
from sandbox.connector import Connector
from sandbox.conversation import ADAPTIVE_CARD, Conversation, Message
from sandbox.teams_client import RefusedAnswer, Tokens
from sandbox.teams_compose import Compose
from sandbox.teams_dialogs import Dialogs
from sandbox.teams_places import Places
from sandbox.teams_sign_in import SignIns
from sandbox.world import Person, World

__all__ = ["Answer", "Conversation", "Message", "RefusedAnswer", "TeamsClient"]

_LOGIN_REQUEST = "application/vnd.microsoft.activity.loginRequest"


class TeamsClient(SignIns, Places, Dialogs, Compose):
    """All clients of all people. Set `endpoint` to the bot's `POST /api/messages` before use.

    `universal_actions`: False for clients that know no Action.Execute and use its fallback.
    """

    def __init__(self, world: World, entra: Tokens, connector: Connector) -> None:
        super().__init__(world, entra, connector)
        self.universal_actions = True

    def cards(self, person: Person) -> list[dict[str, Any]]:
        """The Adaptive Cards in the person's chat as this person sees them, oldest first."""
        shown = (m.card(person) for m in self.chat(person).messages if not m.deleted)
        return [card for card in shown if card is not None]

    def last_card(self, person: Person) -> dict[str, Any]:
        """The newest of `cards`. Raises IndexError when there is none."""
        return self.cards(person)[-1]

    def last_message(self, person: Person) -> Message:
        """The newest message of the bot in the person's chat. Raises IndexError."""
        return [m for m in self.chat(person).messages if m.from_bot and not m.deleted][-1]

    async def install(self, person: Person) -> Conversation:
        """Add Herald to the person's personal apps, and tell it."""
        person.has_app = True
        conversation = self.chat(person)
        conversation.has_bot = True
        self.connector.conversations.touch(conversation)
        for activity in activities.installation(self.world, person, conversation):
            await self.send(activity)
        return conversation

    async def uninstall(self, person: Person) -> Answer:
        """Remove Herald from the person's personal apps, and tell it."""
        person.has_app = False
        conversation = self.chat(person)
        activity = activities.activity(
            self.world, person, conversation, "installationUpdate", action="remove"
        )
        return await self.send(activity)

    async def say(
        self,
        person: Person,
        text: str,
        conversation: Conversation | None = None,
        mentions: Iterable[Person] = (),
        *,
        to_bot: bool = True,
        thread: str = "",
    ) -> int:
        """Type a message. The HTTP status of the bot's answer; 0 when none came.

        Outside of a personal chat the bot is mentioned, unless `to_bot` is false: then it hears
        nothing, as in Teams, and the status is 0. `thread` is the message that a channel's thread
        began with; without it this one begins a thread. Mentions: see `activities.message`.
        """
        place = conversation or self.chat(person)
        message_id = self.connector.conversations.new_id()
        root_id = (thread or message_id) if place.kind == "channel" else ""
        activity = activities.message(
            self.world,
            person,
            place,
            text,
            mentions=mentions,
            to_bot=to_bot,
            id=message_id,
            root_id=root_id,
        )
        message = Message(message_id, activity, False, person.id, root_id)
        self.connector.conversations.add(place, message)
        hears = place.kind == "personal" or (to_bot and place.has_bot and not place.deleted)
        return (await self.send(activity)).status if hears else 0

    async def edit(self, person: Person, message_id: str, text: str) -> Answer:
        """Change a message that this person typed, and tell the bot when it was mentioned.

        Raises:
            LookupError: there is no such message of this person.
        """
        conversation, message = self._find(message_id)
        if message.person_id != person.id:
            raise LookupError("only one's own messages can be edited")
        was = message.activity.get("entities", [])
        bot = activities.bot_account(self.world)["id"]
        to_bot = any(entity.get("mentioned", {}).get("id") == bot for entity in was)
        fields: dict[str, Any] = {
            "id": message.id,
            "root_id": message.root_id,
            "channelData": {"eventType": "editMessage"},
        }
        activity = activities.message(
            self.world, person, conversation, text, to_bot=to_bot, **fields
        )
        message.activity = {**activity, "timestamp": message.activity["timestamp"]}
        message.edited += 1
        self.connector.conversations.touch(conversation)
        if conversation.kind != "personal" and not to_bot:
            return Answer(0)
        return await self.send({**activity, "type": "messageUpdate"})

    async def press(
        self,
        person: Person,
        message_id: str,
        action: dict[str, Any],
        inputs: dict[str, Any] | None = None,
        *,
        state: str = "",
    ) -> Answer:
        """Press a button of a card with its inputs filled in.

        A card that comes back from an Action.Execute takes the card's place for this person. Where
        the bot asks to sign in and no token is to be had silently, that answer comes back; `state`
        is what the pop-up then gave, and goes with the same press again.

        Raises:
            LookupError: there is no such message, or this client does not show the button.
        """
        conversation, message = self._find(message_id)
        if action["type"] == "Action.Execute" and not self.universal_actions:
            fallback = action.get("fallback")
            if not isinstance(fallback, dict):
                raise LookupError("this client does not show the button: it has no fallback")
            action = fallback
        data = _merged(action.get("data"), inputs or {})
        if action["type"] != "Action.Execute":
            return await self._submit(person, conversation, message, action, data)
        given = {"state": state} if state else {}
        return await self._execute(
            person, conversation, message, {**action, "data": data}, {"trigger": "manual", **given}
        )

    async def refresh(self, person: Person, message_id: str) -> Answer | None:
        """What a client does when a message with a refresh comes into view; None where nothing.

        Raises:
            LookupError: there is no such message.
        """
        conversation, message = self._find(message_id)
        refresh = (message.card() or {}).get("refresh") or {}
        action = refresh.get("action")
        if not action or person.teams_id not in refresh.get("userIds", [person.teams_id]):
            return None
        trigger = {"trigger": "automatic"}
        return await self._execute(person, conversation, message, action, trigger)

    async def _execute(
        self,
        person: Person,
        place: Conversation,
        message: Message,
        action: dict[str, Any],
        how: dict[str, Any],
    ) -> Answer:
        sent = {name: action[name] for name in ("type", "id", "verb", "data") if name in action}
        value: dict[str, Any] = {"action": sent, **how}
        name, origin = "adaptiveCard/action", self._from_message(message)
        answer = await self.invoke(person, name, value, place, **origin)
        if _kind(answer) == _LOGIN_REQUEST and self._can_exchange(person, place, answer):
            value["authentication"] = self._authentication(person, answer.body["value"])
            origin = self._from_message(message)
            answer = await self.invoke(person, name, value, place, **origin)
        if _kind(answer) == ADAPTIVE_CARD and not answer.problem:
            message.views[person.id] = answer.body["value"]
            self.connector.conversations.touch(place)
        return answer

    def _can_exchange(self, person: Person, place: Conversation, answer: Answer) -> bool:
        has_resource = bool(answer.body["value"].get("tokenExchangeResource"))
        return has_resource and self._can_sign_in_silently(person, place)

    async def _submit(
        self,
        person: Person,
        place: Conversation,
        message: Message,
        action: dict[str, Any],
        data: Any,
    ) -> Answer:
        teams = data.get("msteams") if isinstance(data, dict) else None
        teams = teams if isinstance(teams, dict) else {}
        if teams.get("type") == "task/fetch":
            return await self.open_dialog(person, message.id, {**action, "data": data})
        if teams.get("type") == "imBack":
            return Answer(await self.say(person, str(teams.get("value", "")), place))
        fields: dict[str, Any] = {**self._from_message(message), "value": data}
        if teams.get("type") == "messageBack":
            fields["value"] = teams.get("value", data)
            fields["text"] = str(teams.get("text", ""))
        activity = activities.activity(self.world, person, place, "message", **fields)
        return await self.send(activity)


def _merged(data: Any, inputs: dict[str, Any]) -> Any:
    if data is None or isinstance(data, dict):
        return {**(data or {}), **inputs}
    return data


def _kind(answer: Answer) -> str:
    body = answer.body if isinstance(answer.body, dict) else {}
    return str(body.get("type", "")) if answer.ok else ""
