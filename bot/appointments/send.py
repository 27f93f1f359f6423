"""From a request to what Graph is sent: all attendees in one request, as documented."""

from typing import Any

from bot.appointments.request import TextRequest
from bot.delivery.actions import text_call


def call(request: TextRequest) -> dict[str, Any]:
    """What the requests of this text have in common."""
    return text_call(
        meeting_id=request.meeting.id,
        message_type=request.message_type,
        language=request.language,
    )


def people(request: TextRequest) -> list[list[list[str]]]:
    """Its one batch."""
    return [[[attendee.number, attendee.zone] for attendee in request.attendees]]
