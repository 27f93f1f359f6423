"""In a dialog: from a delivery back to the list that it was opened from."""

from collections.abc import Mapping
from typing import Any

from bot.words import gettext
from cards.buttons import TryAgain

BACK = "back"  # what a button's data call the list's command
_LISTS = ("history", "scheduled")


def back_of(data: object) -> str:
    """The command of the list that a button was reached from, or nothing."""
    found = data.get(BACK) if isinstance(data, Mapping) else None
    return found if isinstance(found, str) and found in _LISTS else ""


def leading_back(card: Mapping[str, Any], command: str) -> Mapping[str, Any]:
    """The same card, whose deliveries' buttons remember the list that is shown by this command."""
    made: Mapping[str, Any] = _marked(card, command) if command in _LISTS else card
    return made


def back_button(command: str) -> dict[str, Any]:
    """A button that shows the list again."""
    return {
        "type": "Action.Submit",
        "title": gettext("Back to the list"),
        "data": TryAgain(command).pack(),
        "associatedInputs": "none",
    }


def _marked(found: Any, command: str) -> Any:
    if isinstance(found, list):
        return [_marked(item, command) for item in found]
    if not isinstance(found, Mapping):
        return found
    if str(found.get("verb", "")).startswith("delivery.") and "type" not in found:
        return {**found, BACK: command}
    return {name: _marked(item, command) for name, item in found.items()}
