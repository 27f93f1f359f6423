"""The form of an appointment text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.words import gettext, marked, written
from cards.blocks import aside, heading, section
from cards.buttons import AddAttendee, AllowCalendar, ReviewText
from cards.elements import ActionSet, AdaptiveCard, Element, card, execute
from cards.fields import Fields, fitted_form, fitting, note_above, side_by_side
from cards.when import when_section

MAX_ROWS = 10
MEETINGS_DATASET = "meetings"  # what the client asks for while somebody types


@dataclass(frozen=True)
class Choice:
    """One choice of a list: what is shown and what is sent back."""

    title: str
    value: str


@dataclass(frozen=True)
class TextFormView:
    """Everything the form shows.

    `values` are the inputs' values by input id, as they were entered; `errors` are sentences by
    input id. Input ids: `meeting` (a value of `meetings`), `join_link` (pasted),
    `message_type` (confirmation, reschedule, cancellation, reminder), `language` (an
    Accept-Language tag), `phone_<n>` and `zone_<n>` for n in range(rows), `attendee_list` (one a
    line: "number, time zone"), `when` (now, later), `when_date` (2026-12-01), `when_time` (09:00).
    """

    form_id: str
    rows: int
    meetings: tuple[Choice, ...]
    zones: tuple[Choice, ...]  # the user's own first; values are Windows names
    languages: tuple[Choice, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    note: str = ""  # a sentence at the top, such as why the calendar could not be read
    said: str = ""  # what the press before came to: it stands above the buttons, too
    zone_name: str = ""  # the user's own zone, "Pacific time"; without it there is no "when"
    earliest: str = ""  # ISO dates: what a date input offers
    latest: str = ""
    can_allow: bool = False  # the calendar may be read once its owner allows it
    is_late: bool = False  # the calendar has not answered yet
    meetings_in_all: str = ""  # "40" or "100 or more", where `meetings` are not all of them


_MESSAGE_TYPES = (
    (marked("It is confirmed"), "confirmation"),
    (marked("It has a new time"), "reschedule"),
    (marked("It is cancelled"), "cancellation"),
    (marked("It starts soon (reminder)"), "reminder"),
)
_WHOSE = marked("Mobile numbers of the United States. Fill in the rows, or paste a list, or both.")
_OPENING = marked("For people from outside. You see everything once more before it is sent.")
_MEETINGS_BYTES = 10_000
_ZONES_BYTES = 7_000
# Its one parameter has one value, `mins15`; what Microsoft does before then is not documented.
_REMINDERS = marked(
    "A reminder is made for 15 minutes before the start, and Microsoft doesn't say whether it "
    "waits until then. Best let it leave at that time."
)


def text_form(view: TextFormView) -> AdaptiveCard:
    """The form. Nothing leaves with it: its main button leads to the review."""
    return fitted_form(view.values, _errors(view), lambda fields: _card(view, fields))


def _errors(view: TextFormView) -> Mapping[str, str]:
    """Where there is a list, a missing appointment is missing there, and not in the field below."""
    missing = view.errors.get("join_link", "")
    if not missing or not view.meetings or view.values.get("join_link"):
        return view.errors
    rest = {name: error for name, error in view.errors.items() if name != "join_link"}
    return {"meeting": missing, **rest}


def _card(view: TextFormView, fields: Fields) -> AdaptiveCard:
    rows = min(max(view.rows, 1), MAX_ROWS)
    return card(
        [
            heading(gettext("Text the people of an appointment")),
            *fields.opening(gettext(_OPENING), view.said),
            *note_above(view.note),
            *_allow(view, rows),
            *_appointment(view, fields),
            *_message(fields),
            *_people(view, fields, rows),
            *when_section(fields, view.zone_name, view.earliest, view.latest),
            *_language(view, fields),
            *fields.closing(view.said),
        ],
        [execute(gettext("Review"), ReviewText(view.form_id, rows), main=True, inputs=True)],
        summary=gettext("A form for texting the people of an appointment."),
    )


def _allow(view: TextFormView, rows: int) -> list[Element]:
    if not view.can_allow and not view.is_late:
        return []
    button = AllowCalendar(view.form_id, min(rows, MAX_ROWS))
    title = gettext("List my meetings")
    if view.can_allow:
        title = gettext("Sign in to list my meetings")
    return [ActionSet(actions=[execute(title, button, inputs=True)])]


def _appointment(view: TextFormView, fields: Fields) -> list[Element]:
    link_label = gettext("Its join link (needed)")
    if view.meetings:
        link_label = gettext("Or the join link of another one")
    link = fields.text(
        "join_link", link_label, placeholder="https://teams.microsoft.com/…", style="url"
    )
    return [section(gettext("The appointment")), *_meetings(view, fields), link]


def _meetings(view: TextFormView, fields: Fields) -> list[Element]:
    if not view.meetings:
        return []
    most, chosen = int(_MEETINGS_BYTES * fields.room), fields.values.get("meeting", "")
    listed = fitting(view.meetings, most, [chosen, view.meetings[0].value])
    choice = fields.choice(
        "meeting",
        gettext("Your meeting"),
        listed,
        max_bytes=_MEETINGS_BYTES,
        style="filtered",
        choices_data={"type": "Data.Query", "dataset": MEETINGS_DATASET},
        placeholder=gettext("Choose one, or type to search"),
    )
    in_all = view.meetings_in_all or str(len(view.meetings))
    if in_all == str(len(listed)):
        return [choice]
    some = gettext(
        "{number} of {total} are listed. Type to find another, or paste its link.",
        number=written(len(listed)),
        total=in_all,
    )
    return [choice, aside(some)]


def _message(fields: Fields) -> list[Element]:
    message = fields.choice(
        "message_type",
        gettext("What the text says"),
        [Choice(gettext(title), value) for title, value in _MESSAGE_TYPES],
        default="confirmation",
        style="expanded",
        is_required=True,
        error_message=gettext("Choose what the text says."),
    )
    return [section(gettext("The message")), message, *fields.hint(gettext(_REMINDERS))]


def _language(view: TextFormView, fields: Fields) -> list[Element]:
    if not view.languages:
        return []
    first = view.languages[0].value
    return [
        fields.choice(
            "language",
            gettext("Language of the text"),
            view.languages,
            default=first,
            style="compact",
            is_required=True,
            error_message=gettext("Choose a language."),
        )
    ]


def _people(view: TextFormView, fields: Fields, rows: int) -> list[Element]:
    more = execute(gettext("Add a person"), AddAttendee(view.form_id, rows), inputs=True)
    return [
        section(gettext("Who gets the text")),
        *fields.hint(gettext(_WHOSE)),
        *(_person(fields, row, view.zones, _ZONES_BYTES // rows) for row in range(rows)),
        *([ActionSet(actions=[more])] if rows < MAX_ROWS else []),
        fields.long_text(
            "attendee_list",
            gettext("A list: one person a line (optional)"),
            placeholder=gettext("(206) 555-0142, Pacific Time"),
        ),
    ]


def _person(fields: Fields, row: int, zones: Sequence[Choice], max_bytes: int) -> Element:
    phone = fields.text(
        f"phone_{row}",
        gettext("Mobile number {row}", row=row + 1),
        max_bytes=200,
        placeholder="(206) 555-0142",
        style="tel",
    )
    zone = fields.choice(
        f"zone_{row}",
        gettext("Time zone {row}", row=row + 1),
        zones,
        default=zones[0].value if zones else "",
        max_bytes=max_bytes,
        style="compact",
    )
    return side_by_side(phone, zone)
