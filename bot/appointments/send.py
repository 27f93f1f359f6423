"""From a request to what Graph is sent: all attendees in one request, as documented."""

from typing import Any

from bot.appointments.request import TextRequest
from bot.delivery.actions import text_call
from bot.delivery.recheck import promise


def call(request: TextRequest) -> dict[str, Any]:
    """What the requests of this text have in common."""
    found = text_call(
        meeting_id=request.meeting.id,
        message_type=request.message_type,
        language=request.language,
    )
    if request.leaves_at is None:
        return found
    # What leaves later is compared with the meeting as its sender saw it.
    seen = promise(
        join_link=request.join_link,
        starts_at=request.meeting.starts_at,
        told_at=request.meeting.told_at,
        in_calendar=request.in_calendar,
    )
    return found | {"promise": seen}


def people(request: TextRequest) -> list[list[list[str]]]:
    """Its one batch."""
    return [[[attendee.number, attendee.zone] for attendee in request.attendees]]
