"""When a text's receipt is looked at: whether its appointment was moved or cancelled since.

Looking is quick or left out: a receipt never waits for the calendar.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from bot.appointments.changes import Change, change_of, may_have_changed
from bot.appointments.meetings import when
from bot.appointments.request import TextRequest
from bot.delivery.models import Delivery, Kind, State
from bot.errors import HeraldError
from bot.graph.client import Graph
from bot.identity.obo import MEETINGS, Identity
from bot.teams.turn import Turn
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

    def __init__(self, identity: Identity, graph: Graph) -> None:
        self._identity = identity
        self._graph = graph

    async def seen(
        self, turn: Turn, deliveries: Iterable[Delivery], later: Iterable[Delivery] = ()
    ) -> dict[str, ChangeSeen]:
        """What changed since, by delivery id; nothing of those of which nobody can tell.

        What `later` texts told already is not offered again.
        """
        requests = dict(_worth_looking(deliveries))
        if not requests:
            return {}
        found = await self._read(turn, requests)
        told = [*_told(later)]
        return {
            key: ChangeSeen(_sentence(change, turn.place.zone), change.message_type)
            for key, change in found.items()
            if not any(_says(text, change) for text in told)
        }

    async def now(self, turn: Turn, request: TextRequest) -> TextRequest:
        """The request about its appointment as it stands now, as far as that can be told."""
        found = await self._read(turn, {"": request})
        return replace(request, meeting=found[""].meeting) if found else request

    async def _read(self, turn: Turn, requests: dict[str, TextRequest]) -> dict[str, Change]:
        ids = [request.meeting.event_id for request in requests.values()]
        try:
            async with asyncio.timeout(min(_PATIENCE_S, turn.left_s())):
                token = await self._identity.token(turn.actor, MEETINGS)
                events = await self._graph.events_by_id(token.value, ids)
        except (HeraldError, TimeoutError) as error:
            log.info("text_changes.not_read", problem=type(error).__name__)
            return {}
        found = {
            key: change_of(request, events[request.meeting.event_id])
            for key, request in requests.items()
        }
        return {key: change for key, change in found.items() if change}


def _worth_looking(deliveries: Iterable[Delivery]) -> Iterable[tuple[str, TextRequest]]:
    now = datetime.now(UTC)
    for delivery in deliveries:
        if delivery.kind is not Kind.TEXT or not delivery.request or not delivery.is_settled:
            continue
        request = TextRequest.from_json(delivery.request)
        if delivery.people(State.ACCEPTED) and may_have_changed(request, now):
            yield delivery.id, request


def _told(deliveries: Iterable[Delivery]) -> Iterable[TextRequest]:
    for delivery in deliveries:
        waits_or_left = delivery.people(*State) - delivery.people(State.REFUSED, State.CANCELLED)
        if delivery.kind is Kind.TEXT and delivery.request and waits_or_left:
            yield TextRequest.from_json(delivery.request)


def _says(text: TextRequest, change: Change) -> bool:
    """Whether a text tells this change: of this appointment, and of the time it has now."""
    if text.meeting.event_id != change.meeting.event_id:
        return False
    if change.kind == "moved":
        return text.meeting.starts_at == change.meeting.starts_at
    return text.message_type == change.message_type


def _sentence(change: Change, zone: str) -> str:
    if change.kind == "moved":
        now = when(change.meeting, zone)
        return gettext("The appointment was moved since: it is now on {when}.", when=now)
    if change.kind == "cancelled":
        return gettext("The appointment was cancelled since.")
    return gettext("The appointment no longer stands in your calendar.")
