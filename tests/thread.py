"""A person in a channel or group chat: mentions the bot, opens dialogs from its cards, reads."""

import json
from typing import Any

from sandbox import actions
from sandbox.answers import problem_of
from sandbox.calls import Answer
from sandbox.conversation import Conversation, Message
from sandbox.world import Person
from tests.desk import Desk
from tests.recorded import recorded

FETCH = "task/fetch"


class TaskDialog:
    """A dialog that was opened from a card's button, as its owner sees it."""

    def __init__(self, desk: Desk, place: Conversation, message: Message, answer: Answer) -> None:
        self.desk, self.place, self.message = desk, place, message
        self.card: dict[str, Any] = {}
        self.title = ""
        self.address = ""  # of a page, where it shows one
        self.sentence = ""  # with which it was closed, or not opened
        self.is_open = False
        self._take(answer)

    async def press(self, name: str, **entered: str) -> None:
        """Press a button of its card with some inputs filled in."""
        button = actions.button(self.card, name)
        await self.submit({**actions.inputs(self.card), **entered, **button["data"]})

    async def submit(self, data: Any) -> None:
        """Send what a dialog's card or page hands on."""
        self._take(await sent("task-submit", self.desk, self.place, self.message, data))

    def _take(self, answer: Answer) -> None:
        assert answer.status == 200, answer
        task = (answer.body or {}).get("task") or {}
        self.is_open = task.get("type") == "continue"
        self.sentence = str(task.get("value", "")) if task.get("type") == "message" else ""
        value = task.get("value") if self.is_open else {}
        self.title = value.get("title", "")
        self.address = value.get("url", "")
        self.card = (value.get("card") or {}).get("content", {})
        assert len(json.dumps(self.card)) < 28 * 1024

    @property
    def shown(self) -> str:
        return actions.text_of(self.card)

    @property
    def values(self) -> dict[str, str]:
        return actions.inputs(self.card)

    def has_button(self, name: str) -> bool:
        return any(name in {b.get("title"), b.get("verb")} for b in actions.buttons(self.card))


class Thread:
    """A shared place, through the eyes of one person."""

    def __init__(self, desk: Desk, place: Conversation) -> None:
        self.desk, self.place = desk, place
        self.teams, self.person = desk.teams, desk.person

    async def say(self, text: str, *mentions: Person, thread: str = "") -> None:
        """Mention the bot with these words."""
        status = await self.teams.say(self.person, text, self.place, mentions, thread=thread)
        assert status == 200, f"the bot answered {status}"
        await self.teams.settled()

    @property
    def messages(self) -> list[Message]:
        """The bot's messages there."""
        return [m for m in self.place.messages if m.from_bot and not m.deleted]

    @property
    def cards(self) -> list[dict[str, Any]]:
        """Its cards, as this person sees them."""
        return [card for m in self.messages if (card := m.card(self.person)) is not None]

    @property
    def card(self) -> dict[str, Any]:
        return self.cards[-1]

    @property
    def shown(self) -> str:
        return actions.text_of(self.card)

    @property
    def for_all(self) -> str:
        """All that everybody there can read of the bot's: cards, data and all."""
        return json.dumps([m.activity for m in self.messages], ensure_ascii=False)

    def message(self) -> Message:
        """The message with the newest card."""
        return next(m for m in reversed(self.messages) if m.card() is not None)

    async def open(self, title: str = "", message: Message | None = None) -> TaskDialog:
        """Press a button that opens a dialog, of the newest card unless given."""
        at = message or self.message()
        card = at.card(self.person) or {}
        known = [b for b in actions.buttons(card) if _opens(b)]
        button = next(b for b in known if title in {"", b["title"]})
        answer = await sent("task-fetch", self.desk, self.place, at, button["data"])
        return TaskDialog(self.desk, self.place, at, answer)


async def sent(name: str, desk: Desk, place: Conversation, message: Message, data: Any) -> Answer:
    """A recorded invoke of a dialog that was opened from this message, and its answer."""
    stage = desk.stage
    activity = recorded(
        f"{'channel' if place.kind == 'channel' else 'group'}-{name}",
        stage,
        desk.person,
        place,
        message__id=message.id,
        root__id=message.root_id or message.id,
        data=data,
    )
    answer = await stage.teams.send(activity)
    problem = problem_of(activity["name"], answer.status, answer.body)
    assert not problem, problem
    return answer


def _opens(button: dict[str, Any]) -> bool:
    return (button.get("data") or {}).get("msteams", {}).get("type") == FETCH
