"""When a text's receipt is looked at: whether its appointment was moved or cancelled since.

Looking is quick or left out: a receipt never waits for the calendar.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from bot.appointments.changes import Change, change_by_link, change_of, may_have_changed
from bot.appointments.meetings import when
from bot.appointments.request import TextRequest
from bot.delivery.ledger import Ledger
from bot.delivery.models import Delivery, Kind, State
from bot.errors import HeraldError
from bot.graph.client import Graph, MeetingEvent
from bot.identity.obo import MEETINGS, Identity
from bot.teams.turn import Turn
from bot.teams.upcoming import SEARCHED_DAYS, SEARCHED_EVENTS
from bot.words import gettext

log = structlog.get_logger(__name__)

_PATIENCE_S = 0.8


@dataclass(frozen=True)
class ChangeSeen:
    """What a receipt says of it, and the message type of the text that tells people."""

    sentence: str
    message_type: str


class TextChanges:
    """Reads appointments again, for those who look at what they sent about them."""

    def __init__(self, identity: Identity, graph: Graph, ledger: Ledger) -> None:
        self._identity = identity
        self._graph = graph
        self._ledger = ledger

    async def seen(self, turn: Turn, deliveries: Iterable[Delivery]) -> dict[str, ChangeSeen]:
        """What changed since, by delivery id; nothing of those of which nobody can tell.

        What everybody was told already, by a later text, is not offered again.
        """
        looked_at = dict(_worth_looking(deliveries))
        if not looked_at:
            return {}
        requests = {key: request for key, (_, request) in looked_at.items()}
        found = await self._read(turn, requests)
        if not found:
            return {}
        texts = await self._texts(turn)
        return {
            key: ChangeSeen(_sentence(change, turn.place.zone), change.message_type)
            for key, change in found.items()
            if await self._untold(looked_at[key][0], change, texts)
        }

    async def now(
        self, turn: Turn, delivery: Delivery, request: TextRequest, message_type: str
    ) -> TextRequest:
        """The request of a delivery about its appointment as it stands now, as far as that can be
        told; of a text that tells the change, to those who were not told yet.
        """
        found = await self._read(turn, {"": request})
        if not found:
            return request
        request = replace(request, meeting=found[""].meeting)
        if found[""].message_type != message_type:
            return request
        untold = await self._untold(delivery, found[""], await self._texts(turn))
        some = tuple(each for each in request.attendees if each.number in untold)
        return replace(request, attendees=some or request.attendees)

    async def change(self, turn: Turn, request: TextRequest) -> Change | None:
        """How its appointment differs from what a text says, as far as that can be told."""
        return (await self._read(turn, {"": request})).get("")

    async def _read(self, turn: Turn, requests: dict[str, TextRequest]) -> dict[str, Change]:
        ids = [found.meeting.event_id for found in requests.values() if found.meeting.event_id]
        try:
            async with asyncio.timeout(min(_PATIENCE_S, turn.left_s())):
                token = await self._identity.token(turn.actor, MEETINGS)
                by_id, listed = await asyncio.gather(
                    self._by_id(token.value, ids),
                    self._listed(token.value, is_asked=len(ids) < len(requests)),
                )
        except (HeraldError, TimeoutError) as error:
            log.info("text_changes.not_read", problem=type(error).__name__)
            return {}
        found = {
            key: change_of(request, by_id[request.meeting.event_id])
            if request.meeting.event_id
            else change_by_link(request, listed)
            for key, request in requests.items()
        }
        return {key: change for key, change in found.items() if change}

    async def _by_id(self, token: str, ids: list[str]) -> dict[str, MeetingEvent | None]:
        return await self._graph.events_by_id(token, ids) if ids else {}

    async def _listed(self, token: str, *, is_asked: bool) -> list[MeetingEvent]:
        """The calendar, for those whose events were not known when their texts were sent."""
        if not is_asked:
            return []
        start = datetime.now(UTC) - timedelta(days=1)
        end = start + timedelta(days=SEARCHED_DAYS)
        return await self._graph.upcoming_meetings(token, start, end, "UTC", most=SEARCHED_EVENTS)

    async def _texts(self, turn: Turn) -> list[Delivery]:
        return await self._ledger.newest(turn.actor, kinds=(Kind.TEXT,))

    async def _untold(
        self, delivery: Delivery, change: Change, texts: Sequence[Delivery]
    ) -> set[str]:
        """The numbers that a delivery went to and that no later one of `texts` told."""
        untold = await self._reached(delivery)
        for text in texts:
            if _order(text) > _order(delivery) and _tells(text, change):
                untold -= await self._reached(text)
        return untold

    async def _reached(self, delivery: Delivery) -> set[str]:
        """The numbers that a text went to, or may have, or will."""
        not_reached = delivery.people(State.REFUSED, State.CANCELLED)
        if not_reached == delivery.total:
            return set()
        if not not_reached:
            return {each["number"] for each in delivery.request["attendees"]}
        # Each in a request of his or her own: the ledger knows which of them left.
        found = await self._ledger.people(delivery.id)
        ended = (State.REFUSED, State.CANCELLED)
        return {number for state, people in found if state not in ended for number, _ in people}


def _order(delivery: Delivery) -> tuple[int, str]:
    return delivery.created_at_ms, delivery.id


def _worth_looking(
    deliveries: Iterable[Delivery],
) -> Iterable[tuple[str, tuple[Delivery, TextRequest]]]:
    now = datetime.now(UTC)
    for delivery in deliveries:
        if delivery.kind is not Kind.TEXT or not delivery.request or not delivery.is_settled:
            continue
        request = TextRequest.from_json(delivery.request)
        if delivery.people(State.ACCEPTED) and may_have_changed(request, now):
            yield delivery.id, (delivery, request)


def _tells(text: Delivery, change: Change) -> bool:
    """Whether those who got this text need not be told by an earlier one's receipt.

    It says so itself: it is of this appointment, and of the time that it has now. Or it was wrong
    later than the earlier one, and its own receipt says so.
    """
    if not text.request:
        return False
    request = TextRequest.from_json(text.request)
    if request.meeting.event_id != change.meeting.event_id:
        return False
    if change.kind == "moved":
        says_so = request.meeting.starts_at == change.meeting.starts_at
    else:
        says_so = request.message_type == change.message_type
    return says_so or any(_worth_looking([text]))


def _sentence(change: Change, zone: str) -> str:
    if change.kind == "moved":
        now = when(change.meeting, zone)
        return gettext("The appointment was moved since: it is now on {when}.", when=now)
    if change.kind == "cancelled":
        return gettext("The appointment was cancelled since.")
    return gettext("The appointment no longer stands in your calendar.")
