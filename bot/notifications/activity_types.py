"""The kinds of notification: those that `manifest/manifest.json` declares, and `systemDefault`.

`systemDefault` is Teams' own reserved type with free text; it is never declared.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from bot.settings import ROOT
from bot.words import gettext, language_of, marked, spoken

_NAMES = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")
ACTOR = "actor"  # Teams fills this one in
FREE_TEXT = "systemDefault"


@dataclass(frozen=True)
class ActivityType:
    """One kind: its name in the manifest, what people choose it by, and its template.

    `translated` has both by language, as the manifest's language files do.
    """

    type: str
    description: str
    template: str
    translated: Mapping[str, tuple[str, str]] = field(default_factory=dict, compare=False)

    @property
    def called(self) -> str:
        """What people choose it by, in the language that is spoken."""
        translated = self.translated.get(spoken())
        return translated[0] if translated else gettext(self.description)

    @property
    def says(self) -> str:
        """Its template in the language that is spoken; it has the same names."""
        translated = self.translated.get(spoken())
        return translated[1] if translated else gettext(self.template)

    @property
    def found_by(self) -> str:
        """What people call it, in every language."""
        return " ".join((self.description, *(called for called, _ in self.translated.values())))

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The template's names, each once, in its order, without the actor."""
        names = dict.fromkeys(_NAMES.findall(self.template))
        return tuple(name for name in names if name != ACTOR)

    def filled(self, values: Mapping[str, str], *, actor: str) -> str:
        """The template as the feed shows it to those who read the language that is spoken."""
        known = {**values, ACTOR: actor}
        return _NAMES.sub(lambda found: known.get(found.group(1), found.group()), self.says)


# The feed shows these words alone, beside the sender's picture.
_SYSTEM_DEFAULT = ActivityType(FREE_TEXT, marked("Your own words"), "{systemDefaultText}")


def read_activity_types(
    manifest: Path = ROOT / "manifest" / "manifest.json",
) -> tuple[ActivityType, ...]:
    """The kinds that a form offers, in the manifest's order, free text last.

    In each language for which there is a file beside the manifest, as the manifest says.
    """
    found: dict[str, Any] = json.loads(manifest.read_text("utf-8"))
    declared = found.get("activities", {}).get("activityTypes", [])
    texts = _translations(manifest.parent, found.get("localizationInfo", {}))
    kinds = []
    for at, row in enumerate(declared):
        keys = [
            f"activities.activityTypes[{at}].{name}" for name in ("description", "templateText")
        ]
        translated = {
            language: (known[keys[0]], known[keys[1]])
            for language, known in texts.items()
            if keys[0] in known and keys[1] in known
        }
        kinds.append(ActivityType(row["type"], row["description"], row["templateText"], translated))
    return (*kinds, _SYSTEM_DEFAULT)


def _translations(folder: Path, info: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    """The manifest's language files, by the language as it is spoken here."""
    found = {}
    for row in info.get("additionalLanguages", []):
        file = folder / row["file"]
        if file.is_file():
            found[language_of(row["languageTag"])] = json.loads(file.read_text("utf-8"))
    return found


def words(parameter: str) -> str:
    """A parameter's name as a label: `pendingRequestCount` → "Pending request count"."""
    if parameter == "systemDefaultText":
        return marked("Your text")
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", parameter).lower()
    return spaced[:1].upper() + spaced[1:]
