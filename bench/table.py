"""The rows that the benchmarks give, how they are printed and where they are kept."""

import json
import operator
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

RESULTS = Path(__file__).parent / "results.json"
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "≤": operator.le,
    "<": operator.lt,
    "≥": operator.ge,
    "=": operator.eq,
}


@dataclass(frozen=True)
class Row:
    """One line of the table.

    `ratio` is ours divided by the peer's, `bar` what must be reached, as a sentence (empty: only
    reported). Where there is no peer, the number itself is held against the bar.
    """

    name: str
    ours: float
    peer: float | None
    ratio: float | None
    bar: str
    ok: bool

    @classmethod
    def compared(cls, name: str, ours: float, peer: float, bar: tuple[str, float] | None) -> Self:
        """Ours beside the peer's; the ratio is held against the bar."""
        ratio = ours / peer
        words = f"{bar[0]} {bar[1]:g} ×" if bar else ""
        return cls(name, ours, peer, ratio, words, bar is None or _COMPARE[bar[0]](ratio, bar[1]))

    @classmethod
    def absolute(
        cls,
        name: str,
        ours: float,
        bar: tuple[str, float] | None,
        *,
        unit: str = "",
        peer: float | None = None,
    ) -> Self:
        """A number of ours that is itself held against the bar; a peer's is only for reading."""
        words = f"{bar[0]} {bar[1]:g} {unit}".rstrip() if bar else ""
        met = bar is None or _COMPARE[bar[0]](ours, bar[1])
        return cls(name, ours, peer, ours / peer if peer else None, words, met)


def median(numbers: Iterable[float]) -> float:
    """The middle of several rounds."""
    return statistics.median(numbers)


def share(numbers: Sequence[float], percent: float) -> float:
    """The number that this percentage of all is not above."""
    ordered = sorted(numbers)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def show(rows: Iterable[Row]) -> None:
    """Print the table's lines."""
    for row in rows:
        peer = "" if row.peer is None else _short(row.peer)
        ratio = "" if row.ratio is None else f"{row.ratio:.3f}"
        verdict = "" if not row.bar else "ok" if row.ok else "MISSED"
        print(
            f"{row.name:<66} {_short(row.ours):>9} {peer:>9} {ratio:>8}  {row.bar:<14} {verdict}",
            flush=True,
        )


def show_head() -> None:
    """Print the table's head."""
    print(f"{'':<66} {'ours':>9} {'peer':>9} {'ratio':>8}  bar", flush=True)


def keep(rows: Iterable[Row], path: Path = RESULTS) -> None:
    """Write the rows; those of benchmarks that did not run this time stay as they were."""
    new = {row.name: asdict(row) for row in rows}
    old: list[dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.exists() else []
    kept = [new.pop(row["name"], row) for row in old] + list(new.values())
    path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", "utf-8")


def _short(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{number:.4g}"
