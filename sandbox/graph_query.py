"""OData's query options, as far as Herald's reads use them; anything else is refused with 400."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from sandbox.graph_answers import Answer, Call, Refusal, bad_request

MOST_CLAUSES = 15  # what /users takes in one filter
Item = TypeVar("Item")
_LITERAL = r"'(?:[^']|'')*'"
_CLAUSE = re.compile(rf"([A-Za-z/]+)\s+eq\s+({_LITERAL})")
_IN = re.compile(rf"([A-Za-z/]+)\s+in\s+\(\s*({_LITERAL}(?:\s*,\s*{_LITERAL})*)\s*\)")
_START = re.compile(rf"startswith\(\s*([A-Za-z/]+)\s*,\s*({_LITERAL})\s*\)")


@dataclass(frozen=True)
class Clause:
    """One comparison of a filter: `property eq value`, or `startswith` of it."""

    name: str
    value: str
    starts: bool = False

    def holds(self, text: str) -> bool:
        """Whether it is true of this text; Graph compares names and addresses without case."""
        mine, theirs = self.value.casefold(), text.casefold()
        return theirs.startswith(mine) if self.starts else theirs == mine


def any_of(
    clauses: Sequence[Clause], readers: Mapping[str, Callable[[Item], str]]
) -> Callable[[Item], bool]:
    """Whether one of these is true of an item; `readers` read the properties that are compared."""
    starts = [(readers[clause.name], clause) for clause in clauses if clause.starts]
    equals: dict[str, set[str]] = {}
    for clause in clauses:
        if not clause.starts:
            equals.setdefault(clause.name, set()).add(clause.value.casefold())
    equal = [(readers[name], values) for name, values in equals.items()]

    def holds(item: Item) -> bool:
        for read, values in equal:
            if read(item).casefold() in values:
                return True
        return bool(starts) and any(clause.holds(read(item)) for read, clause in starts)

    return holds


def only(call: Call, *allowed: str) -> None:
    """Refuse every query option but these."""
    for name in call.query:
        if name not in allowed:
            raise bad_request(f"The query option '{name[:40]}' is not supported here.")


def read_filter(text: str, names: Iterable[str]) -> list[Clause]:
    """The clauses of a filter, which are joined by `or`.

    Raises:
        Refusal: it cannot be read, or compares a property that is not one of `names`.
    """
    clauses: list[Clause] = []
    rest, allowed = text.strip(), set(names)
    while True:
        found, length = _clause(rest)
        clauses += found
        rest = rest[length:].strip()
        if not rest:
            break
        if not re.match(r"or\s", rest):
            raise _unreadable()
        rest = rest[2:].strip()
    if any(clause.name not in allowed for clause in clauses):
        raise bad_request("The filter names a property that cannot be filtered here.")
    if len(clauses) > MOST_CLAUSES:
        raise bad_request(
            f"Too many child clauses in the filter: {len(clauses)}; at most {MOST_CLAUSES}."
        )
    return clauses


def _clause(text: str) -> tuple[list[Clause], int]:
    if match := _CLAUSE.match(text):
        return [Clause(match[1], _plain(match[2]))], match.end()
    if match := _IN.match(text):
        values = re.findall(_LITERAL, match[2])
        return [Clause(match[1], _plain(value)) for value in values], match.end()
    if match := _START.match(text):
        return [Clause(match[1], _plain(match[2]), starts=True)], match.end()
    raise _unreadable()


def _unreadable() -> Refusal:
    return bad_request("Invalid filter clause.")


def _plain(literal: str) -> str:
    return literal[1:-1].replace("''", "'")


def select(item: Mapping[str, Any], call: Call) -> dict[str, Any]:
    """The properties that `$select` names (all without it); `id` always comes too."""
    asked = call.query.get("$select")
    if asked is None:
        return dict(item)
    names = [name.strip() for name in asked.split(",")]
    for name in names:
        if name not in item:
            raise bad_request(f"Could not find a property named '{name[:40]}'.")
    return {name: value for name, value in item.items() if name in names or name == "id"}


def page(
    call: Call, items: Sequence[Mapping[str, Any]], *, size: int, most: int, by: str = "$skip"
) -> Answer:
    """One page of a collection, with `@odata.nextLink` while there is more.

    `$top` is the page's size, up to `most`; `by` is the option that the link goes on with.
    """
    top = _number(call, "$top", size, range(1, most + 1))
    start = _number(call, by, 0, range(10**6))
    body: dict[str, Any] = {"@odata.context": f"{call.base}/$metadata#{call.path.strip('/')}"}
    if start + top < len(items):
        onward = dict(call.query) | {by: str(start + top)}
        body["@odata.nextLink"] = f"{call.base}{call.path}?{urlencode(onward)}"
    body["value"] = [select(item, call) for item in items[start : start + top]]
    return Answer(200, body)


def _number(call: Call, name: str, default: int, allowed: range) -> int:
    text = call.query.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,6}", text) or int(text) not in allowed:
        raise bad_request(f"Invalid value '{text[:20]}' for {name}.")
    return int(text)


def sort_key(
    order: str, keys: Mapping[str, Callable[[Any], Any]]
) -> tuple[Callable[[Any], Any], bool]:
    """The key function for `$orderby`, and whether it runs backwards."""
    name, _, direction = order.strip().partition(" ")
    if name not in keys or direction.strip() not in {"", "asc", "desc"}:
        raise bad_request("This $orderby is not supported.")
    return keys[name], direction.strip() == "desc"
