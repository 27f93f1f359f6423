"""Several deliveries, a line or two each: what is scheduled, and what was sent."""

from dataclasses import dataclass

from bot.words import gettext, ngettext
from cards.blocks import aside, heading, people, sentence
from cards.buttons import LookAgain
from cards.delivery_view import DeliveryState
from cards.delivery_words import HEADLINES, named
from cards.elements import (
    ActionSet,
    AdaptiveCard,
    Element,
    card,
    clean,
    column,
    columns,
    execute,
    fitted,
    plain,
    rich_text,
    run,
)


@dataclass(frozen=True)
class DeliveryRow:
    """One delivery."""

    delivery_id: str
    short_id: str  # what `status <id>` takes
    title: str  # "Confirmation text", "Notification"
    about: str  # the meeting's subject and time, or the notice's text
    state: DeliveryState
    when: str  # when it leaves or was sent, in the user's own zone
    people: int
    note: str = ""  # "The appointment was moved since: …"
    everyone: str = ""  # "everyone in Care team", whose number nobody knows


@dataclass(frozen=True)
class DeliveryListView:
    """The newest first, or the next first; a card shows ten of them."""

    title: str  # "Scheduled", "What you sent"
    rows: tuple[DeliveryRow, ...]
    empty: str  # a sentence for when there are none
    more: int = 0  # how many there are besides `rows`


_SHOWN = 10


def delivery_list(view: DeliveryListView) -> AdaptiveCard:
    """What each is, how it stands and when, and a button that opens its card."""
    return fitted(lambda room: _card(view, 12 + int(188 * room)))


def _card(view: DeliveryListView, limit: int) -> AdaptiveCard:
    rows = view.rows[:_SHOWN]
    more = view.more + len(view.rows) - len(rows)
    listed = ", ".join(f"{row.title}, {named(row.state)}" for row in rows)
    return card(
        [
            heading(plain(view.title, 80)),
            *([] if rows else [sentence(view.empty)]),
            *(_row(row, limit) for row in rows),
            *([aside(_and_more(more))] if more else []),
        ],
        [],
        summary=f"{view.title}: {listed or view.empty}",
    )


def _and_more(number: int) -> str:
    more = ngettext("… and {number} more.", "… and {number} more.", number)
    how = gettext("Write “status” and its id to see any of them.")
    return f"{more} {how}"


def _row(row: DeliveryRow, limit: int) -> Element:
    title, about = clean(row.title, min(60, limit)), clean(row.about, limit)
    # All buttons say "Open": what is opened tells them apart for those who hear them.
    what = ", ".join(part for part in (title, about) if part)
    tooltip = gettext("Open: {what}", what=what)
    look = execute(gettext("Open"), LookAgain(row.delivery_id), tooltip=tooltip)
    return columns(
        column(
            rich_text(
                run(title, weight="bolder"),
                run(f" · {clean(row.everyone, 120) or people(row.people)}"),
            ),
            *([rich_text(run(about), spacing="none")] if about else []),
            rich_text(*_standing(row, min(80, limit)), spacing="none"),
            *([rich_text(run(f"⚠️ {row.note}", limit=160), spacing="none")] if row.note else []),
        ),
        column(
            ActionSet(actions=[look]),
            width="auto",
            verticalContentAlignment="center",
        ),
        separator=True,
        spacing="medium",
    )


def _standing(row: DeliveryRow, limit: int) -> list[Element]:
    symbol = HEADLINES[row.state][1]
    rest = " · ".join(part for part in (row.when, row.short_id) if part)
    return [run(f"{symbol} {named(row.state)}"), run(f" · {rest}", limit=limit + 12, isSubtle=True)]
