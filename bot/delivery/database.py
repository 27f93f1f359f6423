"""The database: SQLite beside the app by default, PostgreSQL when one machine is not enough.

On SQLite one connection writes (`BEGIN IMMEDIATE`, WAL, `synchronous=FULL`) and others read, so a
reader never waits for a writer, and a write that was confirmed survives a power cut.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Table, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import HeraldError

log = structlog.get_logger(__name__)

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_TIMEOUT_MS = 5_000
_CLOCK_TRUSTED_S = 60.0
_T = TypeVar("_T")


class StorageUnavailable(HeraldError):
    """Herald could not write this down, so nothing was sent. Please try again in a minute."""


class DatabaseTooNew(HeraldError):
    """The database was written by a newer version of Herald. Please install that version."""


class Database:
    """Connections to read with and connections to write with.

    `write()` commits on leaving and rolls back on an error. Both raise StorageUnavailable when the
    database is away, full or locked.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.kind = self.url.get_backend_name()
        self.is_sqlite = self.kind == "sqlite"
        if self.is_sqlite:
            self._reader = _sqlite_engine(url, begin="BEGIN", pool_size=4)
            self._writer = _sqlite_engine(url, begin="BEGIN IMMEDIATE", pool_size=1)
        else:
            self._reader = self._writer = create_async_engine(
                url, pool_size=10, max_overflow=10, pool_pre_ping=True, pool_timeout=10
            )
        self._one_writer = asyncio.Lock()
        self._ahead_ms = 0.0  # how far the database's clock is ahead of ours
        self._clock_read_at = float("-inf")

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading."""
        with _away():
            async with self._reader.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction for writing; on SQLite one at a time."""
        with _away():
            if self.is_sqlite:
                async with self._one_writer, self._writer.begin() as connection:
                    yield connection
            else:
                async with self._writer.begin() as connection:
                    yield connection

    def insert(self, table: Table) -> Any:
        """An insert that knows `ON CONFLICT`: each dialect has its own, with the same words."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def clock_ms(self) -> int:
        """The time that all replicas share: PostgreSQL's, or on SQLite this machine's."""
        return round(time.time() * 1000 + self._ahead_ms)

    async def read_clock(self) -> None:
        """Compare our clock with PostgreSQL's, at most once a minute."""
        if self.is_sqlite or time.monotonic() - self._clock_read_at < _CLOCK_TRUSTED_S:
            return
        async with self.read() as connection:
            before = time.time()
            epoch = await connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())"))
            middle = (before + time.time()) / 2
        self._ahead_ms = (float(epoch or middle) - middle) * 1000
        self._clock_read_at = time.monotonic()

    async def migrate(self) -> None:
        """Bring the tables up to this version.

        Raises:
            DatabaseTooNew: a newer version wrote it; nothing was changed.
        """
        async with self.write() as connection:
            if not self.is_sqlite:
                # Replicas that start together take turns: the second finds the work done.
                await connection.execute(text("SELECT pg_advisory_xact_lock(4873254)"))
            await connection.run_sync(_upgrade)

    async def close(self) -> None:
        """Close every connection."""
        await self._reader.dispose()
        await self._writer.dispose()


class _away:  # noqa: N801 - reads as a word in `with _away():`
    """Turns the driver's ways of saying that the database is away into our own."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        mistake = isinstance(error, IntegrityError | ProgrammingError)
        if isinstance(error, DBAPIError | PoolTimeout | OSError) and not mistake:
            # The driver's own words can hold what was to be written: only the kind is kept.
            log.warning("database.unavailable", problem=type(error).__name__)
            raise StorageUnavailable from None


async def until_written(
    work: Callable[[], Awaitable[_T]], *, stop: asyncio.Event | None = None
) -> _T:
    """Do this again until the database is back: for what must not be forgotten.

    Raises StorageUnavailable once `stop` is set.
    """
    pause_s = 0.1
    while True:
        try:
            return await work()
        except StorageUnavailable:
            if stop is not None and stop.is_set():
                raise
            await asyncio.sleep(pause_s)
            pause_s = min(2.0, pause_s * 2)


def _sqlite_engine(url: str, *, begin: str, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(url, pool_size=pool_size, max_overflow=0, pool_timeout=60)

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_revision()
    if current == script.get_current_head():
        return
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        if "Can't locate revision" in str(error):
            raise DatabaseTooNew from None
        raise
