"""What a card costs: to build it from its view, and to write it as JSON."""

import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.table import Row, median
from bot.teams import wire
from cards.elements import payload
from tests.cards.samples import gallery

_TIMES = 3
_AT_LEAST_S = 0.003  # of one timing


async def each(_folder: Path) -> list[Row]:
    """Every kind of card, as the tests' gallery draws it: the median of its samples."""
    built: dict[str, list[float]] = defaultdict(list)
    written: dict[str, list[float]] = defaultdict(list)
    for sample in gallery():
        kind = f"{sample.draw.__module__.removeprefix('cards.')}.{sample.draw.__name__}"
        card = sample.draw(sample.view)
        built[kind].append(_micros(partial(sample.draw, sample.view)))
        written[kind].append(_micros(lambda: wire.dumps(payload(card))))  # noqa: B023 - at once
    rows = []
    for kind, times in built.items():
        rows.append(Row.absolute(f"card {kind}: build, µs", median(times), None))
        rows.append(Row.absolute(f"card {kind}: serialize, µs", median(written[kind]), None))
    return rows


def _micros(work: Callable[[], object]) -> float:
    work()
    found = []
    for _ in range(_TIMES):
        count, began = 0, time.perf_counter()
        while (spent := time.perf_counter() - began) < _AT_LEAST_S:
            work()
            count += 1
        found.append(spent / max(1, count) * 1e6)
    return median(found)
