"""Starts that are refused, as real processes: one sentence, exit code 2, nothing changed.

The first test starts them as an administrator does, the others without the wait for imports.
"""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import text

from bot.delivery.database import Database
from sandbox.stage import Stage
from tests.postgres import Postgres
from tests.processes import Process, fork_app, fork_worker, kill_all, start_app, start_worker


class Starts:
    """Starts processes, and kills what is left of them."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.processes: list[Process] = []

    async def app(self, *, by_hand: bool = False, **more: str) -> Process:
        return await self._begun(start_app if by_hand else fork_app, PORT="0", **more)

    async def worker(self, *, by_hand: bool = False, **more: str) -> Process:
        return await self._begun(start_worker if by_hand else fork_worker, **more)

    async def _begun(
        self, begin: Callable[[dict[str, str]], Awaitable[Process]], **more: str
    ) -> Process:
        self.processes.append(await begin(self._stage.environment(**more)))
        return self.processes[-1]


@pytest.fixture
async def start(stage: Stage) -> AsyncIterator[Starts]:
    starts = Starts(stage)
    yield starts
    await kill_all(starts.processes)


async def refusal(process: Process) -> str:
    """What a process says that ends at once."""
    assert await process.ended() == 2
    assert "Traceback" not in "".join(process.lines)
    return "".join(line for line in process.lines if not line.startswith("{"))


async def test_a_second_app_or_a_worker_on_the_same_sqlite_file_is_refused(start: Starts) -> None:
    first = await start.app(by_hand=True)
    await first.until("herald.listening")
    second, worker = await start.app(by_hand=True), await start.worker(by_hand=True)
    assert await refusal(second) == (
        "Herald can't start. Herald already works on this SQLite file. "
        "For more than one Herald, use PostgreSQL.\n"
    )
    assert "A worker of its own needs PostgreSQL" in await refusal(worker)

    await first.kill()
    third = await start.app()
    await third.until("herald.listening")


async def test_an_app_without_a_worker_needs_postgresql(start: Starts) -> None:
    assert "WORKER: none needs PostgreSQL" in await refusal(await start.app(WORKER="none"))


async def test_a_database_of_a_newer_version_is_refused_by_every_process(
    start: Starts, database_url: str
) -> None:
    database = Database(database_url)
    await database.migrate()
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    processes = [await start.app(DATABASE_URL=database_url)]
    if not database.is_sqlite:
        processes.append(await start.worker(DATABASE_URL=database_url))
    for process in processes:
        assert await refusal(process) == (
            "Herald can't start. The database was written by a newer version of Herald. "
            "Please install that version.\n"
        )
    async with database.read() as connection:
        assert await connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
    await database.close()


async def test_a_database_that_is_not_there_is_said_at_once_and_without_its_password(
    start: Starts, postgres: Postgres
) -> None:
    url = postgres.new().replace("postgres:@/herald", "postgres:secret@/elsewhere")
    said = await refusal(await start.app(DATABASE_URL=url))
    assert "Is DATABASE_URL right" in said
    assert "3D000" in said
    assert "secret" not in said + "".join(start.processes[0].lines)


async def test_a_folder_that_is_not_there_is_said(start: Starts, stage: Stage) -> None:
    url = f"sqlite+aiosqlite:///{stage.ca_file / 'herald.sqlite3'}"  # a file is in the way
    assert "Is DATABASE_URL right" in await refusal(await start.app(DATABASE_URL=url))
