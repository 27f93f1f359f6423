"""A delivery as its card shows it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from cards.blocks import people
from cards.plain import clean

DeliveryState = Literal[
    "scheduled",
    "waiting",
    "accepted",
    "arrived",
    "refused",
    "unknown",
    "mixed",
    "needs_sign_in",
    "held",
    "cancelled",
]


@dataclass(frozen=True)
class Problem:
    """What happened, to whom, and what to do about it."""

    what: str  # "Graph refused this: Herald is not installed for everyone."
    who: str = ""  # "Batch 3: 100 people", "the number ending in 0142"
    advice: str = ""  # one thing to do
    reference: str = ""  # Graph's request id, for whoever is asked for help


@dataclass(frozen=True)
class DeliveryView:
    """Counts are people: attendees of a text, recipients of a notification.

    They add up: accepted + arrived + refused + unknown + waiting + cancelled = total.
    """

    delivery_id: str
    short_id: str  # what `status <id>` takes
    kind: Literal["text", "notice"]
    title: str  # "Confirmation text", "Notification"
    about: str  # the meeting's subject and time, or the notice's text
    state: DeliveryState
    total: int
    accepted: int = 0
    refused: int = 0
    unknown: int = 0
    waiting: int = 0
    cancelled: int = 0
    arrived: int = 0  # by their owner's word alone
    never_left: bool = False  # what is refused: nobody at Microsoft was asked
    recalled: int = 0  # requests that were on their way already when the rest was cancelled
    doubt: str = ""  # how it came that nobody can tell: a sentence
    people: tuple[str, ...] = ()  # "number ending in 0142", names; at most 20
    left_out: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = field(default_factory=tuple)  # of "held": why it waits
    seen: str = "0"  # the time of the newest result shown, in milliseconds
    sent_at: str = ""  # in the user's own zone
    estimate: str = ""  # for what still waits
    can_change: bool = False  # offers "Change and send again"
    repeated: bool = False  # this form was submitted before: its first delivery is shown
    leaves_at: str = ""  # of what is scheduled: "Tue, Dec 1, 9:00 AM, Pacific time"
    can_retry: bool = False  # "Retry what was refused"
    can_separate: bool = False  # "Send to each separately"
    can_correct: bool = False  # a new notification that replaces this one
    can_cancel: bool = False  # what has not left yet
    can_send_now: bool = False  # what is scheduled, or held
    can_change_time: bool = False  # of what is scheduled: shows the inputs for another time
    can_decide: bool = False  # of an unknown text: "It arrived" or "Send again"
    can_export: bool = False  # the results as a file
    follow_ups: tuple[str, ...] = ()  # message types, see `buttons.FOLLOW_UPS`
    cancelled_note: str = ""  # what had already left when the rest was cancelled
    corrects: str = ""  # the short id of the delivery that this one replaces
    followed_by: str = ""  # the short id of the one that took its place: it sends nothing any more
    zone_name: str = ""  # for another time: the user's zone, "Pacific time"
    earliest: str = ""  # for another time: ISO dates
    latest: str = ""
    is_shared: bool = False  # drawn for its owner where others read: what it does is in a dialog
    changed: str = ""  # "The appointment was moved since: …", where its receipt is looked at
    change_tells: str = ""  # the message type of the text that tells people so
    everyone: str = ""  # "everyone in Care team": reached at once, and counted by nobody
    values: Mapping[str, str] = field(default_factory=dict)  # of `when_date` and `when_time`
    errors: Mapping[str, str] = field(default_factory=dict)

    def whom(self, number: int) -> str:
        """`12 people`; or everyone of a group, whose number nobody knows."""
        return clean(self.everyone, 120) or people(number)
