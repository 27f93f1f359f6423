"""The words of a message that somebody wrote in Teams: its HTML as one line of plain text.

Teams' HTML is small (`<div>`, `<p>`, `<at>`, `<emoji>`, `<attachment>`), but whatever comes has to
be read, and soon: `html.parser` raises AssertionError at `<![<!`, and takes a second for 9,000
characters of `<a `. Tags are taken out here in one pass, whose time grows with the length alone.
"""

import json
import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any

_READ_AT_MOST = 64_000  # characters; of a longer message a feed would show nothing more
_DEEPEST = 20
# Each of these goes on to the end where it is not closed, so that nothing is read twice.
_UNSEEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|template|title)\b.*?(?:</\1[^<>]*>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_TAG = re.compile(r"<[/!?]?([a-z][a-z0-9:]*)([^<>]*)(?:>|\Z)", re.IGNORECASE)
_ALT = re.compile(r"""\balt=("[^"]*"|'[^']*')""", re.IGNORECASE)
_PICTURES = frozenset({"img", "emoji"})
# These stand inside a word or beside one; all others part words.
_INLINE = frozenset(
    {"a", "at", "b", "code", "em", "font", "i", "s", "small", "span", "strike", "strong"}
    | {"sub", "sup", "u"}
)


def words_of_html(html: str) -> str:
    """The text as one line; pictures and emoji by what stands for them."""
    seen = _UNSEEN.sub(" ", html[:_READ_AT_MOST])
    return one_line(unescape(_TAG.sub(_instead, seen)))


def words_of_card(content: Any) -> str:
    """The text blocks of an Adaptive Card: an object, or its JSON as messages carry it."""
    if isinstance(content, str):
        try:
            content = json.loads(content) if len(content) <= _READ_AT_MOST else None
        except (ValueError, RecursionError):
            return ""
    return one_line(" ".join(_blocks(content, _DEEPEST)))


def one_line(text: str) -> str:
    """Its words with one space between."""
    return " ".join(text.split())


def _instead(tag: re.Match[str]) -> str:
    name = tag[1].lower()
    if name in _PICTURES:
        alt = _ALT.search(tag[2])
        return alt[1][1:-1] if alt else " "
    return "" if name in _INLINE else " "


def _blocks(found: Any, deep: int) -> Iterator[str]:
    """What a card's text blocks and runs say, in order."""
    if deep == 0:
        return
    if isinstance(found, list):
        for part in found:
            yield from _blocks(part, deep - 1)
    if not isinstance(found, Mapping):
        return
    if found.get("type") in {"TextBlock", "TextRun"} and isinstance(found.get("text"), str):
        # Markdown's marks and date functions would be read as they stand.
        yield re.sub(r"[*_`]|\{\{[^{}]*\}\}", "", found["text"])
    for name in ("body", "items", "columns", "inlines"):
        yield from _blocks(found.get(name), deep - 1)
