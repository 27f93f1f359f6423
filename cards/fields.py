"""The inputs of forms: each with its label, its kept value and, under it, its error.

Who checks what: the client's own check (`isRequired`, `errorMessage`) stops every button that
sends inputs, so also 'Add a person' and 'Use this kind', which people press long before the rest
is filled in. And what a form needs is often one of two inputs, which no client can check. So only
choices that come filled in are `isRequired`: the check passes unless somebody empties them, and
never stands in the way. All else is said in the label ('needed', 'optional') and checked by the
server, which has to check everything anyway; its sentence comes back under the field, the value
stays, and the label asks to look again, because a screen reader reads labels, not neighbours.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from bot.words import gettext, marked, ngettext
from cards.blocks import and_more, aside, banner, sentence
from cards.elements import (
    AdaptiveCard,
    ChoiceSet,
    DateInput,
    Element,
    TextInput,
    TimeInput,
    container,
    fits,
    fitted,
    payload,
    rich_text,
    run,
)
from cards.plain import clean, json_bytes, kept

_FIELD_BYTES = 1_200
_LONG_FIELD_BYTES = 6_000
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}")
_ENDLESS = 10**9  # bytes; what a value may take while there is room for it
_MOST_NAMED = 3  # wrong fields above the buttons
_CUT = marked("Only the beginning fits on a card. What came after it is not here any more.")


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

    `room`, from 1 down to 0, scales how many bytes long lists of choices may take; unless the
    values are shown `whole`, also how many each of them may. `drawn` are the labels of the inputs
    so far.
    """

    values: Mapping[str, str]
    errors: Mapping[str, str]
    room: float = 1.0
    whole: bool = False
    drawn: dict[str, str] = field(default_factory=dict)

    def text(self, name: str, label: str, *, max_bytes: int = _FIELD_BYTES, **more: Any) -> Element:
        """A line or an area of text."""
        value, was_cut = kept(self.values.get(name, ""), self._most(max_bytes))
        error = self.errors.get(name, "")
        if was_cut:
            error = f"{gettext(_CUT)} {error}".strip()
        entry = TextInput(id=name, label=self._label(name, label, error), **more)
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
        label = self._label(name, label, error)
        entry = ChoiceSet(id=name, label=label, choices=shown(choices), **more)
        if more.get("style") == "expanded":
            # Or a phone cuts a long choice off at the card's edge.
            entry.wrap = True
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
        entry = DateInput(id=name, label=self._label(name, label, error), **more)
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
        entry = TimeInput(id=name, label=self._label(name, label, error), **more)
        if value:
            entry.value = value
        return _field(entry, error)

    def people(self, name: str, label: str, chosen: Sequence[HasChoice], **more: Any) -> Element:
        """Teams' people picker; those chosen before are static choices, so that names show."""
        ids = ids_in(self.values.get(name, ""))
        known = {choice.value.lower(): choice for choice in chosen}
        there = [known[i] for i in ids if i in known]
        shown_again = fitting(there, self._most(_LONG_FIELD_BYTES), [])
        error = self.errors.get(name, "")
        if len(shown_again) < len(ids):
            error = f"{_do_not_fit(len(ids) - len(shown_again))} {error}".strip()
        entry = ChoiceSet(
            id=name,
            label=self._label(name, label, error),
            choices=shown(shown_again),
            choices_data={"type": "Data.Query", "dataset": "graph.microsoft.com/users"},
            is_multi_select=True,
            **more,
        )
        if shown_again:
            entry.value = ",".join(choice.value for choice in shown_again)
        return _field(entry, error)

    def _most(self, max_bytes: int) -> int:
        return _ENDLESS if self.whole else int(max_bytes * self.room)

    def _label(self, name: str, label: str, error: str) -> str:
        self.drawn[name] = label
        return gettext("{label} – please look again", label=label) if error else label

    def opening(self, words: str, said: str = "") -> list[Element]:
        """Under the heading: what the form is for; or how many things need another look, or what
        the press before came to.

        No longer than the words that it stands for: who pressed a button at the end of the card
        would lose it from sight.
        """
        wrong = [banner("attention", "⚠️", self._how_many())] if self.errors else []
        return [*wrong, *note_above(said)] or [aside(words)]

    def hint(self, words: str) -> list[Element]:
        """A quieter sentence beside a field. Not on a form that comes back with errors: its length
        makes up for theirs, so that who pressed a button still sees what is above it."""
        return [] if self.errors else [aside(words)]

    def closing(self, said: str = "") -> list[Element]:
        """Above the buttons, where whoever pressed one is looking: what needs another look, by
        name, and what the press before came to. To be drawn after all inputs."""
        return [*self._wrong(), *note_above(said)]

    def _wrong(self) -> list[Element]:
        if not self.errors:
            return []
        named = [
            gettext("{label}: {problem}", label=label, problem=self.errors[name])
            for name, label in self.drawn.items()
            if name in self.errors
        ]
        lines = [self.errors[name] for name in sorted(set(self.errors) - set(self.drawn))] + named
        more = len(lines) - _MOST_NAMED
        shown = [sentence(line, limit=200) for line in lines[:_MOST_NAMED]]
        rest = [aside(and_more(more))] if more > 0 else []
        unsent = aside(gettext("Nothing was sent."))
        return [banner("attention", "⚠️", self._how_many(), *shown, *rest, unsent)]

    def _how_many(self) -> str:
        return ngettext(
            "{number} thing needs another look",
            "{number} things need another look",
            len(self.errors),
        )


def fitted_form(
    values: Mapping[str, str], errors: Mapping[str, str], draw: Callable[[Fields], AdaptiveCard]
) -> AdaptiveCard:
    """The form with every value whole, if need be with fewer choices; else with values cut.

    `cut` tells which it was.
    """
    for room in (1.0, 0.6, 0.3, 0.1, 0.0):
        made = draw(Fields(values, errors, room, whole=True))
        if fits(made):
            return made
    return fitted(lambda room: draw(Fields(values, errors, room)))


def cut(made: AdaptiveCard, values: Mapping[str, str]) -> list[str]:
    """The ids of the inputs of this form that do not show all of their values."""
    return [
        name
        for entry in _inputs(payload(made))
        if (name := str(entry.get("id"))) in values and not _is_whole(entry, values[name])
    ]


def _inputs(part: Any) -> Iterable[Mapping[str, Any]]:
    if isinstance(part, list):
        for item in part:
            yield from _inputs(item)
    elif isinstance(part, Mapping):
        if part.get("type") in {TextInput.element_type, ChoiceSet.element_type}:
            yield part
        for name in ("body", "items", "columns"):
            yield from _inputs(part.get(name))


def _is_whole(entry: Mapping[str, Any], value: str) -> bool:
    shows = str(entry.get("value", ""))
    if entry["type"] == TextInput.element_type:
        return shows == kept(value, _ENDLESS)[0]
    return not entry.get("isMultiSelect") or ids_in(shows) == ids_in(value)


def ids_in(written: str) -> list[str]:
    """The people picker's value as ids, each once, in lower case."""
    return list(dict.fromkeys(part.strip().lower() for part in written.split(",") if part.strip()))


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


def _do_not_fit(number: int) -> str:
    return ngettext(
        "{number} chosen person does not fit on this card: please paste their addresses.",
        "{number} chosen people do not fit on this card: please paste their addresses.",
        number,
    )


def _field(entry: Element, error: str) -> Element:
    if not error:
        return container(entry)
    wrong = rich_text(
        run(f"⚠️ {error}", limit=250, color="attention", weight="bolder"),
        id=f"error_{entry.id}",
        spacing="small",
    )
    return container(entry, wrong)
