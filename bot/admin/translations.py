"""The manifest's texts in other languages: every one there, none that leads nowhere."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.admin.templates import parameters

# The official schema writes these limits beside a `$ref`, where draft-04 ignores them.
_LENGTHS = {"name.short": 30, "name.full": 100, "description.short": 80, "description.full": 4000}
_NOT_TEXTS = {"$schema", "localizationKeys"}


def problems(
    manifest: Mapping[str, Any], translated: Mapping[str, Any], schema: Mapping[str, Any]
) -> Iterator[str]:
    """What is wrong with one language's file; `schema` is the official one of such files."""
    original = dict(localizable(manifest, schema))
    for key in original.keys() - translated.keys():
        yield f"{key} is not translated."
    for key in translated.keys() - original.keys() - _NOT_TEXTS:
        yield f"{key} is not a text of the manifest."
    for key in original.keys() & translated.keys():
        yield from _text(key, original[key], translated[key])


def _text(key: str, original: str, translation: str) -> Iterator[str]:
    if not translation.strip():
        yield f"{key} is empty."
    limit = _LENGTHS.get(key)
    if limit and len(translation) > limit:
        yield f"{key} is {len(translation)} characters long; at most {limit} are allowed."
    if key.endswith(".templateText") and parameters(original) != parameters(translation):
        wanted = ", ".join(sorted(f"{{{name}}}" for name in parameters(original))) or "none"
        yield f"{key} must have the same parameters as the manifest: {wanted}."


def localizable(
    manifest: Mapping[str, Any], schema: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """The manifest's texts that may be translated, by the keys that translations use."""
    patterns = [re.compile(pattern) for pattern in schema["patternProperties"]]
    for key, text in _texts("", manifest):
        if key in schema["properties"] or any(pattern.search(key) for pattern in patterns):
            yield key, text


def _texts(key: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(f"{key}.{name}" if key else name, inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(f"{key}[{number}]", inner)
