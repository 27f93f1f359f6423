"""The Teams client: what people do in it, and what it does by itself."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

from sandbox import activities
from sandbox.calls import Answer, Calls
from sandbox.connector import Connector
from sandbox.conversation import OAUTH_CARD, Conversation, Message
from sandbox.world import Person, World

__all__ = ["Answer", "Conversation", "Message", "TeamsClient"]

INVOKE_PATIENCE_S = 5.0
MESSAGE_PATIENCE_S = 15.0
_LOGIN_REQUEST = "application/vnd.microsoft.activity.loginRequest"
_CARD = "application/vnd.microsoft.card.adaptive"


class _Entra(Protocol):
    def sso_token(self, person: Person) -> str: ...


class TeamsClient:
    """All clients of all people. Set `endpoint` to the bot's `POST /api/messages` before use.

    `clients`: how many clients each person has open; each exchanges a sign-in card silently.
    `universal_actions`: False for clients that know no Action.Execute and use its fallback.
    `sign_in_failures`: by person id, the code that silent sign-in fails with before any exchange.
    """

    def __init__(self, world: World, entra: _Entra, connector: Connector) -> None:
        self.world = world
        self.entra = entra
        self.connector = connector
        self.conversations: dict[str, Conversation] = connector.conversations.by_id
        self.clients = 1
        self.universal_actions = True
        self.invoke_patience_s = INVOKE_PATIENCE_S
        self.sign_in_failures: dict[str, str] = {}
        self._calls = Calls(connector)
        self._tasks: set[asyncio.Task[None]] = set()
        connector.conversations.on_message.append(self._arrived)

    @property
    def endpoint(self) -> str:
        """The address of the bot's `POST /api/messages`."""
        return self._calls.endpoint

    @endpoint.setter
    def endpoint(self, address: str) -> None:
        self._calls.endpoint = address

    async def stop(self) -> None:
        """End what the clients still do by themselves."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._calls.stop()

    async def settled(self) -> None:
        """Wait until the clients' silent sign-ins are through."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def chat(self, person: Person) -> Conversation:
        """The person's chat with the bot, also before the bot is installed."""
        return self.connector.conversations.personal(person)

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

    async def say(self, person: Person, text: str, conversation: Conversation | None = None) -> int:
        """Type a message. The HTTP status of the bot's answer; 0 when none came."""
        place = conversation or self.chat(person)
        activity = activities.message(
            self.world, person, place, text, id=self.connector.conversations.new_id()
        )
        return (await self._write(person, place, activity)).status

    async def send(self, activity: dict[str, Any], **signing: Any) -> Answer:
        """Sign an activity and post it; the options are those of `Calls.post`."""
        is_invoke = activity.get("type") == "invoke"
        patience_s = self.invoke_patience_s if is_invoke else MESSAGE_PATIENCE_S
        activity = {"serviceUrl": self.connector.service_url, **activity}
        answer = await self._calls.post(activity, patience_s=patience_s, **signing)
        self.world.changed()
        return answer

    async def invoke(
        self,
        person: Person,
        name: str,
        value: Any,
        conversation: Conversation | None = None,
        **fields: Any,
    ) -> Answer:
        """Send an invoke; as in Teams, a late `composeExtension/submitAction` goes twice more."""
        place = conversation or self.chat(person)
        activity = activities.activity(
            self.world, person, place, "invoke", name=name, value=value, **fields
        )
        answer = await self.send(activity)
        for _ in range(2 if name == "composeExtension/submitAction" else 0):
            if not answer.late:
                break
            answer = await self.send(activity)
        return answer

    async def press(
        self,
        person: Person,
        message_id: str,
        action: dict[str, Any],
        inputs: dict[str, Any] | None = None,
    ) -> Answer:
        """Press a button of a card with its inputs filled in.

        A card that comes back from an Action.Execute takes the card's place for this person.

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
        if action["type"] == "Action.Execute":
            return await self._execute(person, conversation, message, {**action, "data": data})
        return await self._submit(person, conversation, message, data)

    async def submit_dialog(
        self, person: Person, data: Any, conversation: Conversation | None = None
    ) -> Answer:
        """Submit a dialog's card (`task/submit`)."""
        value = {"data": data, "context": {"theme": "default"}}
        return await self.invoke(person, "task/submit", value, conversation)

    async def verify_state(
        self, person: Person, code: str, conversation: Conversation | None = None
    ) -> Answer:
        """Hand the code that the sign-in page gave back to the bot."""
        answer = await self.invoke(person, "signin/verifyState", {"state": code}, conversation)
        if answer.ok:
            self._hide_sign_in(conversation or self.chat(person))
        return answer

    def _hide_sign_in(self, conversation: Conversation) -> None:
        for message in conversation.messages:
            if message.sign_in == "shown":
                message.sign_in = "done"
        self.connector.conversations.touch(conversation)

    def _find(self, message_id: str) -> tuple[Conversation, Message]:
        for conversation in self.conversations.values():
            message = conversation.message(message_id)
            if message is not None:
                return conversation, message
        raise LookupError(f"no message {message_id}")

    async def _write(self, person: Person, place: Conversation, activity: dict[str, Any]) -> Answer:
        self.connector.conversations.add(
            place, Message(activity["id"], activity, from_bot=False, person_id=person.id)
        )
        return await self.send(activity)

    async def _execute(
        self, person: Person, place: Conversation, message: Message, action: dict[str, Any]
    ) -> Answer:
        sent = {name: action[name] for name in ("type", "id", "verb", "data") if name in action}
        value: dict[str, Any] = {"action": sent, "trigger": "manual"}
        name = "adaptiveCard/action"
        answer = await self.invoke(person, name, value, place, replyToId=message.id)
        if _kind(answer) == _LOGIN_REQUEST:
            value["authentication"] = self._authentication(person, answer.body["value"])
            answer = await self.invoke(person, name, value, place, replyToId=message.id)
        if _kind(answer) == _CARD:
            message.views[person.id] = answer.body["value"]
            self.connector.conversations.touch(place)
        return answer

    async def _submit(
        self, person: Person, place: Conversation, message: Message, data: Any
    ) -> Answer:
        teams = data.get("msteams") if isinstance(data, dict) else None
        teams = teams if isinstance(teams, dict) else {}
        if teams.get("type") == "task/fetch":
            value = {"data": data, "context": {"theme": "default"}}
            return await self.invoke(person, "task/fetch", value, place, replyToId=message.id)
        if teams.get("type") == "imBack":
            return Answer(await self.say(person, str(teams.get("value", "")), place))
        fields: dict[str, Any] = {"replyToId": message.id, "value": data}
        if teams.get("type") == "messageBack":
            fields["value"] = teams.get("value", data)
            fields["text"] = str(teams.get("text", ""))
        fields["channelData"] = {
            "source": {"name": "message"},
            "legacy": {"replyToId": message.id},
        }
        activity = activities.activity(self.world, person, place, "message", **fields)
        return await self.send(activity)

    def _arrived(self, conversation: Conversation, message: Message) -> None:
        cards = message.attachments(OAUTH_CARD)
        if not cards:
            return
        resource = cards[0].get("tokenExchangeResource")
        # Single sign-on works in personal and group chats only; in a channel the button shows.
        if not resource or conversation.kind == "channel":
            message.sign_in = "shown"
        elif not self.world.faults.exchange_mute:
            self._spawn(self._sign_in_silently(conversation, message, cards[0]))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sign_in_silently(
        self, conversation: Conversation, message: Message, card: dict[str, Any]
    ) -> None:
        person = self.world.person(conversation.member_ids[0])
        failure = self._failure(person, card["tokenExchangeResource"])
        if failure:
            value = {"code": failure, "message": "Silent sign-in failed."}
            await self.invoke(person, "signin/failure", value, conversation)
            message.sign_in = "shown"
        else:
            value = self._authentication(person, card)
            name = "signin/tokenExchange"
            answers = await asyncio.gather(
                *(
                    self.invoke(person, name, value, conversation, replyToId=message.id)
                    for _ in range(self.clients)
                )
            )
            message.sign_in = "done" if any(answer.ok for answer in answers) else "shown"
        self.connector.conversations.touch(conversation)

    def _failure(self, person: Person, resource: dict[str, Any]) -> str:
        if person.id in self.sign_in_failures:
            return self.sign_in_failures[person.id]
        if not person.has_app:
            return "installedappnotfound"
        uri = str(resource.get("uri", ""))
        if not (uri.startswith("api://") and uri.endswith(f"botid-{self.world.app_id}")):
            return "resourcematchfailed"
        return ""

    def _authentication(self, person: Person, card: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": (card.get("tokenExchangeResource") or {}).get("id"),
            "connectionName": card.get("connectionName"),
            "token": self.entra.sso_token(person),
        }


def _merged(data: Any, inputs: dict[str, Any]) -> Any:
    if data is None or isinstance(data, dict):
        return {**(data or {}), **inputs}
    return data


def _kind(answer: Answer) -> str:
    body = answer.body if isinstance(answer.body, dict) else {}
    return str(body.get("type", "")) if answer.ok else ""
