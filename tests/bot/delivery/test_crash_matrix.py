"""A real process is killed before and after every write around a send; nothing is lost or doubled.

What Graph received is compared with what the ledger says afterwards.
"""

import asyncio
import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bot.delivery import matrix
from tests.postgres import Postgres

# At each write point. `make test` should end in a few minutes; CI has the time for more, and
# `python -m bench.crash_matrix` for a thousand.
KILLS = 20 if os.environ.get("CI") else 2

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a process is forked for each kill")


async def _killed_everywhere(new_database: Callable[[], str]) -> None:
    seed = secrets.randbits(32)
    sys.stdout.write(f"seed {seed}\n")
    texts, notices = [await matrix.prepare(new_database()) for _ in range(2)]

    async def of_kind(kind: str, database_url: str) -> int:
        found = matrix.run(database_url, kind, kills=KILLS, seed=seed)
        return len([point async for point, _ in found])

    both = await asyncio.gather(of_kind("text", texts), of_kind("notice", notices))
    assert sum(both) == len(matrix.POINTS)


@pytest.mark.timeout(600)
async def test_killed_at_every_write_on_sqlite_nothing_is_lost_and_no_text_goes_twice(
    tmp_path: Path,
) -> None:
    numbers = iter(range(10))
    await _killed_everywhere(
        lambda: f"sqlite+aiosqlite:///{tmp_path / f'ledger{next(numbers)}.sqlite3'}"
    )


@pytest.mark.timeout(600)
async def test_killed_at_every_write_on_postgresql_nothing_is_lost_and_no_text_goes_twice(
    postgres: Postgres,
) -> None:
    await _killed_everywhere(postgres.new)
