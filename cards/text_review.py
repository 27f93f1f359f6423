"""An appointment text as it was read, before it is sent: it cannot be taken back."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ReviewedAttendee:
    """One attendee: the number as it was read, in full (only its owner sees it), and the times."""

    number: str  # "(206) 555-0142", as phonenumbers formats it
    zone: str  # friendly name
    local_time: str  # the appointment's start there: "Tue, Dec 1, 9:00 AM", or "" when unknown


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
