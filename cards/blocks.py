"""What several cards are built of: headings, banners, facts, lists."""

from collections.abc import Iterable, Sequence
from typing import Literal

from bot.words import gettext, ngettext
from cards.elements import Element, column, columns, container, rich_text, run, text_block

Tone = Literal["default", "emphasis", "good", "warning", "attention", "accent"]


def heading(words: str) -> Element:
    """The card's title, in our own words."""
    return text_block(words, style="heading", size="large", weight="bolder")


def section(words: str) -> Element:
    """A title inside the card, in our own words."""
    return text_block(words, weight="bolder", spacing="large", separator=True)


def aside(words: str) -> Element:
    """A quieter sentence, in our own words."""
    return text_block(words, isSubtle=True, spacing="small")


def banner(tone: Tone, symbol: str, title: str, *more: Element) -> Element:
    """A coloured box whose symbol and title say the same as its colour. `title` is our own."""
    return container(
        text_block(f"{symbol} {title}", style="heading", size="medium", weight="bolder"),
        *more,
        style=tone,
        spacing="medium",
    )


def sentence(words: str, *, limit: int = 600) -> Element:
    """A paragraph that may hold anybody's words."""
    return rich_text(run(words, limit=limit), spacing="small")


def quoted(*runs: Element) -> Element:
    """What somebody will read elsewhere, set apart."""
    return container(rich_text(*runs), style="emphasis", spacing="small")


def facts(pairs: Iterable[tuple[str, str]], *, limit: int = 300) -> list[Element]:
    """Names, our own, beside values, anybody's. (A `FactSet` would read them as markdown.)"""
    return [
        columns(
            column(text_block(name, isSubtle=True), width="88px"),
            column(rich_text(run(value, limit=limit))),
            spacing="small",
        )
        for name, value in pairs
        if value
    ]


def bullets(lines: Sequence[str], *, at_most: int) -> list[Element]:
    """One line each, at most so many, then how many there are besides."""
    shown = [rich_text(run(f"• {line}"), spacing="small") for line in lines[:at_most]]
    if len(lines) > at_most:
        shown.append(rich_text(run(and_more(len(lines) - at_most)), spacing="small"))
    return shown


def and_more(number: int) -> str:
    """The last line of a list of which not all is shown."""
    return ngettext("… and {number} more", "… and {number} more", number)


def people(number: int) -> str:
    """`1 person`, `1,200 people`."""
    return ngettext("{number} person", "{number} people", number)


def for_support(reference: str) -> str:
    """What to name to those whom one asks for help."""
    return gettext("For support: {reference}", reference=reference)
