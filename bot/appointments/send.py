"""From a request to what Graph is sent: all attendees in one request, as documented."""

from datetime import datetime
from typing import Any

from bot.appointments.request import TextRequest
from bot.delivery.actions import text_call
from bot.delivery.recheck import promise


def call(
    request: TextRequest, seen_at: datetime, *, holds_until: datetime | None = None
) -> dict[str, Any]:
    """What the requests of this text have in common.

    With them goes the meeting as its sender saw it at `seen_at`. Until `holds_until` that needs no
    second look, unless the text is to leave later anyway; without it there always is one.
    """
    found = text_call(
        meeting_id=request.meeting.id,
        message_type=request.message_type,
        language=request.language,
    )
    meeting = request.meeting
    seen = promise(
        join_link=request.join_link,
        starts_at=meeting.starts_at,
        told_at=meeting.told_at,
        in_calendar=request.in_calendar,
        begins_at=None if meeting.has_begun(seen_at) else meeting.begins_at,
        holds_until=None if request.leaves_at else holds_until,
    )
    return found | {"promise": seen}


def people(request: TextRequest) -> list[list[list[str]]]:
    """Its one batch."""
    return [[[attendee.number, attendee.zone] for attendee in request.attendees]]
