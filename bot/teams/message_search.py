"""The extension's search: one's own deliveries and appointments, to insert how they stand.

Deliveries come from the ledger, by the actor that Teams verified; appointments from the calendar,
as far as it may be read and answers in time. An inserted card is read by everybody in that
conversation (`cards/insert.py`); the list of results only by the one who searches.

Source: "Define messaging extension search commands", Microsoft Teams.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import structlog

from bot.actor import Actor
from bot.delivery.models import Delivery, Kind
from bot.errors import (
    AdminConsentNeeded,
    ConsentNeeded,
    HeraldError,
    SignInNeeded,
    WrongPerson,
)
from bot.identity.obo import MEETINGS, Identity
from bot.teams.delivery_views import delivery_row
from bot.teams.dialogs import Reply
from bot.teams.extension_sign_in import ExtensionSignIn, came_back
from bot.teams.insertions import of_appointment, of_delivery
from bot.teams.replies import Replies
from bot.teams.search_query import Query, read_query
from bot.teams.search_words import hits, text_of_appointment, text_of_delivery
from bot.teams.turn import Turn
from bot.teams.upcoming import Upcoming
from bot.teams.when import in_words
from bot.words import gettext, marked

log = structlog.get_logger(__name__)

Answering = Callable[[Turn], Awaitable[Reply]]

_COMMAND = "findSent"
_AT_ONCE = 50  # deliveries that are opened at a time
_LOOKED_THROUGH = 200  # the newest ones; an older one is found with `status` and its id
_KINDS: Mapping[str, tuple[Kind, ...]] = {
    "": tuple(Kind),
    "text": (Kind.TEXT,),
    "notice": tuple(kind for kind in Kind if kind is not Kind.TEXT),
    "appointment": (),
}
_NOTHING_YET = marked("You have not sent anything yet, and no appointment of yours lies ahead.")
_NOT_FOUND = marked("Nothing of yours has these words. Try fewer of them, or an id.")
_UNKNOWN = marked("This version of Herald doesn't know that command.")
_LATE = marked("Your calendar has not answered yet. Search again in a moment.")
_ADMIN = marked(
    "Your administrator needs to approve that Herald reads your calendar. The link for it: {link}"
)


class History(Protocol):
    """The ledger, as far as a search reads it."""

    async def newest(
        self, actor: Actor, *, kinds: Sequence[Kind], skip: int, most: int
    ) -> list[Delivery]:
        """The actor's own deliveries of these kinds, newest first."""
        ...


@dataclass(frozen=True)
class _Found:
    """One that has `hits` of the words that were typed, and how it is drawn."""

    hits: int
    draw: Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class _Appointments:
    """Those that were found, or why there are none."""

    found: tuple[_Found, ...] = ()
    trouble: HeraldError | TimeoutError | None = None


class MessageSearch:
    """`composeExtension/query`, and what else Teams may ask of an extension that searches.

    `kinds` are what people call each activity type.
    """

    def __init__(
        self,
        identity: Identity,
        history: History,
        upcoming: Upcoming,
        kinds: Mapping[str, str],
        replies: Replies,
    ) -> None:
        self._replies = replies
        self._identity = identity
        self._history = history
        self._upcoming = upcoming
        self._kinds = kinds
        self._sign_in = ExtensionSignIn(identity)

    def invokes(self) -> Mapping[str, Answering]:
        """What answers each invoke, by its name.

        All but the first are not declared in the manifest: they come from other clients, if at all.
        """
        return {
            "composeExtension/query": self.query,
            "composeExtension/selectItem": _nothing,
            "composeExtension/queryLink": _nothing,
            "composeExtension/anonymousQueryLink": _nothing,
            "composeExtension/querySettingUrl": _no_settings,
            "composeExtension/setting": _no_settings,
            "composeExtension/onCardButtonClicked": _no_settings,
        }

    async def query(self, turn: Turn) -> Reply:
        """The results as a list, a sign-in and the same again, or a sentence."""
        # Some clients name no command where there is only one that searches.
        if turn.value.get("commandId") not in (None, "", _COMMAND):
            return 200, _sentence(gettext(_UNKNOWN))
        asked = read_query(turn.value)
        try:
            deliveries, appointments = await asyncio.gather(
                self._deliveries(turn, asked), self._appointments(turn, asked)
            )
        except Exception as error:  # noqa: BLE001 - here every error becomes a sentence
            return 200, _sentence((await self._replies.to_button(turn, error)).sentence)
        found = _best([*deliveries, *appointments.found], asked)
        shown = [one.draw() for one in found[asked.skip : asked.skip + asked.count]]
        return 200, await self._answer(turn, asked, shown, appointments.trouble)

    async def _answer(
        self,
        turn: Turn,
        asked: Query,
        shown: list[dict[str, Any]],
        trouble: HeraldError | TimeoutError | None,
    ) -> dict[str, Any]:
        if isinstance(trouble, WrongPerson):
            return _sentence(trouble.sentence)
        if isinstance(trouble, SignInNeeded) and not came_back(turn):
            # Nobody sees this one: it brings the same invoke again with a token.
            return await self._sign_in.ask(turn, MEETINGS)
        if shown or asked.skip:
            return _results(shown)
        # Whoever keeps the calendar private is not asked about it at every word.
        is_private = isinstance(trouble, ConsentNeeded) and not came_back(turn)
        if trouble is None or (is_private and asked.words and not asked.kind):
            return _sentence(gettext(_NOT_FOUND if asked.words or asked.kind else _NOTHING_YET))
        return await self._explained(turn, trouble)

    async def _explained(self, turn: Turn, trouble: HeraldError | TimeoutError) -> dict[str, Any]:
        """Why there are no appointments, where there is nothing else to show."""
        if isinstance(trouble, AdminConsentNeeded):
            link = self._identity.admin_consent_link(turn.actor, MEETINGS)
            return _sentence(gettext(_ADMIN, link=link))
        if isinstance(trouble, SignInNeeded | ConsentNeeded):
            return await self._sign_in.ask(turn, MEETINGS)
        if isinstance(trouble, TimeoutError):
            return _sentence(gettext(_LATE))
        return _sentence(trouble.sentence)

    async def _deliveries(self, turn: Turn, asked: Query) -> list[_Found]:
        """The actor's own, newest first, as far back as it takes to fill the page, and as time
        allows: what was for thousands of people is long."""
        found: list[_Found] = []
        kinds, wanted = _KINDS[asked.kind], asked.skip + asked.count
        most = _AT_ONCE if asked.words else min(_AT_ONCE, wanted)
        for skip in range(0, _LOOKED_THROUGH if kinds else 0, most):
            some = await self._history.newest(turn.actor, kinds=kinds, skip=skip, most=most)
            found += [self._delivery(turn, asked, one) for one in some]
            full = sum(one.hits == len(asked.words) for one in found)
            if len(some) < most or full >= wanted or not turn.left_s():
                break
        return found

    def _delivery(self, turn: Turn, asked: Query, one: Delivery) -> _Found:
        draw = partial(of_delivery, one, turn.place.zone)
        if not asked.words:
            return _Found(0, draw)
        return _Found(
            hits(asked.words, text_of_delivery(one, delivery_row(one), self._kinds)), draw
        )

    async def _appointments(self, turn: Turn, asked: Query) -> _Appointments:
        if not asked.wants_appointments:
            return _Appointments()
        zone = turn.place.zone
        try:
            # What the calendar has not told by then is in the next answer.
            async with asyncio.timeout(turn.left_s()):
                await self._sign_in.take(turn, MEETINGS)
                events = await self._upcoming.of(turn)
        except (HeraldError, TimeoutError) as error:
            log.info("search.no_appointments", problem=type(error).__name__)
            return _Appointments(trouble=error)
        said = [text_of_appointment(event, in_words(event.start, zone)) for event in events]
        return _Appointments(
            tuple(
                _Found(hits(asked.words, words), partial(of_appointment, event, zone))
                for event, words in zip(events, said, strict=True)
            )
        )


def _best(found: Sequence[_Found], asked: Query) -> list[_Found]:
    """Those that have every word; where none has, those that have most of them first."""
    every = [one for one in found if one.hits == len(asked.words)]
    some = (one for one in found if one.hits)
    return every or sorted(some, key=lambda one: one.hits, reverse=True)


def _results(attachments: list[dict[str, Any]]) -> dict[str, Any]:
    found = {"type": "result", "attachmentLayout": "list", "attachments": attachments}
    return {"composeExtension": found}


def _sentence(sentence: str) -> dict[str, Any]:
    return {"composeExtension": {"type": "message", "text": sentence}}


async def _nothing(_turn: Turn) -> Reply:
    return 200, _results([])


async def _no_settings(_turn: Turn) -> Reply:
    return 200, {}
