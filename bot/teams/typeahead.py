"""Search by typing: the choices of an input while somebody types into it (`application/search`).

Teams sends `{queryText, queryOptions: {skip, top}, dataset}` at every pause in the typing, in some
clients with `kind: "search"`, and shows at most 15 results. What has another shape is answered 400
with an error body, as the SDK of other languages does; where there is nothing to find, an empty
list: whoever types has a plain input beside it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bot.errors import HeraldError
from bot.teams.meetings import choice_of
from bot.teams.turn import Turn
from bot.teams.upcoming import Upcoming
from cards.text_form import MEETINGS_DATASET, Choice

log = structlog.get_logger(__name__)

Reply = tuple[int, dict[str, Any] | None]

_FOUND = "application/vnd.microsoft.search.searchResponse"
_ERROR = "application/vnd.microsoft.error"
_MOST_SHOWN = 15
_LONGEST_QUERY = 200


class StrangeSearch(HeraldError):
    """This is not a search that Herald knows."""


@dataclass(frozen=True)
class Query:
    """What is looked for: words, and which part of what is found."""

    words: tuple[str, ...]
    skip: int
    top: int


def read_query(value: Mapping[str, Any]) -> Query:
    """A search for meetings. Raises StrangeSearch."""
    kind, text, dataset = value.get("kind", "search"), value.get("queryText"), value.get("dataset")
    options = value.get("queryOptions")
    if kind not in {"search", "typeahead", "searchAnswer"} or not isinstance(text, str):
        raise StrangeSearch("kind or queryText")
    if dataset != MEETINGS_DATASET or len(text) > _LONGEST_QUERY:
        raise StrangeSearch("dataset or queryText")
    options = {} if options is None else options
    if not isinstance(options, Mapping):
        raise StrangeSearch("queryOptions")
    skip, top = _number(options.get("skip"), 0), _number(options.get("top"), _MOST_SHOWN)
    return Query(tuple(text.casefold().split()), skip, max(1, min(top, _MOST_SHOWN)))


def found(choices: Sequence[Choice], query: Query) -> list[dict[str, str]]:
    """The choices that have all the words, a page of them."""
    fits = [
        choice for choice in choices if all(word in choice.title.casefold() for word in query.words)
    ]
    page = fits[query.skip : query.skip + query.top]
    return [{"title": choice.title, "value": choice.value} for choice in page]


class Typeahead:
    """Answers searches; a person's calendar is read once for all the letters of a word."""

    def __init__(self, upcoming: Upcoming) -> None:
        self._upcoming = upcoming

    async def search(self, turn: Turn) -> Reply:
        """`application/search`: the actor's own upcoming meetings that fit what was typed."""
        try:
            query = read_query(turn.value)
        except StrangeSearch as error:
            told = {"code": "BadRequest", "message": f"{error.sentence} ({error})"}
            return 400, {"statusCode": 400, "type": _ERROR, "value": told}
        results: list[dict[str, str]] = []
        try:
            async with asyncio.timeout(turn.left_s()):
                events = await self._upcoming.of(turn)
            results = found([choice_of(event, turn.place.zone) for event in events], query)
        except (HeraldError, TimeoutError) as error:
            log.info("typeahead.nothing", problem=type(error).__name__)
        return 200, {"statusCode": 200, "type": _FOUND, "value": {"results": results}}


def _number(given: object, default: int) -> int:
    if given is None:
        return default
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given < 10_000:
        raise StrangeSearch("queryOptions")
    return given
