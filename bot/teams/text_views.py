"""An appointment text in the words of its form and of its review."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from adaptivecards.adaptivecard import AdaptiveCard

from bot.appointments.meetings import value_of, when
from bot.appointments.phone import as_read
from bot.appointments.request import LANGUAGES, Meeting, TextRequest
from bot.appointments.zones import all_day, days_apart, friendly, local_time, offered
from bot.delivery.schedule import offered_days
from bot.teams.meetings import Meetings, in_the_list
from bot.teams.turn import Turn
from bot.teams.when import UNUSED, in_words, when_values
from bot.words import gettext, marked
from cards.text_form import MAX_ROWS, Choice, TextFormView, text_form
from cards.text_review import ReviewedAttendee, TextReviewView

FIRST_ROWS = 2
_SOMEWHERE = timedelta(hours=14)  # a day begins and ends so much apart in the world
_MESSAGES = {
    "confirmation": marked("Confirmation"),
    "reschedule": marked("New time"),
    "cancellation": marked("Cancellation"),
    "reminder": marked("Reminder"),
}
_SAYS = {
    "confirmation": marked("The text says that it is confirmed."),
    "reschedule": marked("The text says that it has a new time."),
    "reminder": marked("The text says that it starts soon."),
}
_LANGUAGE_NAMES = {
    "en-US": marked("English"),
    "es-US": marked("Spanish (United States)"),
    "es-MX": marked("Spanish (Mexico)"),
    "fr-FR": marked("French"),
    "de-DE": marked("German"),
    "pt-BR": marked("Portuguese (Brazil)"),
    "zh-CN": marked("Chinese (simplified)"),
    "ko-KR": marked("Korean"),
    "vi-VN": marked("Vietnamese"),
    "ru-RU": marked("Russian"),
    "ar-SA": marked("Arabic"),
}
_OVER = marked("As far as Herald can tell, this appointment is over: it began on {when}.")
_BOTH = marked("You chose an appointment from the list, too. The link that you pasted counts.")
_GOING_ON = marked("This appointment is going on already: it began on {when}.")
_NO_TIME = marked(
    "Your calendar doesn't tell when this appointment is, so please check that it is the right one."
)


def languages() -> tuple[Choice, ...]:
    """The languages a form offers."""
    return tuple(Choice(gettext(_LANGUAGE_NAMES[tag]), tag) for tag in LANGUAGES)


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


class TextCards:
    """Draws the form, with the appointments to choose from."""

    def __init__(self, meetings: Meetings) -> None:
        self._meetings = meetings

    async def form(
        self,
        turn: Turn,
        form_id: str,
        rows: int,
        values: Mapping[str, str],
        errors: Mapping[str, str],
        note: str = "",
        said: str = "",
    ) -> tuple[AdaptiveCard, Mapping[str, str]]:
        """The form's card, and the values that it ought to show.

        `note` is for the beginning; `said` is what the press of a button came to.
        """
        offer = await self._meetings.offer(turn, values.get("meeting", ""))
        earliest, latest = offered_days(turn.place.zone, datetime.now(UTC))
        shown = in_the_list(values, offer)
        zones = tuple(Choice(zone.name, zone.windows) for zone in offered(turn.place.zone))
        view = TextFormView(
            form_id=form_id,
            rows=rows,
            meetings=offer.choices,
            zones=zones,
            languages=languages(),
            values=shown,
            errors=errors,
            note=" ".join(filter(None, (note, offer.why_not))),
            said=said,
            zone_name=friendly(turn.place.zone),
            earliest=earliest,
            latest=latest,
            can_allow=offer.can_allow,
            is_late=offer.is_late,
            meetings_in_all=offer.in_all,
        )
        return text_form(view), shown


def review_view(
    turn: Turn, form_id: str, request: TextRequest, notes: tuple[str, ...], draft_id: str
) -> TextReviewView:
    """What the review shows of a draft."""
    starts_at = request.meeting.starts_at
    zone = turn.place.zone
    return TextReviewView(
        form_id=form_id,
        message_type=gettext(_MESSAGES[request.message_type]),
        subject=request.meeting.title,
        when=when(request.meeting, zone),
        language=gettext(_LANGUAGE_NAMES[request.language]),
        attendees=tuple(
            ReviewedAttendee(
                number=as_read(attendee.number),
                zone=friendly(attendee.zone),
                local_time=_local_time(request.meeting, attendee.zone),
                other_day=_other_day(request.meeting, attendee.zone, zone),
            )
            for attendee in request.attendees
        ),
        warnings=_warnings(request, zone, datetime.now(UTC)),
        notes=notes if starts_at else (gettext(_NO_TIME), *notes),
        draft_id=draft_id,
        leaves=in_words(request.leaves_at, zone),
        unused=tuple(_unused(request)),
    )


def _unused(request: TextRequest) -> Iterator[str]:
    if "join_link" in request.unused:
        yield gettext(_BOTH)
    if "when_date" in request.unused:
        yield gettext(UNUSED)


def _local_time(meeting: Meeting, zone: str) -> str:
    if meeting.starts_at is None:
        return ""
    is_all_day = meeting.is_all_day
    return all_day(meeting.starts_at) if is_all_day else local_time(meeting.starts_at, zone)


def _other_day(meeting: Meeting, zone: str, own: str) -> str:
    """Where an attendee's date is another than the organizer's: which."""
    if meeting.starts_at is None or meeting.is_all_day:
        return ""
    days = days_apart(meeting.starts_at, zone, own)
    if days == 0:
        return ""
    return gettext("the day before yours") if days < 0 else gettext("the day after yours")


def _warnings(request: TextRequest, zone: str, now: datetime) -> tuple[str, ...]:
    """What doesn't fit between the appointment and what the text says of it."""
    meeting, found = request.meeting, []
    says = _SAYS.get(request.message_type, "")
    if meeting.is_cancelled and says:
        cancelled = gettext("Your calendar says that this appointment is cancelled.")
        found.append(f"{cancelled} {gettext(says)}")
    # An all-day one has no hours, and its day is not over everywhere at the same time.
    now = now - _SOMEWHERE if meeting.is_all_day else now
    if meeting.starts_at and meeting.starts_at <= now:
        if meeting.is_all_day and (meeting.ends_at is None or meeting.ends_at > now):
            return tuple(found)
        began = _local_time(meeting, zone)
        is_over = meeting.ends_at is None or meeting.ends_at <= now
        found.append(gettext(_OVER if is_over else _GOING_ON, when=began))
    return tuple(found)
