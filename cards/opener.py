"""What answers a command where others read along: what it is about, and a button to one's own."""

from dataclasses import dataclass

from bot.words import gettext
from cards.blocks import aside, heading, sentence
from cards.buttons import Button
from cards.elements import AdaptiveCard, card, opens_dialog, plain


@dataclass(frozen=True)
class Door:
    """One button of the card, and what opens for whoever presses it."""

    title: str
    button: Button


@dataclass(frozen=True)
class OpenerView:
    """All of it is our own words, but for `asked_by`: the name of who asked, or nothing."""

    title: str
    sentence: str
    doors: tuple[Door, ...]
    asked_by: str = ""


def opener(view: OpenerView) -> AdaptiveCard:
    """A small card: what is behind its buttons is shown to the one who presses, and only there."""
    asked = []
    if view.asked_by:
        asked = [aside(gettext("Asked for by {name}.", name=plain(view.asked_by, 60)))]
    return card(
        [heading(view.title), sentence(view.sentence), *asked],
        [opens_dialog(door.title, door.button, main=not n) for n, door in enumerate(view.doors)],
        summary=f"{view.title}. {view.sentence}",
    )
