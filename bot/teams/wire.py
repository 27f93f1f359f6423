"""JSON as it comes from the channel and as it goes back.

In: strict. What a careless parser would let through (a key twice, NaN, infinities, NUL, half of a
surrogate pair, nesting without end) would only break something further in, so it ends here.
Out: the SDK's models are written straight into the JSON encoder, without msrest's serializer,
which walks and copies every card.
"""

import base64
import json
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Any

from msrest.serialization import Model

from bot.errors import HeraldError

DEEPEST = 64


class Malformed(HeraldError):
    """This request is not a Teams activity."""


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object in a request's body.

    Raises:
        Malformed: it is not UTF-8, not JSON, not an object, or holds what the module forbids.
    """
    try:
        document = json.loads(
            body.decode(),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_finite,
        )
    except (ValueError, RecursionError):
        raise Malformed("json") from None
    if not isinstance(document, dict):
        raise Malformed("object")
    # Worth a walk only when the bytes hint at it, which those of Teams hardly ever do.
    if b"\\u0000" in body or b"\\ud" in body.lower() or body.count(b"{") + body.count(b"[") > 48:
        _walk(document)
    return document


def dumps(value: object) -> bytes:
    """JSON of plain values and SDK models, in UTF-8.

    Raises:
        TypeError: something in it is not JSON.
        ValueError: it holds a NaN, an infinity, or itself.
    """
    text = json.dumps(
        value, default=_plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return text.encode("utf-8", "replace")


def plain(value: object) -> Any:
    """The same as plain dicts and lists. Raises as `dumps` does."""
    return json.loads(dumps(value))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    built = dict(pairs)
    if len(built) != len(pairs):
        raise ValueError("a key twice")
    return built


def _constant(name: str) -> Any:
    raise ValueError(name)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("too large")
    return number


def _walk(document: dict[str, Any]) -> None:
    """Refuse NUL, lone surrogates and deep nesting; without recursion."""
    level: list[Any] = [document]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for value in level:
            if isinstance(value, str):
                _check_text(value)
            elif isinstance(value, dict):
                below.extend(value.keys())
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
        if not below:
            return
        level = below
    raise Malformed("nesting")


def _check_text(text: str) -> None:
    if "\0" in text:
        raise Malformed("nul")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Malformed("surrogate") from None


def _plain(value: object) -> object:
    if isinstance(value, Model):
        model: type = type(value)
        fields = {
            key: item
            for name, key in _fields(model)
            if (item := getattr(value, name, None)) is not None
        }
        # What came with a model beyond the SDK's fields (a mention, a tenantId) goes back with it.
        return {**(value.additional_properties or {}), **fields}
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, Exception):
        # The SDK puts an exception where the error object of an invoke's answer belongs.
        return dict(zip(("code", "message"), map(str, value.args), strict=False))
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable) and not isinstance(value, str):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


@cache
def _fields(model: type) -> tuple[tuple[str, str], ...]:
    described = model._attribute_map.items()  # type: ignore[attr-defined]
    return tuple(
        (name, field["key"].replace("\\.", "."))
        for name, field in described
        if name != "additional_properties"
    )
