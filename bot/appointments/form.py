"""The form of an appointment text: from values as they came to a request, or errors by field.

Everything is checked here, whatever the client checked: fields may be missing, stale or hostile.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.appointments.meetings import read_value
from bot.appointments.phone import NotTextable, read_number
from bot.appointments.request import LANGUAGES, MESSAGE_TYPES, Attendee, Meeting
from bot.appointments.zones import windows_name
from bot.delivery.schedule import Leaves
from bot.words import gettext, ngettext

MAX_ROWS = 10
MAX_ATTENDEES = 50  # a card shows each of them back; more is a case for a second text
_MAX_LINES_NAMED = 5
_UTC = "UTC"  # its Windows name is the same
# Read letter by letter, as it is: a parser and a browser may disagree about whose link it is.
_JOIN_LINK = re.compile(
    r"https://(teams\.microsoft\.com|teams\.cloud\.microsoft|teams\.live\.com)"
    r"/(l/meetup-join/|meet/)[^\s\\<>\"\x00-\x20\x7f-\x9f]+"
)


@dataclass(frozen=True)
class TextEntry:
    """What a form says about a text, read and checked, before the meeting is looked up."""

    join_link: str
    message_type: str
    language: str
    attendees: tuple[Attendee, ...]
    occurs_at: datetime | None = None  # the occurrence that was chosen from the list
    notes: tuple[str, ...] = ()


@dataclass
class _Reading:
    errors: dict[str, str] = field(default_factory=dict)
    attendees: dict[str, Attendee] = field(default_factory=dict)
    repeated: int = 0

    def add(self, attendee: Attendee) -> None:
        if attendee.number in self.attendees:
            self.repeated += 1
        else:
            self.attendees[attendee.number] = attendee


def read(
    values: Mapping[str, str], *, rows: int, own_zone: str
) -> tuple[TextEntry | None, dict[str, str]]:
    """Read a submitted form.

    `values` are the inputs by id; `own_zone` is the user's IANA zone, for list lines without one.
    Returns the entry and no errors, or None and one sentence for each field that needs another
    look.
    """
    reading = _Reading()
    join_link, occurs_at = _join_link(values, reading.errors)
    message_type = values.get("message_type", "")
    if message_type not in MESSAGE_TYPES:
        reading.errors["message_type"] = gettext("Choose what the text says.")
    language = values.get("language") or LANGUAGES[0]
    if language not in LANGUAGES:
        reading.errors["language"] = gettext("Choose one of the languages in the list.")
    _read_rows(values, rows, reading)
    _read_list(values.get("attendee_list", ""), own_zone, reading)
    if not reading.attendees and not any(
        key.startswith(("phone_", "attendee")) for key in reading.errors
    ):
        reading.errors["phone_0"] = gettext("Enter at least one phone number.")
    if len(reading.attendees) > MAX_ATTENDEES:
        reading.errors["attendee_list"] = gettext(
            "{number} numbers are more than one text can have. Send to at most {most} at a time.",
            number=len(reading.attendees),
            most=MAX_ATTENDEES,
        )
    if reading.errors:
        return None, reading.errors
    notes: tuple[str, ...] = ()
    if reading.repeated:
        notes = (gettext("A number that was entered twice gets one text."),)
    attendees = tuple(reading.attendees.values())
    return TextEntry(join_link, message_type, language, attendees, occurs_at, notes), {}


def unused(values: Mapping[str, str], entry: TextEntry, leaves: Leaves) -> dict[str, str]:
    """The inputs that were filled in and do not count, with those that they stand against.

    Another appointment was chosen beside the link that was pasted; a time was, and then “Now”.
    """
    chosen = values.get("meeting", "").strip()
    names = ["meeting", "join_link"] if chosen and read_value(chosen)[0] != entry.join_link else []
    names += ["when_date", "when_time"] if leaves.unused else []
    return {name: values.get(name, "") for name in names}


def too_late(meeting: Meeting, leaves_at: datetime | None, now: datetime) -> dict[str, str]:
    """The error of a time that the appointment has begun by; none where it is going on already."""
    if leaves_at and meeting.has_begun(leaves_at) and not meeting.has_begun(now):
        return {
            "when_time": gettext("The appointment has started by then. Choose an earlier time.")
        }
    return {}


def _join_link(values: Mapping[str, str], errors: dict[str, str]) -> tuple[str, datetime | None]:
    pasted = link_in(values.get("join_link", ""))
    chosen = values.get("meeting", "").strip()
    if pasted and read_value(chosen)[0] != pasted:
        return _checked_link(pasted, errors), None
    if chosen:
        link, occurs_at = read_value(chosen)
        if not _JOIN_LINK.fullmatch(link):
            errors["meeting"] = gettext(
                "Choose one of your meetings from the list, or paste its join link."
            )
        return link, occurs_at
    errors["join_link"] = gettext("Choose the appointment, or paste its Teams join link.")
    return "", None


def link_in(pasted: str) -> str:
    """The join link in what was pasted, often a whole invitation; without one, all of it."""
    for word in re.split(r"[\s<>()\[\]\"']+", pasted):
        if _JOIN_LINK.fullmatch(word):
            return word.rstrip(".,;")
    return pasted.strip()


def _checked_link(link: str, errors: dict[str, str]) -> str:
    if not _JOIN_LINK.fullmatch(link):
        errors["join_link"] = gettext(
            "This is not a Teams join link. It stands in the meeting's invitation and starts with "
            "https://teams.microsoft.com/l/meetup-join/ or https://teams.microsoft.com/meet/."
        )
    return link


def _read_rows(values: Mapping[str, str], rows: int, reading: _Reading) -> None:
    for row in range(min(rows, MAX_ROWS)):
        written = values.get(f"phone_{row}", "").strip()
        if not written:
            continue
        zone = windows_name(values.get(f"zone_{row}", ""))
        if zone is None:
            reading.errors[f"zone_{row}"] = gettext("Choose this person's time zone.")
        try:
            number = read_number(written)
        except NotTextable as error:
            reading.errors[f"phone_{row}"] = str(error)
            continue
        if zone is not None:
            reading.add(Attendee(number, zone))


def _read_list(pasted: str, own_zone: str, reading: _Reading) -> None:
    lines = [line.strip() for line in re.split(r"[\r\n;]+", pasted) if line.strip()]
    if len(lines) > MAX_ATTENDEES:
        reading.errors["attendee_list"] = gettext(
            "{number} lines are more than one text can have. Send to at most {most} at a time.",
            number=len(lines),
            most=MAX_ATTENDEES,
        )
        return
    wrong = []
    for number, line in enumerate(lines, start=1):
        try:
            reading.add(_read_line(line, own_zone))
        except NotTextable as error:
            wrong.append(gettext("Line {number}: {problem}", number=number, problem=error))
    if wrong:
        named, more = wrong[:_MAX_LINES_NAMED], len(wrong) - _MAX_LINES_NAMED
        if more > 0:
            named.append(ngettext("And {number} more line.", "And {number} more lines.", more))
        reading.errors["attendee_list"] = " ".join(named)


def _read_line(line: str, own_zone: str) -> Attendee:
    """`number` or `number, time zone`; a tab does as well as a comma."""
    written, *rest = re.split(r"[,\t]", line, maxsplit=1)
    zone_written = rest[0].strip() if rest else ""
    number = read_number(written)
    zone = windows_name(zone_written or own_zone)
    if zone is None and zone_written:
        raise NotTextable(
            gettext(
                "“{written}” is not a time zone. Write Eastern, Pacific, …",
                written=zone_written[:40],
            )
        )
    return Attendee(number, zone or _UTC)
