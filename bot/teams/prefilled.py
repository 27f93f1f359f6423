"""What was said with a command, as a form's first values: people who are mentioned, and words.

Where others read along it is kept for the one who said it, under an id that cannot be guessed: the
button that everybody sees carries nothing else.
"""

import asyncio
import re
import secrets
from dataclasses import asdict

import structlog

from bot.actor import Actor
from bot.appointments.filled import TextFilled
from bot.appointments.form import link_in
from bot.delivery.drafts import Drafts
from bot.delivery.models import Kind
from bot.errors import HeraldError, StaleButton
from bot.notifications.filled import Filled
from bot.notifications.request import Recipient
from bot.teams.connector import Connector
from bot.teams.mentions import Mention
from bot.teams.turn import Turn
from bot.words import gettext, listed

log = structlog.get_logger(__name__)

_PATIENCE_S = 3.0  # for who is mentioned
_AT_ONCE = 8
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TYPES = {
    "confirmation": "confirmation",
    "confirm": "confirmation",
    "confirmación": "confirmation",
    "confirmacion": "confirmation",
    "confirmar": "confirmation",
    "reschedule": "reschedule",
    "moved": "reschedule",
    "cambio": "reschedule",
    "cambiar": "reschedule",
    "mover": "reschedule",
    "cancellation": "cancellation",
    "cancel": "cancellation",
    "cancelación": "cancellation",
    "cancelacion": "cancellation",
    "cancelar": "cancellation",
    "reminder": "reminder",
    "remind": "reminder",
    "recordatorio": "reminder",
    "recordar": "reminder",
}

First = Filled | TextFilled


class Prefilled:
    """Reads first values from a command, keeps them for its actor, and gives them back."""

    def __init__(self, drafts: Drafts, connector: Connector) -> None:
        self._drafts = drafts
        self._connector = connector

    async def notice(self, turn: Turn, words: str) -> Filled:
        """For a notification: those who are mentioned, and what they should know."""
        if not turn.people:
            return Filled(preview=words)
        found = await self._who(turn)
        missing = [who.name or gettext("somebody") for who, user_id in found if not user_id]
        notes = (_not_found(missing),) if missing else ()
        known = tuple(Recipient(user_id, who.name or user_id) for who, user_id in found if user_id)
        return Filled(recipients=known, preview=words, notes=notes)

    async def keep(self, actor: Actor, first: First) -> str:
        """Keep first values for this actor alone; the id, or nothing where there are none."""
        if first in (Filled(), TextFilled()):
            return ""
        kept = secrets.token_urlsafe(16)
        kind = Kind.NOTICE if isinstance(first, Filled) else Kind.TEXT
        await self._drafts.keep(actor, _named(kept), kind, asdict(first))
        return kept

    async def read_notice(self, actor: Actor, kept: str) -> Filled:
        """What is kept under the id for this actor; empty for anybody else."""
        try:
            draft = await self._drafts.read(actor, _named(kept), Kind.NOTICE)
        except StaleButton:
            return Filled()
        found = draft.request
        people = tuple(Recipient(**row) for row in found["recipients"])
        return Filled(**{**found, "recipients": people, "notes": tuple(found["notes"])})

    async def read_text(self, actor: Actor, kept: str) -> TextFilled:
        """The same, for an appointment text."""
        try:
            draft = await self._drafts.read(actor, _named(kept), Kind.TEXT)
        except StaleButton:
            return TextFilled()
        return TextFilled(**{**draft.request, "notes": tuple(draft.request["notes"])})

    async def _who(self, turn: Turn) -> list[tuple[Mention, str]]:
        """Each who is mentioned with his or her Entra object id, or none where Teams doesn't say.

        A mention has the id in Teams only; the roster of the conversation has both.
        """
        turns = asyncio.Semaphore(_AT_ONCE)
        place = turn.place
        conversation = place.conversation_id.partition(";messageid=")[0]

        async def one(who: Mention) -> str:
            try:
                async with turns:
                    told = await self._connector.member(
                        place.service_url, conversation, who.teams_id
                    )
            except HeraldError as error:
                log.info("mention.not_found", problem=type(error).__name__)
                return ""
            user_id = str(told.get("aadObjectId") or told.get("objectId") or "").lower()
            return user_id if _GUID.fullmatch(user_id) else ""

        asking = [asyncio.create_task(one(who)) for who in turn.people]
        _, late = await asyncio.wait(asking, timeout=_PATIENCE_S)
        for task in late:
            task.cancel()
        ids = ["" if task in late else task.result() for task in asking]
        return list(zip(turn.people, ids, strict=True))


def text(words: str) -> TextFilled:
    """For an appointment text: a join link, what is said of it, and numbers, as far as told."""
    link = link_in(words)
    if not link.startswith("https://"):
        link = ""
    rest = " ".join(words.replace(link, " ").split()) if link else words
    first, _, more = rest.partition(" ")
    kind = _TYPES.get(first.lower().rstrip(".,:"), "")
    numbers = more if kind else rest
    has_number = sum(character.isdigit() for character in numbers) >= 7
    return TextFilled(link, kind, numbers if has_number else "")


def _named(kept: str) -> str:
    return f"said.{kept}"


def _not_found(names: list[str]) -> str:
    shown = listed(names[:5], besides=len(names) - 5)
    return gettext("Teams did not say who {names} is. Choose them below.", names=shown)
