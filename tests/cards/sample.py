"""A sample of the gallery, and the words that somebody provokes with."""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cached_property
from typing import Any

from cards.elements import AdaptiveCard, payload

HOSTILE = (
    "# [Prize](https://evil.example) **now** _or_ `never` <at>Everyone</at> <b>x</b> "
    "1. ~~a~~ ![i](http://evil.example/i.png) <https://evil.example> [r]: http://evil.example "
    "{{DATE(2017-02-14T06:08:39Z,SHORT)}} \u202egnp.exe\u202c \x00\x1b\u200b &#42;b&#42; ||t||"
)
RTL = "\u0645\u0648\u0639\u062f \u0627\u0644\u0637\u0628\u064a\u0628 (3) \u05e9\u05dc\u05d5\u05dd!"
EMOJI = "👩🏽‍⚕️🏳️‍🌈 Visit 🎉 " * 8
LONG = "supercalifragilistic" * 60

# What the cards' code compares, and never shows as it is.
_CODES = {"kind", "state", "tone", "form", "change_tells", "follow_ups"}

LEAVES = "Tue, Dec 1, 9:00 AM, Pacific time"
WHEN = {"zone_name": "Pacific time", "earliest": "2026-11-20", "latest": "2027-02-18"}
LATER = {"when": "later", "when_date": "2026-12-01", "when_time": "09:00"}
HOSTILE_WHEN = {"zone_name": HOSTILE, "earliest": HOSTILE, "latest": HOSTILE}


@dataclass(frozen=True)
class Sample:
    """One card: which function draws it, and of what."""

    draw: Callable[[Any], AdaptiveCard]
    name: str
    view: Any

    @property
    def title(self) -> str:
        return f"{self.draw.__module__}.{self.draw.__name__}: {self.name}"

    @cached_property
    def card(self) -> AdaptiveCard:
        return self.draw(self.view)

    @cached_property
    def payload(self) -> dict[str, Any]:
        return payload(self.card)


def retold(data: Any, tell: Callable[[str], str], name: str = "") -> Any:
    """The same view with every text in it told anew; ids that buttons carry stay."""
    if name == "values":  # they stand in inputs, where nobody translates them
        return {key if key.isidentifier() else tell(key): value for key, value in data.items()}
    if name in _CODES or hasattr(data, "verb"):
        return data
    if isinstance(data, str):
        return tell(data)
    if isinstance(data, tuple):
        return tuple(retold(item, tell) for item in data)
    if isinstance(data, dict):
        return {key: retold(value, tell) for key, value in data.items()}
    if is_dataclass(data) and not isinstance(data, type):
        names = [field.name for field in fields(data)]
        return replace(data, **{name: retold(getattr(data, name), tell, name) for name in names})
    return data
