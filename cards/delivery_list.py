"""Several deliveries, a line or two each: what is scheduled, and what was sent."""

from dataclasses import dataclass

from cards.delivery_view import DeliveryState


@dataclass(frozen=True)
class DeliveryRow:
    """One delivery."""

    delivery_id: str
    short_id: str  # what `status <id>` takes
    title: str  # "Confirmation text", "Notification"
    about: str  # the meeting's subject and time, or the notice's text
    state: DeliveryState
    when: str  # when it leaves or was sent, in the user's own zone
    people: int


@dataclass(frozen=True)
class DeliveryListView:
    """The newest first, or the next first; a card shows ten of them."""

    title: str  # "Scheduled", "What you sent"
    rows: tuple[DeliveryRow, ...]
    empty: str  # a sentence for when there are none
    more: int = 0  # how many there are besides `rows`
