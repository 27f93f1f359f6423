"""Reading what Teams passes on of what anybody may have written: nothing is there for certain."""

import re
from collections.abc import Mapping
from typing import Any

_MOST_ROWS = 200
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def at(found: Any, *path: str) -> Any:
    """What stands at a path of names, or None where there is no such."""
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def text(found: Any) -> str:
    """A text as it is; nothing for what is none."""
    return found if isinstance(found, str) else ""


def rows(found: Any) -> list[Any]:
    """A list, of which no more than 200 are read; an empty one for what is none."""
    return found[:_MOST_ROWS] if isinstance(found, list) else []


def guid(found: Any) -> str:
    """A GUID in lower case, or nothing."""
    found = text(found)
    lowered = found.lower() if len(found) == 36 else ""
    return lowered if _GUID.fullmatch(lowered) else ""


def number(found: Any, default: int, *, most: int) -> int:
    """A whole number from 0 to `most`, also where a client sends it as a text."""
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return default
    digits = str(found).strip().removesuffix(".0")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 9:
        return default
    return min(int(digits), most)
