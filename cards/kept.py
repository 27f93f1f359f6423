"""A form that can't be shown again: why, and all that was entered into it, to be copied."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.words import gettext, marked
from cards.blocks import aside, banner, sentence
from cards.buttons import Button, OpenNotice, OpenText
from cards.elements import AdaptiveCard, Element, TextInput, card, container, execute, fitted
from cards.fields import Fields
from cards.notice_form import spelled
from cards.plain import clean

_EMPTY_FORMS: Mapping[str, Button] = {"text": OpenText(), "notice": OpenNotice()}
_NAMES = {
    "meeting": marked("Meeting"),
    "join_link": marked("Join link"),
    "message_type": marked("Message type"),
    "language": marked("Language"),
    "phone": marked("Phone {row}"),
    "zone": marked("Zone {row}"),
    "attendee_list": marked("Attendee list"),
    "activity_type": marked("Activity type"),
    "preview": marked("Preview"),
    "recipients": marked("Recipients"),
    "recipient_list": marked("Recipient list"),
    "audience": marked("Audience"),
    "keep_audience": marked("Keep audience"),
    "way": marked("Way"),
    "topic": marked("Topic"),
    "topic_link": marked("Topic link"),
    "topic_title": marked("Topic title"),
    "when": marked("When"),
    "when_date": marked("When date"),
    "when_time": marked("When time"),
}


@dataclass(frozen=True)
class KeptView:
    """`values` are the inputs' values by input id; `form` is text, notice, or nothing.

    `is_old`: nothing went wrong, but the card was an old one.
    """

    sentence: str
    values: Mapping[str, str] = field(default_factory=dict)
    form: str = ""
    is_old: bool = False


def kept(view: KeptView) -> AdaptiveCard:
    """The sentence, and the values in inputs of their own, where they can be marked and copied."""
    return fitted(lambda room: _card(view, room))


def _card(view: KeptView, room: float) -> AdaptiveCard:
    entered = [(name, value) for name, value in view.values.items() if value.strip()]
    below = gettext("What you had entered is below, so that you can copy it.")
    title = gettext("This card is an old one") if view.is_old else gettext("That did not work")
    return card(
        [
            banner("attention", "⚠️", title, sentence(view.sentence)),
            *([aside(below)] if entered else []),
            *(_entry(n, *entry, room) for n, entry in enumerate(entered[: 6 + int(34 * room)])),
        ],
        _empty_forms(view),
        summary=f"{title}. {view.sentence}",
    )


def _empty_forms(view: KeptView) -> list[Element]:
    if view.form in _EMPTY_FORMS:
        return [execute(gettext("Open an empty form"), _EMPTY_FORMS[view.form])]
    if not view.is_old:
        return []
    return [
        execute(gettext("Text an appointment"), OpenText()),
        execute(gettext("Notify teammates"), OpenNotice()),
    ]


def _entry(n: int, name: str, value: str, room: float) -> Element:
    label = clean(_named(name), 60) or "–"
    shown = f"kept_{n}"  # names are hostile data
    if room == 1.0:
        return container(
            TextInput(id=shown, label=label, value=value, is_multiline=len(value) > 80)
        )
    return Fields({shown: value}, {}, room).long_text(shown, label)


def _named(name: str) -> str:
    """An input's id in words; those that no form has are shown as they came."""
    if name in _NAMES:
        return gettext(_NAMES[name])
    kind, _, which = name.partition("_")
    if kind == "param" and which:
        return spelled(which)
    if kind in {"phone", "zone"}:
        return gettext(_NAMES[kind], row=which)
    return name.replace("_", " ").capitalize()
