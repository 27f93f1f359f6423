"""What every part of the Teams client stands on: signed calls to the bot, and what it refuses."""

from dataclasses import dataclass
from typing import Any, Protocol

from sandbox import activities
from sandbox.answers import problem_of
from sandbox.calls import Answer, Calls
from sandbox.connector import Connector
from sandbox.conversation import Conversation, Message
from sandbox.world import Person, World

INVOKE_PATIENCE_S = 5.0
MESSAGE_PATIENCE_S = 15.0


class Tokens(Protocol):
    """The part of Entra that a client needs."""

    def sso_token(self, person: Person) -> str:
        """A token of this person for the bot's own API, as Teams gets it silently."""
        ...


@dataclass(frozen=True)
class RefusedAnswer:
    """An answer of the bot that Teams would not take: the person read "Something went wrong"."""

    name: str  # of the invoke
    problem: str
    answer: Answer


class Client:
    """Calls to the bot. `refused` has every answer that Teams would not take, oldest first."""

    def __init__(self, world: World, entra: Tokens, connector: Connector) -> None:
        self.world = world
        self.entra = entra
        self.connector = connector
        self.conversations: dict[str, Conversation] = connector.conversations.by_id
        self.invoke_patience_s = INVOKE_PATIENCE_S
        self.sign_in_failures: dict[str, str] = {}
        self.refused: list[RefusedAnswer] = []
        self._calls = Calls(connector)

    @property
    def endpoint(self) -> str:
        """The address of the bot's `POST /api/messages`."""
        return self._calls.endpoint

    @endpoint.setter
    def endpoint(self, address: str) -> None:
        self._calls.endpoint = address

    def chat(self, person: Person) -> Conversation:
        """The person's chat with the bot, also before the bot is installed."""
        return self.connector.conversations.personal(person)

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
        """Send an invoke; as in Teams, a late `composeExtension/submitAction` goes twice more.

        An answer that Teams would not take comes back with its `problem`.
        """
        place = conversation or self.chat(person)
        activity = activities.activity(
            self.world, person, place, "invoke", name=name, value=value, **fields
        )
        answer = await self.send(activity)
        for _ in range(2 if name == "composeExtension/submitAction" else 0):
            if not answer.late:
                break
            answer = await self.send(activity)
        return self._judged(name, answer)

    def _judged(self, name: str, answer: Answer) -> Answer:
        problem = problem_of(name, answer.status, answer.body)
        if not problem or answer.late:
            return answer
        self.refused.append(RefusedAnswer(name, problem, answer))
        return Answer(answer.status, answer.body, problem=problem)

    def _find(self, message_id: str) -> tuple[Conversation, Message]:
        """A message and where it is. Raises LookupError."""
        for conversation in self.conversations.values():
            message = conversation.message(message_id)
            if message is not None:
                return conversation, message
        raise LookupError(f"no message {message_id}")

    def _from_message(self, message: Message) -> dict[str, Any]:
        """What an activity that comes from a message's card says of that message."""
        return {
            "replyToId": message.id,
            "root_id": message.root_id,
            "channelData": {
                "source": {"name": "message"},
                "legacy": {"replyToId": message.id},
            },
        }

    def _can_sign_in_silently(self, person: Person, conversation: Conversation) -> bool:
        """Whether this person's client gets a token for the bot by itself, here."""
        muted = self.world.faults.exchange_mute or person.id in self.sign_in_failures
        return conversation.kind != "channel" and person.has_app and not muted
