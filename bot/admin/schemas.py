"""Microsoft's own JSON schemas of the app manifest, from the npm package `@microsoft/app-manifest`.

They are draft-04 and refer to nothing outside themselves.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator, ValidationError

from bot.errors import HeraldError
from bot.settings import ROOT

SCHEMAS = ROOT / "node_modules" / "@microsoft" / "app-manifest" / "build" / "json-schemas" / "teams"
ADDRESS = "https://developer.microsoft.com/json-schemas/teams/v{version}/{name}.schema.json"
MANIFEST = "MicrosoftTeams"
LOCALIZATION = "MicrosoftTeams.Localization"


class SchemasMissing(HeraldError):
    """Microsoft's manifest schemas are not here: run `npm install` beside app.py first."""


class UnknownVersion(HeraldError):
    """There is no official schema for this manifestVersion."""


def read(version: str, name: str, *, schemas: Path = SCHEMAS) -> dict[str, Any]:
    """The official schema `name` of one manifest version, for instance "1.25".

    Raises:
        SchemasMissing: the npm package is not installed.
        UnknownVersion: it is, but has no such version.
    """
    if not schemas.is_dir():
        raise SchemasMissing
    path = schemas / f"v{version}" / f"{name}.schema.json"
    if not re.fullmatch(r"\d+\.\d+", version) or not path.is_file():
        raise UnknownVersion
    schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return schema


def errors(value: Any, schema: dict[str, Any]) -> list[ValidationError]:
    """What the schema says against `value`, in the order of its fields."""
    found: Iterator[ValidationError] = Draft4Validator(schema).iter_errors(value)
    return sorted(found, key=lambda error: [str(part) for part in error.absolute_path])


def is_of_shape(found: list[ValidationError]) -> bool:
    """Whether the fields are of the right types at least, so that they can be looked at closer."""
    return not any(error.validator in {"type", "required", "oneOf", "anyOf"} for error in found)


def sentence(error: ValidationError) -> str:
    """One plain sentence that names the field."""
    place = field(error.absolute_path) or "the file"
    wanted: Any = error.validator_value
    value: Any = error.instance
    match error.validator:
        case "required":
            missing = re.match(r"'(.+?)'", error.message)
            return f"{place} lacks '{missing.group(1) if missing else wanted}'."
        case "additionalProperties":
            unknown = ", ".join(sorted(_unknown(value, error.schema)))
            return f"{place} holds what the official schema doesn't know: {unknown}."
        case "maxLength":
            return f"{place} is {len(value)} characters long; at most {wanted} are allowed."
        case "maxItems":
            return f"{place} holds {len(value)} entries; at most {wanted} are allowed."
        case "enum":
            return f"{place} is {value!r}; allowed are {', '.join(map(str, wanted))}."
        case "pattern":
            return f"{place} is {value!r}, which hasn't the form that the official schema asks for."
        case "type":
            return f"{place} is not of the type that the official schema asks for: {wanted}."
    return f"{place}: {error.message}."


def field(path: Any) -> str:
    """A place in a document as people write it: `bots[0].commandLists[1].commands`."""
    written = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return written.removeprefix(".")


def _unknown(value: dict[str, Any], schema: Any) -> set[str]:
    patterns = schema.get("patternProperties", {})
    return {
        name
        for name in value
        if name not in schema.get("properties", {})
        and not any(re.search(pattern, name) for pattern in patterns)
    }
