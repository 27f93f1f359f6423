"""`python -m bench`: all benchmarks. `python -m bench NAME …`: those whose names begin so.

Prints a table, keeps it in bench/results.json, and exits with 1 when a bar was missed.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from bench import cards, fan_out, memory, replicas, scale, scheduled, start, turns
from bench.table import Row, keep, show, show_head

Benchmark = Callable[[Path], Coroutine[Any, Any, list[Row]]]

BENCHMARKS: dict[str, Benchmark] = {
    "turns": turns.beside_an_echo_bot,
    "fan-out": fan_out.beside_the_peers,
    "limited": fan_out.at_the_documented_limit,
    "memory": memory.large_audiences,
    "scheduled": scheduled.while_it_waits,
    "scheduled-due": scheduled.when_it_is_due,
    "scheduled-minute": scheduled.within_a_minute,
    "start": start.to_the_first_answer,
    "cards": cards.each,
    "replicas": replicas.shared,
    "scale": scale.simulated,
}


def chosen(words: list[str]) -> dict[str, Benchmark]:
    """The benchmarks whose names begin with one of these words; all without any."""
    found = {
        name: benchmark
        for name, benchmark in BENCHMARKS.items()
        if not words or any(name.startswith(word) for word in words)
    }
    if not found:
        sys.exit(f"There are these: {', '.join(BENCHMARKS)}")
    return found


def main(words: list[str]) -> int:
    """Run them one after the other; 1 when a bar was missed."""
    rows: list[Row] = []
    show_head()
    for name, benchmark in chosen(words).items():
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(
            prefix="herald-bench-", ignore_cleanup_errors=True
        ) as folder:
            some = asyncio.run(benchmark(Path(folder)))
        show(some)
        print(f"  ({name}: {time.perf_counter() - began:.0f} s)", flush=True)
        rows += some
    keep(rows)
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
