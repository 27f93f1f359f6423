"""One delivery as the ledger knows it: its progress, and at last its receipt."""

from dataclasses import dataclass, field
from typing import Literal

DeliveryState = Literal[
    "waiting", "accepted", "refused", "unknown", "mixed", "needs_sign_in", "held"
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

    They add up: accepted + refused + unknown + waiting + cancelled = total.
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
    people: tuple[str, ...] = ()  # "number ending in 0142", names; at most 20
    left_out: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = field(default_factory=tuple)
    sent_at: str = ""  # in the user's own zone
    estimate: str = ""  # for what still waits
    can_change: bool = False  # offers "Change and send again"
    repeated: bool = False  # this form was submitted before: its first delivery is shown
