"""What a card action comes to: a card in place of the pressed one, or a sentence beside it."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adaptivecards.adaptivecard import AdaptiveCard

from bot.errors import HeraldError
from bot.words import gettext, marked, written
from cards.elements import payload
from cards.fields import cut

# Teams waits 5 seconds for an invoke's answer: what is asked of Graph has to come before that.
PATIENCE_S = 3.0
# A person is answered within a second. What is not there by then comes later, or with the next
# press; it is waited for only where there would be nothing to answer with.
WITHIN_S = 0.8
WITHIN_IN_CHAT_S = 1.5  # a message is no question that a client waits with
NAMES_PATIENCE_S = 1.5  # a convenience: without them there are plainer words
# Characters of one input that are read at all: two thousand addresses.
LONGEST_VALUE = 100_000
_TOO_MUCH = marked("The form holds more than a card can show again, so this can't be done with it.")


class TooLong(HeraldError):
    """One field holds more than Herald reads. Nothing was sent. Please shorten it."""

    @property
    def sentence(self) -> str:
        """How long it is, and how long it may be."""
        return str(self.args[0]) if self.args else super().sentence


def left_s(began: float, *, in_chat: bool = False) -> float:
    """What is left of the time for an answer that began then (`time.monotonic`), in seconds."""
    within_s = WITHIN_IN_CHAT_S if in_chat else WITHIN_S
    return max(0.0, began + within_s - time.monotonic())


@dataclass(frozen=True)
class ShowCard:
    """Show this card in place of the one whose button was pressed.

    `is_last`: nothing more has to be done with it, so that a dialog can be closed on it.
    """

    card: Mapping[str, Any]
    is_last: bool = False

    @classmethod
    def of(cls, card: AdaptiveCard, *, is_last: bool = False) -> "ShowCard":
        """From a card's object."""
        return cls(payload(card), is_last)


@dataclass(frozen=True)
class Say:
    """Leave the card, with all that was typed into it, as it is, and say this beside it.

    Without a sentence: what the button does was said in a message of its own. `because` of an
    error of this kind.
    """

    sentence: str
    because: type[Exception] | None = None


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


def too_long(values: Mapping[str, str], most: int = LONGEST_VALUE) -> str:
    """A sentence when a value has more than `most` characters, else nothing."""
    for value in values.values():
        if len(value) > most:
            return gettext(
                "One field holds {number} characters; Herald reads at most {most}. Nothing was "
                "sent, and your form is unchanged. Please shorten it.",
                number=written(len(value)),
                most=written(most),
            )
    return ""


def entered_of(data: Mapping[str, Any]) -> dict[str, str]:
    """The same as `entered`, of a form whose values are worked with.

    Raises:
        TooLong: a value has more characters than are read.
    """
    values = entered(data)
    if sentence := too_long(values):
        raise TooLong(sentence)
    return values


def form_again(
    made: AdaptiveCard, values: Mapping[str, str], errors: Mapping[str, str], note: str = ""
) -> Answer:
    """The form with everything that was entered.

    Where that is more than a card can hold, it stays as it is in the client, and what is wrong is
    said beside it.
    """
    return beside(errors, note) if cut(made, values) else ShowCard.of(made)


def beside(errors: Mapping[str, str], note: str = "") -> Say:
    """The errors of a form that is too long to be drawn again."""
    found = " ".join(filter(None, (note, *errors.values()))) or gettext(_TOO_MUCH)
    unchanged = gettext("Nothing was sent, and your form is unchanged.")
    return Say(f"{found} {unchanged}")


def for_dialog(found: Any) -> Any:
    """The same card for a dialog, where `Action.Execute` is unknown: its fallback takes over."""
    if isinstance(found, list):
        return [for_dialog(item) for item in found]
    if isinstance(found, Mapping):
        if found.get("type") == "Action.Execute" and isinstance(found.get("fallback"), Mapping):
            return for_dialog({**found["fallback"], "id": found.get("id")})
        return {name: for_dialog(item) for name, item in found.items()}
    return found
