"""Whether a text can be sent about what was found of an appointment, and what changed of it."""

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.appointments.form import too_late
from bot.appointments.meetings import Found
from bot.appointments.request import TextRequest
from bot.words import gettext, marked

NOT_ORGANIZER = marked(
    "No appointment of yours has this link. Only its organizer can send texts for it: please "
    "check the link, or ask the organizer."
)
_GONE = marked(
    "This appointment was moved or taken out of your calendar meanwhile. Choose it again."
)


def not_the_one(
    found: Found | None, values: Mapping[str, str], leaves_at: datetime | None
) -> dict[str, str]:
    """Why no text can be sent about this appointment, or not then."""
    if found is None:
        field = "join_link" if values.get("join_link") else "meeting"
        return {field: gettext(NOT_ORGANIZER)}
    if found.is_gone:
        return {"meeting": gettext(_GONE)}
    return too_late(found.meeting, leaves_at, datetime.now(UTC))


def is_as_shown(found: Found, request: TextRequest) -> bool:
    """Whether the appointment is what its review showed."""
    seen, now = request.meeting, found.meeting
    if found.in_calendar is None:  # all that can be compared is what the meeting itself tells
        return now.told_at == seen.told_at
    same = (now.starts_at, now.is_cancelled) == (seen.starts_at, seen.is_cancelled)
    return same and not found.is_gone
