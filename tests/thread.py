"""A person in a channel or group chat: mentions the bot, opens dialogs from its cards, reads."""

import json
from typing import Any

from sandbox import actions
from sandbox.calls import Answer
from sandbox.conversation import Conversation, Message
from sandbox.world import Person
from tests.desk import Desk

FETCH = "task/fetch"


class TaskDialog:
    """A dialog that was opened from a card's button, as its owner sees it."""

    def __init__(self, desk: Desk, message_id: str, answer: Answer) -> None:
        self.desk, self.message_id = desk, message_id
        self.card: dict[str, Any] = {}
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
        answer = await self.desk.teams.submit_dialog(
            self.desk.person, data, message_id=self.message_id
        )
        self._take(answer)

    def _take(self, answer: Answer) -> None:
        assert answer.status == 200, answer
        assert not answer.problem, answer.problem
        task = (answer.body or {}).get("task") or {}
        self.is_open = task.get("type") == "continue"
        self.sentence = str(task.get("value", "")) if task.get("type") == "message" else ""
        value = task.get("value") if self.is_open else {}
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
        answer = await self.teams.open_dialog(self.person, at.id, button)
        return TaskDialog(self.desk, at.id, answer)


def _opens(button: dict[str, Any]) -> bool:
    return (button.get("data") or {}).get("msteams", {}).get("type") == FETCH
