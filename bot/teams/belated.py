"""Presses that are answered later than their reader waits: in a message, or on the card itself.

A form that opens below takes a question to Graph and a message to Teams, one after the other. Where
that is more than a second, the press is answered, and the message comes when it comes.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from bot.teams.answers import Answer, Say, ShowCard
from bot.teams.exchanges import Background
from bot.teams.turn import Turn, card_message
from bot.words import gettext, marked
from cards import buttons
from cards.elements import payload
from cards.notes import NoteView, note

Reply = tuple[int, dict[str, Any] | None]

_COMING = marked("It is coming, below in the chat.")
_IN_PLACE = marked("It is coming, in place of this form.")
_POST = (
    *(buttons.OpenText, buttons.OpenNotice, buttons.SignIn, buttons.TryAgain),
    *(buttons.ChangeAndSend, buttons.Correct, buttons.FollowUp, buttons.SaveResults),
    buttons.AllowCalendar,
)
_REVIEWS = (buttons.ReviewText, buttons.ReviewNotice)
# Who stops waiting for Graph when the reader does has something to say of it, a moment later.
GRACE_S = 0.1


class Belated:
    """Waits for an answer as long as its reader does."""

    def __init__(self) -> None:
        self._background = Background()

    async def answer(
        self, turn: Turn, button: buttons.Button | None, answering: Coroutine[Any, Any, Answer]
    ) -> Answer:
        """The answer; of a button whose answer can be given later, no later than it is expected."""
        if not isinstance(button, (*_POST, *_REVIEWS)):
            return await answering
        work = asyncio.ensure_future(answering)
        done, _ = await asyncio.wait({work}, timeout=turn.left_s() + GRACE_S)
        if done:
            return work.result()
        self._background.start(_later(turn, work))
        return Say(gettext(_IN_PLACE if isinstance(button, _REVIEWS) else _COMING))

    async def reply(
        self, turn: Turn, replying: Coroutine[Any, Any, Reply], meanwhile: Reply
    ) -> Reply:
        """An invoke's reply; `meanwhile` where that takes too long, and what it does goes on."""
        work = self._background.start(replying)
        done, _ = await asyncio.wait({work}, timeout=turn.left_s())
        return work.result() if done else meanwhile

    async def stop(self) -> None:
        """Let what is still to be posted be posted."""
        await self._background.stop()


async def _later(turn: Turn, work: "asyncio.Future[Answer]") -> None:
    """What could not be said beside the card any more is said in a message, or on the card."""
    answer = await work
    if isinstance(answer, ShowCard):
        update = card_message(answer.card)
        update.id = turn.place.activity_id
        await turn.context.update_activity(update)
    elif answer.sentence:
        await turn.send(payload(note(NoteView("", answer.sentence))))
