"""An appointment text as it was read, before it is sent: it cannot be taken back."""

from dataclasses import dataclass

from bot.words import gettext, ngettext
from cards.blocks import banner, bullets, facts, heading, people, section, sentence
from cards.buttons import EditText, SendText
from cards.elements import AdaptiveCard, Element, card, execute, fitted, rich_text, run
from cards.when import departure, please_check, send_title, unused


@dataclass(frozen=True)
class ReviewedAttendee:
    """One attendee: the number as it was read, in full (only its owner sees it), and the times."""

    number: str  # "(206) 555-0142", as phonenumbers formats it
    zone: str  # friendly name
    local_time: str  # the appointment's start there: "Tue, Dec 1, 9:00 AM", or "" when unknown
    other_day: str = ""  # "the day before yours", where the date there is another


@dataclass(frozen=True)
class TextReviewView:
    """What will be sent, to whom, about which meeting."""

    form_id: str
    message_type: str  # "Confirmation"
    subject: str  # the meeting's subject
    when: str  # the meeting's start in the user's own zone, with the zone's name
    language: str  # "English (United States)"
    attendees: tuple[ReviewedAttendee, ...]
    notes: tuple[str, ...] = ()  # such as a number listed twice that gets one text
    draft_id: str = "draft"
    leaves: str = ""  # "Tue, Dec 1, 9:00 AM, Pacific time"; empty for now
    warnings: tuple[str, ...] = ()  # such as an appointment that is cancelled or over
    unused: tuple[str, ...] = ()  # sentences: what was filled in, but does not count


_SHOWN = 50  # attendees a card lists; a pasted list may be longer


def text_review(view: TextReviewView) -> AdaptiveCard:
    """Everything as it was read, and the button that sends it."""
    return fitted(lambda room: _card(view, 5 + int(_SHOWN * room)))


def _card(view: TextReviewView, at_most: int) -> AdaptiveCard:
    whom = people(len(view.attendees))
    send = SendText(view.form_id, view.draft_id)
    return card(
        [
            heading(gettext("Is everything right?")),
            *_warned(view.warnings),
            *facts(
                [
                    (gettext("Meeting"), view.subject),
                    (gettext("When"), view.when),
                    (gettext("Message"), view.message_type),
                    (gettext("Language"), view.language),
                ]
            ),
            section(gettext("Goes to {whom}", whom=whom)),
            *(_attendee(attendee) for attendee in view.attendees[:at_most]),
            *_rest(len(view.attendees) - at_most),
            *bullets(view.notes, at_most=8),
            *departure(view.leaves, gettext("A text can't be taken back once it is sent.")),
            *unused(view.unused),
        ],
        [
            execute(send_title(view.leaves, whom), send, main=True),
            execute(gettext("Change something"), EditText(view.form_id)),
        ],
        summary=f"{_said(view, whom)} {please_check(view.leaves)}",
    )


def _said(view: TextReviewView, whom: str) -> str:
    return gettext(
        "{message} for {meeting}, to {whom}.",
        message=view.message_type,
        meeting=view.subject,
        whom=whom,
    )


def _warned(warnings: tuple[str, ...]) -> list[Element]:
    if not warnings:
        return []
    closely = gettext("Please look closely")
    return [banner("warning", "⚠️", closely, *map(sentence, warnings[:4]))]


def _attendee(attendee: ReviewedAttendee) -> Element:
    there = gettext("{time} there", time=attendee.local_time)
    where = [attendee.zone, there if attendee.local_time else "", attendee.other_day]
    return rich_text(
        run(attendee.number, limit=40, weight="bolder"),
        run("  " + ", ".join(part for part in where if part), limit=120),
        spacing="small",
    )


def _rest(number: int) -> list[Element]:
    if number < 1:
        return []
    more = ngettext(
        "… and {number} more, as you entered them",
        "… and {number} more, as you entered them",
        number,
    )
    return [rich_text(run(more))]
