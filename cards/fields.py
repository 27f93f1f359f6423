"""The inputs of forms: each with its label, its kept value and, under it, its error.

Who checks what: the client's own check (`isRequired`, `errorMessage`) stops every button that
sends inputs, so also 'Add attendee' and 'Use this kind', which people press long before the rest
is filled in. And what a form needs is often one of two inputs, which no client can check. So only
choices that come filled in are `isRequired`: the check passes unless somebody empties them, and
never stands in the way. All else is said in the label ('needed', 'optional') and checked by the
server, which has to check everything anyway; its sentence comes back under the field, the value
stays, and the label asks to look again, because a screen reader reads labels, not neighbours.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from cards.blocks import banner, count, sentence
from cards.elements import (
    ChoiceSet,
    DateInput,
    Element,
    TextInput,
    TimeInput,
    container,
    rich_text,
    run,
)
from cards.plain import clean, json_bytes, kept

_FIELD_BYTES = 1_200
_LONG_FIELD_BYTES = 6_000
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}")
_CUT = "Only the beginning fits on a card. What came after it is not here any more."


class HasChoice(Protocol):
    """What is shown and what is sent back."""

    @property
    def title(self) -> str:
        """What is shown."""
        ...

    @property
    def value(self) -> str:
        """What is sent back."""
        ...


AnyChoice = TypeVar("AnyChoice", bound=HasChoice)


@dataclass(frozen=True)
class Fields:
    """The inputs of one form, with what was entered and what is wrong with it, by input id.

    `room`, from 1 down to 0, scales how many bytes long values and long lists may take.
    """

    values: Mapping[str, str]
    errors: Mapping[str, str]
    room: float = 1.0

    def text(self, name: str, label: str, *, max_bytes: int = _FIELD_BYTES, **more: Any) -> Element:
        """A line or an area of text."""
        value, was_cut = kept(self.values.get(name, ""), int(max_bytes * self.room))
        error = self.errors.get(name, "")
        if was_cut:
            error = f"{_CUT} {error}".strip()
        entry = TextInput(id=name, label=_label(label, error), **more)
        if value:
            entry.value = value
        return _field(entry, error)

    def long_text(self, name: str, label: str, **more: Any) -> Element:
        """An area for a pasted list."""
        return self.text(name, label, max_bytes=_LONG_FIELD_BYTES, is_multiline=True, **more)

    def choice(
        self,
        name: str,
        label: str,
        choices: Sequence[HasChoice],
        *,
        default: str = "",
        max_bytes: int = 4_000,
        **more: Any,
    ) -> Element:
        """One of several. Without a value the `default` is chosen, where it is among them."""
        value = self.values.get(name, "")
        choices = fitting(choices, int(max_bytes * self.room), [value, default])
        offered = {choice.value for choice in choices}
        value = value if value in offered else default
        error = self.errors.get(name, "")
        entry = ChoiceSet(id=name, label=_label(label, error), choices=shown(choices), **more)
        if value in offered:
            entry.value = value
        return _field(entry, error)

    def date(
        self, name: str, label: str, *, earliest: str = "", latest: str = "", **more: Any
    ) -> Element:
        """A day. `earliest` and `latest`, ISO dates, are what the calendar offers.

        A kept day outside of them comes without them: the client would stop every button.
        """
        day = _matching(_DATE, self.values.get(name, ""))
        first, last = _matching(_DATE, earliest), _matching(_DATE, latest)
        error = self.errors.get(name, "")
        entry = DateInput(id=name, label=_label(label, error), **more)
        bounds = {"min": first, "max": last}
        if day and not first <= day <= (last or day):
            bounds = {}
        for attribute, value in {"value": day, **bounds}.items():
            if value:
                setattr(entry, attribute, value)
        return _field(entry, error)

    def time(self, name: str, label: str, **more: Any) -> Element:
        """A time of day."""
        value = _matching(_TIME, self.values.get(name, ""))
        error = self.errors.get(name, "")
        entry = TimeInput(id=name, label=_label(label, error), **more)
        if value:
            entry.value = value
        return _field(entry, error)

    def people(self, name: str, label: str, chosen: Sequence[HasChoice], **more: Any) -> Element:
        """Teams' people picker; those chosen before are static choices, so that names show."""
        ids = [value for value in self.values.get(name, "").split(",") if value]
        known = {choice.value: choice for choice in chosen}
        fits = fitting(
            [known[i] for i in ids if i in known], int(_LONG_FIELD_BYTES * self.room), []
        )
        error = self.errors.get(name, "")
        if len(fits) < len(ids):
            rest = count(len(ids) - len(fits), "chosen person does", "chosen people do")
            error = f"{rest} not fit on this card: please paste their addresses. {error}".strip()
        entry = ChoiceSet(
            id=name,
            label=_label(label, error),
            choices=shown(fits),
            choices_data={"type": "Data.Query", "dataset": "graph.microsoft.com/users"},
            is_multi_select=True,
            **more,
        )
        if fits:
            entry.value = ",".join(choice.value for choice in fits)
        return _field(entry, error)

    def summary(self, on_the_card: Iterable[str]) -> list[Element]:
        """At the top: how many things need another look, and those that have no field here."""
        if not self.errors:
            return []
        wrong = len(self.errors)
        title = f"{count(wrong, 'thing needs', 'things need')} another look"
        elsewhere = set(self.errors) - set(on_the_card)
        where = (
            [] if len(elsewhere) == wrong else ["Nothing was sent. Look for the same sign below."]
        )
        lines = [*where, *(self.errors[name] for name in sorted(elsewhere))]
        return [banner("attention", "⚠️", title, *(sentence(line) for line in lines[:8]))]


def side_by_side(*entries: Element) -> Element:
    """Fields in a row where Teams has the room; below one another on phones and older clients."""
    flow = {"type": "Layout.Flow", "itemFit": "Fill", "minItemWidth": "210px"}
    return container(*entries, layouts=[flow])


def note_above(note: str) -> list[Element]:
    """A sentence at the top of a form, or nothing."""
    return [container(sentence(f"ℹ️ {note}"), style="emphasis")] if note else []


def shown(choices: Sequence[HasChoice]) -> list[dict[str, str]]:
    """The choices as the card carries them."""
    return [{"title": clean(choice.title, 120), "value": choice.value} for choice in choices]


def fitting(choices: Sequence[AnyChoice], max_bytes: int, keep: Iterable[str]) -> list[AnyChoice]:
    """As many choices, from the first, as `max_bytes` hold, and surely those of the values `keep`.

    Bytes are those of JSON in ASCII.
    """
    kept_values, fits = set(keep), []
    for choice in choices:
        max_bytes -= 28 + json_bytes(clean(choice.title, 120)) + json_bytes(choice.value)
        if max_bytes >= 0 or choice.value in kept_values:
            fits.append(choice)
    return fits


def _matching(shape: re.Pattern[str], value: str) -> str:
    return value if shape.fullmatch(value) else ""


def _label(label: str, error: str) -> str:
    return f"{label} – please look again" if error else label


def _field(entry: Element, error: str) -> Element:
    if not error:
        return container(entry)
    wrong = rich_text(
        run(f"⚠️ {error}", limit=250, color="attention", weight="bolder"),
        id=f"error_{entry.id}",
        spacing="small",
    )
    return container(entry, wrong)
