"""What became of an appointment after people were told of it: moved, cancelled, or gone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from bot.appointments.request import Meeting, TextRequest
from bot.graph.client import MeetingEvent

OFFERS = {"moved": "reschedule", "cancelled": "cancellation", "gone": "cancellation"}
_SAYS_CANCELLED = "cancellation"


@dataclass(frozen=True)
class Change:
    """How an appointment differs from what people were told; `meeting` is what it is now."""

    kind: Literal["moved", "cancelled", "gone"]
    meeting: Meeting

    @property
    def message_type(self) -> str:
        """The text that says so."""
        return OFFERS[self.kind]


def may_have_changed(request: TextRequest, now: datetime) -> bool:
    """Whether it is worth looking: there is an event to find, and its time is not over."""
    meeting = request.meeting
    if request.message_type == _SAYS_CANCELLED or not (meeting.event_id or request.join_link):
        return False
    ends_at = meeting.ends_at or meeting.starts_at
    return ends_at is not None and ends_at > now


def change_of(request: TextRequest, event: MeetingEvent | None) -> Change | None:
    """What an appointment's event tells now, compared with what its text was about."""
    was = request.meeting
    if event is None:
        return Change("gone", was)
    is_now = replace(
        was,
        subject=event.subject or was.subject,
        starts_at=event.start.astimezone(UTC),
        ends_at=event.end.astimezone(UTC),
        is_cancelled=event.is_cancelled,
        is_all_day=event.is_all_day,
    )
    if event.is_cancelled:
        return None if was.is_cancelled else Change("cancelled", is_now)
    if is_now.starts_at != was.starts_at:
        return Change("moved", is_now)
    return None


def change_by_link(request: TextRequest, events: Sequence[MeetingEvent]) -> Change | None:
    """The same of an appointment whose event was not known when its text was sent.

    `events` are the sender's own to come. Its link finds it where it stands at the time that people
    were told, or where it is the only one with that link. Of a series that has no such occurrence
    nobody can tell which was meant, and what is in no calendar may never have been in one.
    """
    own = [event for event in events if event.join_url == request.join_link]
    same = [event for event in own if event.start == request.meeting.starts_at]
    if not same and len(own) != 1:
        return None
    event = (same or own)[0]
    change = change_of(request, event)
    return replace(change, meeting=replace(change.meeting, event_id=event.id)) if change else None
