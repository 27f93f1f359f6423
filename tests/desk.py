"""A person at a Teams client: types commands, fills in cards, presses buttons, reads."""

import re
from typing import Any

from sandbox import actions
from sandbox.calls import Answer
from sandbox.conversation import Message
from sandbox.stage import Stage
from sandbox.world import Person

_ID = re.compile(r"\b[0-9a-f]{32}\b|\bDelivery [0-9a-f]{8}\b")


def without_ids(text: str) -> str:
    """Without what has just the form of a delivery's id: that is drawn by lot, any digits in it."""
    return _ID.sub("", text)


class Desk:
    def __init__(self, stage: Stage, person: Person) -> None:
        self.stage = stage
        self.person = person
        self.teams = stage.teams

    async def say(self, text: str) -> None:
        """Type a message and wait for the silent sign-in that may follow."""
        status = await self.teams.say(self.person, text)
        assert status == 200, f"the bot answered {status}"
        await self.teams.settled()

    @property
    def card(self) -> dict[str, Any]:
        """The newest card in the chat."""
        return self.teams.last_card(self.person)

    @property
    def shown(self) -> str:
        """What a person reads on the newest card."""
        return actions.text_of(self.card)

    @property
    def cards(self) -> list[dict[str, Any]]:
        return self.teams.cards(self.person)

    def message(self, card: dict[str, Any] | None = None) -> Message:
        """The message that shows this card, or the newest one."""
        wanted = card or self.card
        return next(
            message
            for message in reversed(self.teams.chat(self.person).messages)
            if message.card(self.person) == wanted
        )

    def values(self) -> dict[str, str]:
        """What the newest card's inputs hold."""
        return actions.inputs(self.card)

    async def press(self, name: str, **entered: Any) -> Answer:
        """Press a button of the newest card by title or verb, with some inputs filled in.

        Where the answer comes later it is waited for: on a busy machine any may.
        """
        card = self.card
        message = self.message(card)
        edited = message.edited
        inputs = {key: value for key, value in actions.inputs(card).items() if value}
        answer = await self.teams.press(
            self.person, message.id, actions.button(card, name), inputs | entered
        )
        if "in place of this form" in str(answer.body):
            await self.stage.world.until(lambda: message.edited > edited or self.card != card)
        await self.teams.settled()
        return answer

    def has_button(self, name: str) -> bool:
        try:
            actions.button(self.card, name)
        except LookupError:
            return False
        return True
