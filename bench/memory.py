"""How much memory a large audience needs, in a process that does nothing else."""

import sys
from pathlib import Path
from typing import Any

from bench.child import measured, tell
from bench.core import actor, notice, peak_mb, people, resident_mb, running
from bench.graph import Graph
from bench.table import Row

_RECIPIENTS = 100_000
_MANY = 1_000_000


async def large_audiences(folder: Path) -> list[Row]:
    """The peak above the idle process: submitted from a generator, and sent."""
    rows = []
    for recipients, bar in ((_RECIPIENTS, ("≤", 30.0)), (_MANY, None)):
        async with Graph() as graph:
            url = f"sqlite+aiosqlite:///{folder / f'{recipients}.sqlite3'}"
            found = await measured("bench.memory", url, graph.url, str(recipients))
            report = await graph.report()
        assert report["distinct"] == report["received"] == recipients // 100 + 1
        name = f"memory above idle, {recipients:,} recipients: MB"
        rows.append(Row.absolute(name, found["peak"] - found["idle"], bar, unit="MB"))
    return rows


async def _measure(database_url: str, graph_url: str, recipients: int) -> dict[str, Any]:
    async with running(database_url, graph_url) as core:
        small, _ = await core.ledger.submit(notice(actor(0)), people(1, start=recipients))
        core.worker.nudge()
        await core.settled(small)
        idle = resident_mb()
        large, _ = await core.ledger.submit(notice(actor(0)), people(recipients))
        core.worker.nudge()
        await core.settled(large)
        return {"idle": idle, "peak": peak_mb()}


if __name__ == "__main__":
    tell(_measure(sys.argv[1], sys.argv[2], int(sys.argv[3])))
