"""`python -m bench.crash_matrix`: the crash matrix with a thousand kills a write point.

    --kills N        kills at each write point (1,000)
    --seed N         for the same kills again (a new one, which is printed)
    --database NAME  sqlite or postgresql (both)

Exits with 1 when a batch was lost, a text went twice, or the ledger and Graph disagree.
"""

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from bench.postgres import postgres
from tests.bot.delivery import matrix


async def kill_everywhere(new: Callable[[], str], *, kills: int, seed: int) -> int:
    """Both kinds side by side, each point printed as it is done; how many kills that were."""
    databases = [(kind, await matrix.prepare(new())) for kind in ("text", "notice")]

    async def of_kind(kind: str, database_url: str) -> int:
        total = 0
        async for point, outcome in matrix.run(database_url, kind, kills=kills, seed=seed):
            states = ", ".join(f"{times} {state}" for state, times in outcome.states.items())
            print(f"  {point}: {outcome.kills} kills: {states}", flush=True)
            total += outcome.kills
        return total

    return sum(await asyncio.gather(*(of_kind(*pair) for pair in databases)))


def on(database: str, folder: Path, *, kills: int, seed: int) -> None:
    """The whole matrix on one kind of database."""
    began = time.perf_counter()
    print(f"{database}, seed {seed}", flush=True)
    if database == "sqlite":
        numbers = count()
        new = lambda: f"sqlite+aiosqlite:///{folder / f'{next(numbers)}.sqlite3'}"  # noqa: E731
        total = asyncio.run(kill_everywhere(new, kills=kills, seed=seed))
    else:
        with postgres(folder / "postgres") as server:
            total = asyncio.run(kill_everywhere(server.new, kills=kills, seed=seed))
    print(f"{total} kills in {time.perf_counter() - began:.0f} s: nothing lost, nothing twice")


def main() -> int:
    """Run it as the arguments say."""
    parser = argparse.ArgumentParser(description="Kill Herald at every write of a send.")
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    parser.add_argument("--database", choices=["sqlite", "postgresql"])
    given = parser.parse_args()
    for database in [given.database] if given.database else ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory(prefix="herald-", ignore_cleanup_errors=True) as folder:
            on(database, Path(folder), kills=given.kills, seed=given.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
