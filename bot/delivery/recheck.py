"""Before a text leaves late, its meeting is read again: a wrong text is worse than a late one.

What leaves at once needs no second look: its review has just read the meeting. What is scheduled,
what its owner decided about later, and what waited for long is compared with what its sender saw.

HeraldError
└── Changed
    ├── MeetingMoved
    ├── MeetingCancelled
    ├── MeetingGone
    ├── MeetingUnreadable
    └── AppointmentBegan
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from bot.delivery.models import Batch
from bot.errors import HeraldError
from bot.graph.client import Graph, MeetingEvent
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


class MeetingGone(Changed):
    """The appointment no longer stands at its time, so this text waits for your decision."""


class MeetingUnreadable(Changed):
    """The appointment can't be read any more, so this text waits for your decision."""


class AppointmentBegan(Changed):
    """The appointment has begun before this could be sent, so it waits for your decision."""


def promise(
    *,
    join_link: str,
    starts_at: datetime | None,
    in_calendar: bool,
    told_at: datetime | None = None,
    begins_at: datetime | None = None,
    holds_until: datetime | None = None,
) -> dict[str, Any]:
    """What is kept with a text: the meeting as its sender saw it.

    `told_at` is what Graph told of the meeting itself: for a series its first day. `begins_at` is
    from when on the text would be late, or None where that was so already. `holds_until` is how
    long it needs no second look; without it, there always is one.
    """
    return {
        "join_link": join_link,
        "starts_at": _written(starts_at),
        "told_at": _written(told_at),
        "in_calendar": in_calendar,
        "begins_at": _written(begins_at),
        "holds_until": _written(holds_until),
    }


async def recheck(
    identity: Identity, graph: Graph, batch: Batch, call: Mapping[str, Any], now: datetime
) -> None:
    """Compare the meeting with what its sender saw, where that is due, and with the clock.

    Raises:
        Changed: it is not what it was, or has begun.
        IdentityError, GraphError: it could not be asked.
    """
    seen = call.get("promise")
    if not seen:
        return
    is_cancellation = call["message_type"] == "cancellation"
    if _is_due(batch, call, now):
        await _compare(identity, graph, batch, seen, is_cancellation=is_cancellation)
    begins_at = _read(seen, "begins_at")
    if begins_at and begins_at <= now and not is_cancellation:
        raise AppointmentBegan


def _is_due(batch: Batch, call: Mapping[str, Any], now: datetime) -> bool:
    """Whether there has to be a second look."""
    holds_until = _read(call["promise"], "holds_until")
    if holds_until is None or holds_until < now:
        return True
    # Just reviewed. A first go needs none, and after an error of the service just passed neither;
    # but something happened since where its owner decided or signed in, or a process died.
    is_first_go = batch.attempt == 1 and batch.due_at_ms <= call["created_at_ms"]
    return not is_first_go and not batch.problem


async def _compare(
    identity: Identity,
    graph: Graph,
    batch: Batch,
    seen: Mapping[str, Any],
    *,
    is_cancellation: bool,
) -> None:
    was_rejected = batch.problem == TokenRejected.__name__
    token = await identity.token(batch.actor, MEETINGS, renew=was_rejected)
    meeting = await graph.meeting_by_join_url(token.value, seen["join_link"])
    if meeting is None:
        raise MeetingUnreadable
    if is_cancellation:
        return
    starts_at = _read(seen, "starts_at")
    told_at = _read(seen, "told_at") or starts_at
    if told_at and meeting.start != told_at:
        raise MeetingMoved
    if starts_at and seen["in_calendar"]:
        events = await graph.upcoming_meetings(
            token.value, starts_at - _EITHER_SIDE, starts_at + _EITHER_SIDE, "UTC"
        )
        _stands([event for event in events if event.join_url == seen["join_link"]], starts_at)


def _stands(events: Sequence[MeetingEvent], starts_at: datetime) -> None:
    if not events:
        raise MeetingGone  # one of a series may have been moved far: nobody can tell
    standing = [event for event in events if not event.is_cancelled]
    if not standing:
        raise MeetingCancelled
    if all(event.start != starts_at for event in standing):
        raise MeetingMoved


def _written(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _read(seen: Mapping[str, Any], name: str) -> datetime | None:
    written = seen.get(name)
    return datetime.fromisoformat(written) if written else None
