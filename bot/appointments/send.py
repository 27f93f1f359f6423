"""From a request to the one batch that Graph is sent: all attendees in one, as documented."""

from bot.appointments.request import TextRequest
from bot.delivery.actions import text_call
from bot.delivery.models import NewBatch


def batches(request: TextRequest) -> list[NewBatch]:
    """The batch of an appointment text."""
    call = text_call(
        meeting_id=request.meeting.id,
        attendees=[(attendee.number, attendee.zone) for attendee in request.attendees],
        message_type=request.message_type,
        language=request.language,
    )
    return [NewBatch(call=call, people=len(request.attendees))]
