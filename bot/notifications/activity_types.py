"""The kinds of notification: those that `manifest/manifest.json` declares, and `systemDefault`.

`systemDefault` is Teams' own reserved type with free text; it is never declared.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bot.settings import ROOT

_NAMES = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")
ACTOR = "actor"  # Teams fills this one in
FREE_TEXT = "systemDefault"


@dataclass(frozen=True)
class ActivityType:
    """One kind: its name in the manifest, what people choose it by, and its template."""

    type: str
    description: str
    template: str

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The template's names, each once, in its order, without the actor."""
        names = dict.fromkeys(_NAMES.findall(self.template))
        return tuple(name for name in names if name != ACTOR)

    def filled(self, values: Mapping[str, str], *, actor: str) -> str:
        """The template as the feed shows it."""
        known = {**values, ACTOR: actor}
        return _NAMES.sub(lambda found: known.get(found.group(1), found.group()), self.template)


# The feed shows these words alone, beside the sender's picture.
_SYSTEM_DEFAULT = ActivityType(FREE_TEXT, "Your own words", "{systemDefaultText}")


def read_activity_types(
    manifest: Path = ROOT / "manifest" / "manifest.json",
) -> tuple[ActivityType, ...]:
    """The kinds that a form offers, in the manifest's order, free text last."""
    found: dict[str, Any] = json.loads(manifest.read_text("utf-8"))
    declared = found.get("activities", {}).get("activityTypes", [])
    return (
        *(ActivityType(row["type"], row["description"], row["templateText"]) for row in declared),
        _SYSTEM_DEFAULT,
    )


def words(parameter: str) -> str:
    """A parameter's name as a label: `pendingRequestCount` → "Pending request count"."""
    if parameter == "systemDefaultText":
        return "Your text"
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", parameter).lower()
    return spaced[:1].upper() + spaced[1:]
