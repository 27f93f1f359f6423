"""What the `adaptivecards` package lacks: inputs, actions, headings and a whole card.

Adaptive Cards 1.5 (https://adaptivecards.io/explorer) with Teams' extensions. The package drops
what it doesn't know without a word; the elements here refuse it.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from adaptivecards.adaptivecard import AdaptiveCard
from adaptivecards.baseobject import AdaptiveCardJSONEncoder, Element, PropertyType
from adaptivecards.containers import Column, ColumnSet, Container
from adaptivecards.elements import RichTextBlock, TextBlock, TextRun

from bot import words
from cards.buttons import Button
from cards.plain import breakable, clean, plain, spoken

__all__ = [
    "MAX_BYTES",
    "ActionSet",
    "AdaptiveCard",
    "ChoiceSet",
    "DateInput",
    "Element",
    "Execute",
    "OpenUrl",
    "Submit",
    "TextInput",
    "TimeInput",
    "card",
    "clean",
    "column",
    "columns",
    "container",
    "execute",
    "fits",
    "fitted",
    "opens_dialog",
    "payload",
    "plain",
    "refreshed",
    "rich_text",
    "run",
    "sign_in_action",
    "size",
    "spoken",
    "text_block",
]

MAX_BYTES = 28 * 1024  # Teams refuses larger messages with 413
_ENVELOPE = 1_024  # of these, for what stands around the card


class Part(Element):  # type: ignore[misc]
    """An element that refuses attributes it doesn't know."""

    def __init__(self, **attributes: Any) -> None:
        for name in attributes:
            if not any(isinstance(vars(kind).get(name), PropertyType) for kind in type(self).mro()):
                raise TypeError(f"{type(self).__name__} has no {name}")
        super().__init__(**attributes)


class Text(Part, TextBlock):  # type: ignore[misc]
    """A text block with the `style` of 1.5: a heading is one for screen readers, too."""

    style = PropertyType(type=str)


class Run(Part, TextRun):  # type: ignore[misc]
    """A stretch of text in one style."""


class Paragraph(Part, RichTextBlock):  # type: ignore[misc]
    """Runs of text."""


class Box(Part, Container):  # type: ignore[misc]
    """A container.

    `layouts` are Teams' own (`Layout.Flow`): where a client doesn't know them, the items stand
    below one another.
    """

    layouts = PropertyType(type=list)


class Columns(Part, ColumnSet):  # type: ignore[misc]
    """Columns side by side."""


class OneColumn(Part, Column):  # type: ignore[misc]
    """One of them."""


class Input(Part):
    """What all inputs have. A label is no option."""

    label = PropertyType(type=str)
    is_required = PropertyType(type=bool, key_name="isRequired")
    error_message = PropertyType(type=str, key_name="errorMessage")
    placeholder = PropertyType(type=str)
    value = PropertyType(type=str)


class TextInput(Input):
    """`Input.Text`; `style` is text, tel, url or email."""

    element_type = "Input.Text"
    is_multiline = PropertyType(type=bool, key_name="isMultiline")
    max_length = PropertyType(type=int, key_name="maxLength")
    style = PropertyType(type=str)


class ChoiceSet(Input):
    """`Input.ChoiceSet`; `style` is compact, expanded, or filtered: searched by typing.

    `choices_data` is Teams' people picker, or what the bot is asked for while somebody types.
    Several values come back joined by commas.
    """

    element_type = "Input.ChoiceSet"
    choices = PropertyType(type=list)
    choices_data = PropertyType(type=dict, key_name="choices.data")
    is_multi_select = PropertyType(type=bool, key_name="isMultiSelect")
    style = PropertyType(type=str)
    wrap = PropertyType(type=bool)


class DateInput(Input):
    """`Input.Date`; value, `min` and `max` are ISO dates (2026-12-01).

    A client stops every button that sends inputs while the date is outside of `min` and `max`; an
    empty one passes.
    """

    element_type = "Input.Date"
    min = PropertyType(type=str)
    max = PropertyType(type=str)


class TimeInput(Input):
    """`Input.Time`; the value is a time of day on a 24-hour clock (09:00), whatever is shown."""

    element_type = "Input.Time"


class ActionSet(Part):
    """Buttons in the middle of a card."""

    element_type = "ActionSet"
    actions = PropertyType(type=list)


class Action(Part):
    """What all actions have; unlike an element's, an action's fallback may be another action."""

    title = PropertyType(type=str)
    style = PropertyType(type=str)
    tooltip = PropertyType(type=str)
    fallback = PropertyType(type=(str, Element))


class Submit(Action):
    """`Action.Submit`: a message activity whose `value` is the data and the inputs."""

    element_type = "Action.Submit"
    data = PropertyType(type=dict)
    associated_inputs = PropertyType(type=str, key_name="associatedInputs")


class Execute(Submit):
    """`Action.Execute`: an `adaptiveCard/action` invoke."""

    element_type = "Action.Execute"
    verb = PropertyType(type=str)


class OpenUrl(Action):
    """`Action.OpenUrl`."""

    element_type = "Action.OpenUrl"
    url = PropertyType(type=str)


def execute(
    title: str, button: Button, *, main: bool = False, inputs: bool = False, tooltip: str = ""
) -> Execute:
    """A button of ours: `Action.Execute`, and for clients without it a Submit that does the same.

    `inputs` says that what was entered is sent along: both ways, or neither. `tooltip`, in
    anybody's words, is what screen readers say besides the title.
    """
    shared: dict[str, Any] = {
        "title": title,
        "data": button.pack(),
        "associated_inputs": "auto" if inputs else "none",
    }
    if main:
        shared["style"] = "positive"
    more = {"tooltip": clean(tooltip, 200)} if tooltip else {}
    return Execute(verb=button.verb, fallback=Submit(**shared), **shared, **more)


def opens_dialog(title: str, button: Button, *, main: bool = False) -> Submit:
    """A button of ours that opens a dialog: Teams asks what stands in it (`task/fetch`)."""
    data = {**button.pack(), "msteams": {"type": "task/fetch"}}
    more = {"style": "positive"} if main else {}
    return Submit(title=title, data=data, associated_inputs="none", **more)


def refreshed(made: AdaptiveCard, button: Button, user_ids: Sequence[str]) -> AdaptiveCard:
    """The same card, which Teams draws anew for these people (`29:…`) when they look at it.

    Teams takes at most 60 of them: those named first.
    """
    action = {"type": "Action.Execute", "verb": button.verb, "data": button.pack()}
    made.set_data("refresh", {"action": action, "userIds": list(user_ids)[:60]})
    return made


def sign_in_action(title: str, link: str) -> Submit:
    """Teams' own sign-in action: opens `link` in the consent pop-up."""
    data = {"msteams": {"type": "signin", "value": link}}
    return Submit(title=title, data=data, style="positive", associated_inputs="none")


def text_block(text: str, **attributes: Any) -> Element:
    """A line of our own words; those of others go into a `run`. It wraps."""
    return Text(text=text, wrap=True, **attributes)


def run(text: str, *, limit: int = 300, **attributes: Any) -> Element:
    """A stretch of anybody's words, never read as markdown. A space at either end stays."""
    before, after = (" " if end == " " else "" for end in (text[:1], text[-1:]))
    return Run(text=f"{before}{breakable(clean(text, limit))}{after}" or "–", **attributes)


def rich_text(*runs: Element, **attributes: Any) -> Element:
    """Runs in one paragraph; it wraps."""
    return Paragraph(inlines=list(runs), **attributes)


def container(*items: Element, **attributes: Any) -> Element:
    """Elements below one another."""
    return Box(items=list(items), **attributes)


def column(*items: Element, width: str = "stretch", **attributes: Any) -> Element:
    """One column; `width` is auto, stretch, a weight or pixels ("90px")."""
    return OneColumn(items=list(items), width=width, **attributes)


def columns(*parts: Element, **attributes: Any) -> Element:
    """Columns side by side."""
    return Columns(columns=list(parts), **attributes)


def card(body: Sequence[Element], actions: Sequence[Element], *, summary: str) -> AdaptiveCard:
    """A card of version 1.5 in full width.

    `summary` is one sentence of plain text, in anybody's words: spoken, and shown by clients that
    can't draw the card.
    """
    made = AdaptiveCard()
    made.set_data("version", "1.5")
    made.set_data("msteams", {"width": "Full"})
    made.lang = words.spoken()
    made.speak = spoken(summary)
    made.fallback_text = plain(summary)
    made.body = list(body)
    if actions:
        made.actions = list(actions)
    return made


def payload(made: AdaptiveCard) -> dict[str, Any]:
    """The card as plain JSON, all the way down: `render` stops at the first level."""
    deep: dict[str, Any] = json.loads(json.dumps(made.render(), cls=AdaptiveCardJSONEncoder))
    return deep


def size(made: AdaptiveCard) -> int:
    """The bytes of the card as the SDK sends it: JSON in ASCII."""
    return len(json.dumps(payload(made)))


def fits(made: AdaptiveCard) -> bool:
    """Whether Teams takes a message with this card."""
    return size(made) <= MAX_BYTES - _ENVELOPE


def fitted(draw: Callable[[float], AdaptiveCard]) -> AdaptiveCard:
    """The card that `draw` makes with as much room for long values and lists as 28 KB allow."""
    for room in (1.0, 0.6, 0.3, 0.1):
        made = draw(room)
        if fits(made):
            return made
    return draw(0.0)
