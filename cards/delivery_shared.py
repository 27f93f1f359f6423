"""A delivery where others read along: what kind, by whom, how many and how far. Nothing else.

No name but the owner's, no digit of a number, and no word of what is sent. Teams draws it anew for
the owner, with everything in it.
"""

from dataclasses import dataclass, replace

from bot.words import gettext, written
from cards.blocks import aside, banner, heading, sentence
from cards.buttons import LookAgain, ShowDetails
from cards.delivery_counts import counts
from cards.delivery_view import DeliveryView
from cards.delivery_words import called, for_others, headline, to_go, waits_for_its_owner
from cards.elements import AdaptiveCard, card, opens_dialog, plain, refreshed


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
    words = for_others(view.state, words)
    account = _account(view)
    by = _title(view, owner or gettext("a teammate"))
    made = card(
        [
            heading(_title(view, plain(owner, 60))),
            banner(tone, symbol, words, sentence(account)),
            *counts(replace(view, estimate="")),
            aside(called(plain(view.short_id, 20))),
        ],
        [opens_dialog(gettext("Show details"), ShowDetails(view.delivery_id))],
        summary=f"{by}: {words}. {account}",
    )
    if not shared.owner_id:
        return made
    return refreshed(made, LookAgain(view.delivery_id), [shared.owner_id])


def _title(view: DeliveryView, owner: str) -> str:
    if view.kind == "text":
        named = gettext("Appointment text by {owner}", owner=owner)
        return named if owner else gettext("Appointment text")
    return gettext("Notification by {owner}", owner=owner) if owner else gettext("Notification")


def _account(view: DeliveryView) -> str:
    # A group's name may be its members' names, and may be meant for them alone.
    whom = gettext("everyone of a group") if view.everyone else view.whom(view.total)
    if view.state == "waiting":
        return _progress(view, whom)
    sentences = [gettext("For {whom}.", whom=whom)]
    if waits_for_its_owner(view.state):
        sentences.append(gettext("Nothing of it is lost."))
    elif view.accepted and view.state != "scheduled":
        sentences.append(gettext("Microsoft doesn't report arrival."))
    return " ".join(sentences)


def _progress(view: DeliveryView, whom: str) -> str:
    done = view.total - view.waiting
    if not done:
        return to_go(whom)
    return gettext("{number} of {whom} done.", number=written(done), whom=whom)
