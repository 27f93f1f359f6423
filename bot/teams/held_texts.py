"""What is kept with a held text once its owner has decided about it: its meeting as it is now.

Whoever says “Send it anyway”, or chooses another time, has read on the card what changed. So that
is no reason to ask again, and no news to those who were told.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import structlog

from bot.appointments import send
from bot.appointments.changes import Change
from bot.appointments.request import TextRequest
from bot.delivery.decisions import Renewal
from bot.delivery.models import Delivery, Kind, State
from bot.errors import HeraldError
from bot.graph.client import Graph
from bot.graph.records import OnlineMeeting
from bot.identity.obo import MEETINGS, Identity
from bot.teams.text_changes import TextChanges
from bot.teams.turn import Turn

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class HeldTexts:
    """Reads the meeting of a held text again."""

    identity: Identity
    graph: Graph
    changes: TextChanges

    async def renewed(self, turn: Turn, delivery: Delivery) -> Renewal | None:
        """What to keep from now on; None where nothing is held, or nobody can tell in time."""
        is_text = delivery.kind is Kind.TEXT and delivery.request
        if not is_text or not delivery.people(State.HELD):
            return None
        request = TextRequest.from_json(delivery.request)
        try:
            async with asyncio.timeout(turn.left_s()):
                told, change = await asyncio.gather(
                    self._told(turn, request), self.changes.change(turn, request)
                )
        except (HeraldError, TimeoutError) as error:
            log.info("held_texts.not_read", problem=type(error).__name__)
            return None
        return _renewed(request, told, change)

    async def _told(self, turn: Turn, request: TextRequest) -> OnlineMeeting | None:
        token = await self.identity.token(turn.actor, MEETINGS)
        return await self.graph.meeting_by_join_url(token.value, request.join_link)


def _renewed(request: TextRequest, told: OnlineMeeting | None, change: Change | None) -> Renewal:
    meeting = change.meeting if change else request.meeting
    if told:
        meeting = replace(meeting, told_at=told.start)
    now, request = datetime.now(UTC), replace(request, meeting=meeting)
    # Where it no longer stands in the calendar, there is nothing left to compare it with there.
    stands = request.in_calendar and (change is None or change.kind == "moved")
    call: dict[str, Any] = send.call(replace(request, in_calendar=stands), now)
    if told is None:
        del call["promise"]
    return Renewal(request.to_json(), call)
