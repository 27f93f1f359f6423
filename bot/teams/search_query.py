"""What a search asks for, as Teams sends it: `value` of `composeExtension/query`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.teams.hostile import at, number, rows, text
from bot.teams.search_words import words_in

KINDS = ("text", "notice", "appointment")
_PAGE = 25  # what Teams asks for at a time
_FARTHEST = 1_000


@dataclass(frozen=True)
class Query:
    """What is looked for, and which part of what is found is shown.

    `kind` is one of `KINDS`, or nothing for all of them. No words: all there is.
    """

    words: tuple[str, ...] = ()
    kind: str = ""
    skip: int = 0
    count: int = _PAGE

    @property
    def wants_appointments(self) -> bool:
        """Whether appointments are among what is looked for."""
        return self.kind in {"", "appointment"}


def read_query(value: Mapping[str, Any]) -> Query:
    """The query; whatever is misshapen is as if it were not there.

    A first run, before anything is typed, has a parameter `initialRun`, and no words.
    """
    given = {text(at(row, "name")): text(at(row, "value")) for row in rows(value.get("parameters"))}
    options = value.get("queryOptions")
    kind = given.get("kind", "").strip().lower()
    return Query(
        words=words_in(given.get("words", "")),
        kind=kind if kind in KINDS else "",
        skip=number(at(options, "skip"), 0, most=_FARTHEST),
        count=number(at(options, "count"), _PAGE, most=_PAGE) or _PAGE,
    )
