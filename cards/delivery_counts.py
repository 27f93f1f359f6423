"""A delivery in numbers: a bar while it goes on, and how many people came out how."""

from bot.words import gettext, ngettext, written
from cards.blocks import Tone
from cards.delivery_view import DeliveryView
from cards.elements import Element, column, columns, text_block

_BAR = "12px"


def counts(of: DeliveryView) -> list[Element]:
    """The bar, and the counts side by side unless there is only one, which a sentence tells."""
    all_of_them: list[tuple[Tone, str, int, str]] = [
        ("good", "✅", of.accepted, ngettext("accepted", "accepted", of.accepted)),
        ("good", "✅", of.arrived, gettext("said to have arrived")),
        ("attention", "❌", of.refused, ngettext("refused", "refused", of.refused)),
        ("warning", "❓", of.unknown, ngettext("unknown", "unknown", of.unknown)),
        ("accent", "⏳", of.waiting, ngettext("to go", "to go", of.waiting)),
        ("emphasis", "🚫", of.cancelled, ngettext("cancelled", "cancelled", of.cancelled)),
    ]
    tiles = [_tile(*entry) for entry in all_of_them if entry[2]]
    # In pairs, so that a phone has room for their words.
    pairs = [columns(*tiles[at : at + 2], spacing="small") for at in range(0, len(tiles), 2)]
    return [*_bar(of), *(pairs if len(tiles) > 1 else [])]


def _bar(view: DeliveryView) -> list[Element]:
    """Two strips, as wide as what is done and what is not; the banner says the same in words."""
    if not view.waiting or view.state in {"scheduled", "held"} or view.total < 2:
        return []
    done = view.total - view.waiting
    part = min(98, max(2, round(100 * done / view.total))) if done else 0
    strips = [("accent", part), ("emphasis", 100 - part)]
    return [
        columns(
            *(
                column(width=str(share), style=style, minHeight=_BAR, spacing="none")
                for style, share in strips
                if share
            ),
            spacing="small",
        )
    ]


def _tile(tone: Tone, symbol: str, number: int, word: str) -> Element:
    return column(
        text_block(written(number), size="large", weight="bolder", horizontalAlignment="center"),
        text_block(f"{symbol} {word}", horizontalAlignment="center", spacing="none"),
        style=tone,
        spacing="small",
    )
