"""From an error to what a person reads. The only place that catches broadly."""

import uuid
from typing import Any

import structlog

from bot import metrics
from bot.errors import HeraldError, IdentityError
from bot.teams.answers import Say
from bot.teams.sign_in import SignInFlow
from bot.teams.turn import Turn
from bot.words import gettext
from cards.elements import payload
from cards.notes import NoteView, note

log = structlog.get_logger(__name__)


class Replies:
    """Answers errors: in words for a command, beside the card for a button."""

    def __init__(self, sign_in: SignInFlow) -> None:
        self._sign_in = sign_in

    async def to_command(self, turn: Turn, error: Exception, *, command: str) -> None:
        """A command failed: say so in the chat, with what to do about it."""
        if isinstance(error, IdentityError):
            metrics.ERRORS.labels(_kind(error)).inc()
            await self._sign_in.explain(turn, error, then=command)
            return
        await turn.send(self.card(error, then=command))

    def card(self, error: Exception, *, then: str) -> dict[str, Any]:
        """What went wrong, as a card of a chat or a dialog; `then` is the command to try again."""
        sentence, reference = _words(error)
        return payload(
            note(
                NoteView(
                    gettext("That did not work"),
                    sentence,
                    "problem",
                    advice=gettext(str(getattr(error, "advice", ""))),
                    reference=reference,
                    try_again=then,
                )
            )
        )

    async def to_button(self, turn: Turn, error: Exception) -> Say:
        """A button failed: the card stays as it is, with all that was typed into it."""
        if isinstance(error, IdentityError):
            metrics.ERRORS.labels(_kind(error)).inc()
            await self._sign_in.explain(turn, error, then="")
            return Say(error.sentence, type(error))
        sentence, reference = _words(error)
        if reference:
            sentence = gettext(
                "{sentence} (Reference: {reference})", sentence=sentence, reference=reference
            )
        return Say(sentence, type(error))


def _kind(error: Exception) -> str:
    # Our own errors are a list; what nobody expected is one kind, whatever it calls itself.
    return type(error).__name__ if isinstance(error, HeraldError) else "Unexpected"


def _words(error: Exception) -> tuple[str, str]:
    """The sentence, and a reference for what nobody expected."""
    metrics.ERRORS.labels(_kind(error)).inc()
    if isinstance(error, HeraldError):
        log.info("turn.refused", problem=type(error).__name__)
        return error.sentence, str(getattr(error, "request_id", ""))
    reference = uuid.uuid4().hex[:8]
    # Of it the log has the type and the way (`bot.logs`): its words may hold what somebody wrote.
    log.error("turn.failed", reference=reference, exc_info=error)
    return HeraldError().sentence, reference
