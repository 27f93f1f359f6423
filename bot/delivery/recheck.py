"""Before a scheduled text leaves, its meeting is read again: a wrong text is worse than a late one.

HeraldError
└── Changed
    ├── MeetingMoved
    ├── MeetingCancelled
    └── MeetingUnreadable
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from bot.delivery.models import Batch
from bot.errors import HeraldError
from bot.graph.client import Graph
from bot.graph.errors import TokenRejected
from bot.identity.obo import MEETINGS, Identity

_EITHER_SIDE = timedelta(hours=12)


class Changed(HeraldError):
    """What this text is about has changed, so it waits for your decision."""

    advice: ClassVar[str] = "Send it anyway, change it, or cancel it."


class MeetingMoved(Changed):
    """The appointment was moved meanwhile, so this text waits for your decision."""


class MeetingCancelled(Changed):
    """The appointment was cancelled meanwhile, so this text waits for your decision."""


class MeetingUnreadable(Changed):
    """The appointment can't be read any more, so this text waits for your decision."""


def promise(
    *,
    join_link: str,
    starts_at: datetime | None,
    in_calendar: bool,
    told_at: datetime | None = None,
) -> dict[str, Any]:
    """What is kept with a scheduled text: the meeting as its sender saw it.

    `told_at` is what Graph told of the meeting itself: for a series its first day.
    """
    return {
        "join_link": join_link,
        "starts_at": starts_at.isoformat() if starts_at else None,
        "told_at": told_at.isoformat() if told_at else None,
        "in_calendar": in_calendar,
    }


async def recheck(identity: Identity, graph: Graph, batch: Batch, call: Mapping[str, Any]) -> None:
    """Compare the meeting with what its sender saw.

    Raises:
        Changed: it is not what it was.
        IdentityError, GraphError: it could not be asked.
    """
    seen = call.get("promise")
    if not seen:
        return
    was_rejected = batch.problem == TokenRejected.__name__
    token = await identity.token(batch.actor, MEETINGS, renew=was_rejected)
    meeting = await graph.meeting_by_join_url(token.value, seen["join_link"])
    if meeting is None:
        raise MeetingUnreadable
    is_cancellation = call["message_type"] == "cancellation"
    starts_at = datetime.fromisoformat(seen["starts_at"]) if seen["starts_at"] else None
    told_at = datetime.fromisoformat(seen["told_at"]) if seen.get("told_at") else starts_at
    if told_at and meeting.start != told_at and not is_cancellation:
        raise MeetingMoved
    if starts_at and seen["in_calendar"] and not is_cancellation:
        events = await graph.upcoming_meetings(
            token.value, starts_at - _EITHER_SIDE, starts_at + _EITHER_SIDE, "UTC"
        )
        stands = [event for event in events if event.join_url == seen["join_link"]]
        if not stands and told_at != starts_at:
            raise MeetingUnreadable  # one of a series: moved or cancelled, nobody can tell
        stands = [event for event in stands if not event.is_cancelled]
        if not stands:
            raise MeetingCancelled
        if all(event.start != starts_at for event in stands):
            raise MeetingMoved
