"""What a card action comes to: a card in place of the pressed one, or a sentence beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adaptivecards.adaptivecard import AdaptiveCard

from cards.elements import payload

# What a button's data may hold of one input, in characters. A card's own answer cannot be larger
# than 28 KB, so more than this could not be shown again.
LONGEST_VALUE = 8_000


@dataclass(frozen=True)
class ShowCard:
    """Show this card in place of the one whose button was pressed."""

    card: Mapping[str, Any]

    @classmethod
    def of(cls, card: AdaptiveCard) -> "ShowCard":
        """From a card's object."""
        return cls(payload(card))


@dataclass(frozen=True)
class Say:
    """Leave the card, with all that was typed into it, as it is, and say this beside it.

    Without a sentence: what the button does was said in a message of its own.
    """

    sentence: str


Answer = ShowCard | Say


def entered(data: Mapping[str, Any]) -> dict[str, str]:
    """The inputs' values as text: real clients send numbers and toggles as strings or not.

    What is neither text, number nor toggle is nobody's input and is dropped.
    """
    values = {}
    for name, value in data.items():
        if isinstance(value, bool):
            values[name] = "true" if value else "false"
        elif isinstance(value, str | int | float):
            values[name] = str(value)
    return values


def too_long(values: Mapping[str, str]) -> str:
    """A sentence when a value is longer than any card could show again, else nothing."""
    for value in values.values():
        if len(value) > LONGEST_VALUE:
            return (
                f"One field holds {len(value):,} characters; Herald reads at most "
                f"{LONGEST_VALUE:,}. Nothing was sent, and your form is unchanged. "
                "Please shorten it."
            )
    return ""


def for_dialog(found: Any) -> Any:
    """The same card for a dialog, where `Action.Execute` is unknown: its fallback takes over."""
    if isinstance(found, list):
        return [for_dialog(item) for item in found]
    if isinstance(found, Mapping):
        if found.get("type") == "Action.Execute" and isinstance(found.get("fallback"), Mapping):
            return for_dialog({**found["fallback"], "id": found.get("id")})
        return {name: for_dialog(item) for name, item in found.items()}
    return found
