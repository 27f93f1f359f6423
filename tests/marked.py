"""A made-up language, whose catalogue puts ⟦marks⟧ around every text that the real ones know.

Whoever speaks it sees at once what is not translated: what stands outside the marks. What is filled
in for `{names}` stands outside, too, so that it has to be data, or translated by itself.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from gettext import NullTranslations
from typing import Any

import pytest
from babel.messages.pofile import read_po

from bot import words

LANGUAGE = "qq"
_MARKED = re.compile(r"⟦[^⟦⟧]*(?:⟧|…|\Z)")
_NAMES = re.compile(r"(\{\w+\})")
# What CLDR writes in the made-up language: days, months, halves of a day.
_OF_A_CALENDAR = re.compile(
    r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|AM|PM)\b"
)
_SEEN = frozenset(
    {"text", "title", "label", "placeholder", "altText", "errorMessage", "fallbackText", "tooltip"}
    | {"summary", "speak", "description", "subtitle", "failureDetail"}
)
_SAID = frozenset({"message", "application/vnd.microsoft.activity.message"})
_UNSEEN = frozenset({"data", "msteams", "authentication"})


@cache
def _known() -> frozenset[str]:
    path = min(words.LOCALES.glob("*.po"))
    with path.open("rb") as file:
        ids = [message.id for message in read_po(file, locale=path.stem)]
    return frozenset(each if isinstance(each, str) else each[0] for each in ids)


class _Marks(NullTranslations):
    def gettext(self, message: str) -> str:
        return self._marked(message) if message in _known() else message

    def _marked(self, message: str) -> str:
        parts = _NAMES.split(message)
        return "".join(
            part if _NAMES.fullmatch(part) else f"⟦{part}⟧" for part in parts if part.strip()
        )

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        message = msgid1 if n == 1 else msgid2
        return self._marked(message) if msgid1 in _known() else message

    def pgettext(self, context: str, message: str) -> str:  # noqa: ARG002 - marks don't show it
        return self.gettext(message)


def speak_marked(monkeypatch: pytest.MonkeyPatch) -> str:
    """Make the language known, until the test is over; its locale."""
    known, marks = words._catalogue, _Marks()
    monkeypatch.setattr(words, "LANGUAGES", (*words.LANGUAGES, LANGUAGE))
    monkeypatch.setattr(
        words, "_catalogue", lambda language: marks if language == LANGUAGE else known(language)
    )
    return LANGUAGE


def unmarked(found: Any, data: Iterable[str] = ()) -> list[str]:
    """The visible texts of a card or an answer that are neither marked nor `data`."""
    known = sorted(data, key=len, reverse=True)
    return [text for text in dict.fromkeys(visible(found)) if leftover(text, known)]


def leftover(text: str, data: Iterable[str] = ()) -> str:
    """The letters of a text that nobody translated."""
    rest = _MARKED.sub(" ", text)
    for known in data:
        rest = rest.replace(known, " ")
    rest = _OF_A_CALENDAR.sub(" ", rest)
    return "".join(part for part in rest if part.isalpha())


def visible(found: Any) -> Iterator[str]:
    """Every text of a card or an answer that a person reads, but for what inputs hold."""
    if isinstance(found, list):
        for item in found:
            yield from visible(item)
    if not isinstance(found, dict):
        return
    if found.get("type") in _SAID and isinstance(found.get("value"), str):
        yield found["value"]
    for name, inner in found.items():
        if name in _UNSEEN:
            continue
        if isinstance(inner, str):
            if name in _SEEN:
                yield inner
        elif name == "facts":
            yield from (fact[part] for fact in inner for part in ("title", "value"))
        else:
            yield from visible(inner)
