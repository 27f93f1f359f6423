"""What a client finds in a card: its buttons, and the values its inputs start with."""

from collections.abc import Iterator
from typing import Any


def elements(node: Any) -> Iterator[dict[str, Any]]:
    """Every element, action and part of a card that has a type, parents first."""
    if isinstance(node, list):
        for part in node:
            yield from elements(part)
    elif isinstance(node, dict):
        if "type" in node:
            yield node
        for name, part in node.items():
            # A fallback is not shown beside what it stands in for; data is not a part of the card.
            if name not in {"data", "fallback", "msteams"}:
                yield from elements(part)


def buttons(card: dict[str, Any]) -> list[dict[str, Any]]:
    """Every action of the card, also of its sub-cards and its selectable parts."""
    return [part for part in elements(card) if str(part["type"]).startswith("Action.")]


def button(card: dict[str, Any], name: str) -> dict[str, Any]:
    """The button with this title or verb.

    Raises:
        LookupError: there is none; the message lists those that are.
    """
    known = buttons(card)
    for action in known:
        if name in {action.get("title"), action.get("verb")}:
            return action
    raise LookupError(f"no button {name!r} among {[a.get('title') for a in known]}")


def inputs(card: dict[str, Any]) -> dict[str, str]:
    """The values that the card's inputs hold when nobody touches them, as a client sends them."""
    found = (part for part in elements(card) if str(part["type"]).startswith("Input."))
    return {str(part["id"]): str(part.get("value", "")) for part in found if "id" in part}


def text_of(card: dict[str, Any]) -> str:
    """Every text a person reads on the card, a line each; for tests."""
    lines: list[str] = []
    for part in elements(card):
        lines += [str(part[k]) for k in ("text", "label", "errorMessage", "title") if k in part]
        for fact in part.get("facts", []):
            lines.append(f"{fact.get('title')}: {fact.get('value')}")
    return "\n".join(lines)
