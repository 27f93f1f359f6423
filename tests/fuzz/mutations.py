"""Activities that Teams never sent: recorded ones, cut, mixed up and made huge."""

import copy
from typing import Any

from hypothesis import strategies as st

CANARY = "canary-8e1f"  # in every text that is put in: none of it may be logged
_DEEP: Any = CANARY
for _ in range(60):
    _DEEP = {"data": [_DEEP]}

HOSTILE: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**63,
    1e308,
    "",
    " ",
    CANARY,
    f"{CANARY} ' OR 1=1 --",
    f"<script>{CANARY}</script>",
    f"{CANARY}\0\x1b[2J",
    f"\ud800{CANARY}",  # half of a pair: it can be parsed, and not be written
    f"\u202e{CANARY}",
    "../" * 40 + CANARY,
    f"https://{CANARY}.example/{{}}%s%n",
    "٣٤٥",
    "x" * 20_000,
    "2026-13-45T99:99:99Z",
    [],
    {},
    [[]],
    [CANARY] * 500,
    {CANARY: CANARY},
    {"": None},
    {f"key-{number}": CANARY for number in range(300)},
    _DEEP,
)
_Path = tuple[str | int, ...]


def paths(found: Any, so_far: _Path = ()) -> list[_Path]:
    """Every place in a JSON value, its own (the empty path) first."""
    below: list[_Path] = []
    if isinstance(found, dict):
        below = [p for key, item in found.items() for p in paths(item, (*so_far, key))]
    elif isinstance(found, list):
        below = [p for key, item in enumerate(found) for p in paths(item, (*so_far, key))]
    return [so_far, *below]


def mutated(activity: dict[str, Any], changes: list[tuple[int, int, int]]) -> dict[str, Any]:
    """The activity after these changes: (place, what is done there, with which value)."""
    result = copy.deepcopy(activity)
    for place, how, what in changes:
        known = [path for path in paths(result) if path]
        path = known[place % len(known)]
        _change(result, path, how % 5, what)
    return result


def _change(result: Any, path: _Path, how: int, what: int) -> None:
    holder = result
    for step in path[:-1]:
        holder = holder[step]
    last, value = path[-1], copy.deepcopy(HOSTILE[what % len(HOSTILE)])
    if how == 0:
        del holder[last]
    elif how == 1 and isinstance(holder, dict):
        holder[f"{last}{CANARY}"] = holder.pop(last)
    elif how == 2 and isinstance(holder[last], str):
        holder[last] = holder[last][: what % 40] + CANARY
    elif how == 3:
        holder[last] = [holder[last], value]
    else:
        holder[last] = value


CHANGES = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 4), st.integers(0, len(HOSTILE) - 1)),
    min_size=1,
    max_size=4,
)
