"""What a search puts into a conversation: how a delivery or an appointment stood, for everyone.

Whoever is in that conversation reads it: no number, no attendee, and of an appointment text neither
whom nor what it is about. The details open for their owner alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cards.blocks import aside, banner, facts, heading, people, quoted
from cards.buttons import NOTHING_KEPT, OpenDialog, ShowDetails
from cards.delivery_view import DeliveryState
from cards.delivery_words import HEADLINES
from cards.elements import AdaptiveCard, card, opens_dialog, plain, run, spoken

_PREVIEW = "application/vnd.microsoft.card.thumbnail"
_NO_TAGS = str.maketrans("<>", "‹›")
_FOR_OTHERS: Mapping[DeliveryState, str] = {
    "needs_sign_in": "Waiting for a sign-in",
    "held": "Waiting for a decision",
}


@dataclass(frozen=True)
class DeliveryInsertView:
    """A delivery for everyone. `words` are what a notice says in the feeds; a text has none."""

    delivery_id: str
    title: str  # "Confirmation text", "Notification"
    state: DeliveryState
    total: int  # people
    accepted: int
    as_of: str  # when it was so, in the owner's zone
    leaves_at: str = ""
    words: str = ""
    preview: str = ""
    is_for_a_group: bool = False  # whose number nobody knows


@dataclass(frozen=True)
class AppointmentInsertView:
    """An appointment for everyone: when it is, and nothing of what it is about."""

    when: str
    as_of: str
    is_cancelled: bool = False


def delivery_insert(view: DeliveryInsertView) -> AdaptiveCard:
    """How many people, and what is known. A button opens the rest for its owner."""
    tone, symbol, words = HEADLINES[view.state]
    words = _FOR_OTHERS.get(view.state, words)
    whom = "Everyone of a chat, channel or team" if view.is_for_a_group else people(view.total)
    counted = view.total > 1 and not view.is_for_a_group
    accepted = f"{view.accepted:,} of {view.total:,}" if counted else ""
    said = [quoted(run(view.words))] if view.words else []
    more = [quoted(run(view.preview))] if view.preview and view.preview != view.words else []
    return card(
        [
            heading(plain(view.title, 80)),
            banner(tone, symbol, words),
            *said,
            *more,
            *facts(
                [
                    ("For", whom),
                    ("Accepted", accepted),
                    ("Leaves", view.leaves_at),
                ]
            ),
            aside(f"As of {plain(view.as_of, 80)}. Only the person who sent it sees the details."),
        ],
        [opens_dialog("Show the details", ShowDetails(view.delivery_id))],
        summary=f"{view.title}: {words}, as of {view.as_of}.",
    )


def appointment_insert(view: AppointmentInsertView) -> AdaptiveCard:
    """When it is. A button opens a form for texting the people of one's own appointments."""
    state = "Cancelled" if view.is_cancelled else "In the calendar"
    return card(
        [
            heading("Virtual appointment"),
            *facts([("When", view.when), ("State", state)]),
            aside(f"As of {plain(view.as_of, 80)}. Only its organizer can text its people."),
        ],
        [opens_dialog("Text an appointment", OpenDialog("text", NOTHING_KEPT))],
        summary=f"A virtual appointment, {view.when}. {state}.",
    )


def preview(title: str, *lines: str) -> dict[str, object]:
    """One result as the list shows it, to the person who searches alone.

    Teams reads these words as a little HTML: there are no tags in them.
    """
    shown = [spoken(line.translate(_NO_TAGS), 160) for line in lines if line]
    content = {"title": spoken(title.translate(_NO_TAGS), 100), "text": " · ".join(shown)}
    return {"contentType": _PREVIEW, "content": content}
