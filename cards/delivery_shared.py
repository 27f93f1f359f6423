"""A delivery where others read along: what kind, by whom, how many and how far. Nothing else.

No name but the owner's, no digit of a number, and no word of what is sent. Teams draws it anew for
the owner, with everything in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cards.blocks import aside, banner, heading, sentence
from cards.buttons import LookAgain, ShowDetails
from cards.delivery_counts import counts
from cards.delivery_view import DeliveryState, DeliveryView
from cards.delivery_words import headline
from cards.elements import AdaptiveCard, card, opens_dialog, plain, refreshed

_TITLES = {"text": "Appointment text", "notice": "Notification"}
_WAITS: Mapping[DeliveryState, str] = {
    "needs_sign_in": "Waiting for a sign-in",
    "held": "Waiting for a decision",
}


@dataclass(frozen=True)
class SharedView:
    """A delivery, its owner's name, and the owner's id in Teams (`29:…`), or nothing."""

    delivery: DeliveryView
    owner: str
    owner_id: str = ""


def shared_delivery(shared: SharedView) -> AdaptiveCard:
    """The card for everybody."""
    view, owner = shared.delivery, shared.owner
    tone, symbol, words = headline(view)
    words = _WAITS.get(view.state, words)
    title = _TITLES[view.kind]
    by = f"{title} by {plain(owner, 60)}" if owner else title
    account = _account(view)
    made = card(
        [
            heading(by),
            banner(tone, symbol, words, sentence(account)),
            *counts(replace(view, estimate="")),
            aside(f"Delivery {plain(view.short_id, 20)}"),
        ],
        [opens_dialog("Show details", ShowDetails(view.delivery_id))],
        summary=f"{title} by {owner or 'a teammate'}: {words}. {account}",
    )
    if not shared.owner_id:
        return made
    return refreshed(made, LookAgain(view.delivery_id), [shared.owner_id])


def _account(view: DeliveryView) -> str:
    done = view.total - view.waiting
    # A group's name may be its members' names, and may be meant for them alone.
    whom = "everyone of a group" if view.everyone else view.whom(view.total)
    if view.state in _WAITS or view.state == "scheduled":
        return f"For {whom}. Nothing of it is lost." if view.state in _WAITS else f"For {whom}."
    if view.state == "waiting":
        return f"{done:,} of {whom} done." if done else f"{whom} to go."
    return f"For {whom}. Microsoft doesn't report arrival." if view.accepted else f"For {whom}."
