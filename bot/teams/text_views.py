"""An appointment text in the words of its form and of its review."""

from datetime import UTC, datetime

from bot.appointments.meetings import value_of
from bot.appointments.phone import as_read
from bot.appointments.request import LANGUAGES, TextRequest
from bot.appointments.zones import friendly, local_time
from bot.teams.turn import Turn
from bot.teams.when import in_words, when_values
from cards.text_form import MAX_ROWS, Choice
from cards.text_review import ReviewedAttendee, TextReviewView

FIRST_ROWS = 2
_MESSAGES = {
    "confirmation": "Confirmation",
    "reschedule": "New time",
    "cancellation": "Cancellation",
    "reminder": "Reminder",
}
_SAYS = {
    "confirmation": "is confirmed",
    "reschedule": "has a new time",
    "reminder": "starts soon",
}
_LANGUAGE_NAMES = {
    "en-US": "English",
    "es-US": "Spanish (United States)",
    "es-MX": "Spanish (Mexico)",
    "fr-FR": "French",
    "de-DE": "German",
    "pt-BR": "Portuguese (Brazil)",
    "zh-CN": "Chinese (simplified)",
    "ko-KR": "Korean",
    "vi-VN": "Vietnamese",
    "ru-RU": "Russian",
    "ar-SA": "Arabic",
}
_NO_TIME = (
    "Your calendar doesn't tell when this appointment is, so please check that it is the right one."
)


def languages() -> tuple[Choice, ...]:
    """The languages a form offers."""
    return tuple(Choice(_LANGUAGE_NAMES[tag], tag) for tag in LANGUAGES)


def default_language(turn: Turn) -> str:
    """The first guess: patients' language is the form's choice, the user's own is a hint."""
    return next((tag for tag in LANGUAGES if tag == turn.place.locale), LANGUAGES[0])


def rows_of(request: TextRequest) -> int:
    """How many rows the form of this request has."""
    return max(FIRST_ROWS, min(len(request.attendees), MAX_ROWS))


def values_of(turn: Turn, request: TextRequest) -> dict[str, str]:
    """The form's inputs, as they would be entered for this request."""
    starts_at = request.meeting.starts_at if request.in_calendar else None
    values = when_values(request.leaves_at, turn.place.zone) | {
        "meeting": value_of(request.join_link, starts_at),
        "message_type": request.message_type,
        "language": request.language,
    }
    for row, attendee in enumerate(request.attendees[:MAX_ROWS]):
        values |= {f"phone_{row}": as_read(attendee.number), f"zone_{row}": attendee.zone}
    rest = [
        f"{as_read(attendee.number)}, {attendee.zone}" for attendee in request.attendees[MAX_ROWS:]
    ]
    return values | {"attendee_list": "\n".join(rest)}


def review_view(
    turn: Turn, form_id: str, request: TextRequest, notes: tuple[str, ...], draft_id: str
) -> TextReviewView:
    """What the review shows of a draft."""
    starts_at = request.meeting.starts_at
    zone = turn.place.zone
    return TextReviewView(
        form_id=form_id,
        message_type=_MESSAGES[request.message_type],
        subject=request.meeting.subject,
        when=f"{local_time(starts_at, zone)}, {friendly(zone)}" if starts_at else "",
        language=_LANGUAGE_NAMES[request.language],
        attendees=tuple(
            ReviewedAttendee(
                number=as_read(attendee.number),
                zone=friendly(attendee.zone),
                local_time=local_time(starts_at, attendee.zone) if starts_at else "",
            )
            for attendee in request.attendees
        ),
        warnings=_warnings(request, zone, datetime.now(UTC)),
        notes=notes if starts_at else (_NO_TIME, *notes),
        draft_id=draft_id,
        leaves=in_words(request.leaves_at, zone),
    )


def _warnings(request: TextRequest, zone: str, now: datetime) -> tuple[str, ...]:
    """What doesn't fit between the appointment and what the text says of it."""
    meeting, found = request.meeting, []
    says = _SAYS.get(request.message_type, "")
    if meeting.is_cancelled and says:
        found.append(
            f"Your calendar says that this appointment is cancelled. The text says that it {says}."
        )
    if meeting.starts_at and meeting.starts_at <= now:
        began = f"it began on {local_time(meeting.starts_at, zone)}"
        if meeting.ends_at is None or meeting.ends_at <= now:
            found.append(f"As far as Herald can tell, this appointment is over: {began}.")
        else:
            found.append(f"This appointment is going on already: {began}.")
    return tuple(found)
