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
from sqlalchemy import Connection, Table, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from bot import metrics
from bot.delivery.engines import postgres_engine, sqlite_engine
from bot.delivery.occupancy import Occupancy
from bot.delivery.sqlite_thread import ThreadedConnection
from bot.delivery.upgrade import Standing, standing, upgrade
from bot.errors import CannotStart, HeraldError

log = structlog.get_logger(__name__)

PATIENCE_S = 60.0  # at a start, with a PostgreSQL that is starting too
STOP_PATIENCE_S = 5.0  # at a stop: whoever ended us waits ten seconds or more before insisting
_STOPPING_PAUSE_S = 0.25  # between tries at a stop, so that the database's return isn't missed
_CLOCK_TRUSTED_S = 60.0
_STEP_S = 0.25  # of this machine's clock: then PostgreSQL's is asked again
# SQLSTATE classes that no waiting mends: who may come in, and which database it is.
_MISDIRECTED = ("28", "3D")
# What no repetition mends either: wrong statements and values, and what is there already.
_MISTAKEN = ("22", "23", "42")
_MISTAKES = (IntegrityError, ProgrammingError, DataError)
_T = TypeVar("_T")


class StorageUnavailable(HeraldError):
    """Herald could not write this down, so nothing was sent. Please try again in a minute."""

    def __init__(self, problem: str = "", code: str = "") -> None:
        super().__init__()
        self.problem = problem
        self.code = code


class DatabaseTooNew(CannotStart):
    """The database was written by a newer version of Herald. Please install that version."""


class DatabaseMoved(CannotStart):
    """Everything in this database was moved to another one. Please put that into DATABASE_URL."""


class DatabaseAway(CannotStart):
    """The database can't be opened. Is DATABASE_URL right, and does the database run?"""


class Database:
    """Connections to read with and connections to write with.

    `write()` commits on leaving and rolls back on an error. Both raise StorageUnavailable when the
    database is away, full or locked.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.kind = self.url.get_backend_name()
        self.is_sqlite = self.kind == "sqlite"
        self._occupancy = Occupancy(Path(self.url.database or "")) if self.is_sqlite else None
        if self.is_sqlite:
            self._reader = sqlite_engine(self.url, begin="BEGIN", pool_size=4)
            self._writer = sqlite_engine(self.url, begin="BEGIN IMMEDIATE", pool_size=1)
        else:
            self._reader = self._writer = postgres_engine(self.url)
        self._one_writer = asyncio.Lock()
        self._ahead_ms = 0.0  # how far the database's clock is ahead of ours
        self._clock_read_at = float("-inf")
        self._booted_at = 0.0  # our clock's time when the monotonic clock was 0, at that reading

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

    async def read_in_one(self, work: Callable[[Connection], _T]) -> _T:
        """Read with a function of a plain connection: on SQLite one visit to a thread.

        Elsewhere each statement is a way to the server and back, as ever.
        """
        async with self.read() as connection:
            return await self._in_one(connection, work, and_end=True)

    async def write_in_one(self, work: Callable[[Connection], _T]) -> _T:
        """The same for a transaction that writes."""
        async with self.write() as connection:
            return await self._in_one(connection, work, and_end=False)

    async def _in_one(
        self, connection: AsyncConnection, work: Callable[[Connection], _T], *, and_end: bool
    ) -> _T:
        driver = (await connection.get_raw_connection()).driver_connection
        if isinstance(driver, ThreadedConnection):
            return await driver.do(work, and_end=and_end)
        return await connection.run_sync(work)

    def insert(self, table: Table) -> Any:
        """An insert that knows `ON CONFLICT`: each dialect has its own, with the same words."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def clock_ms(self) -> int:
        """The time that all replicas share: PostgreSQL's, or on SQLite this machine's."""
        return round(time.time() * 1000 + self._ahead_ms)

    async def read_clock(self) -> None:
        """Compare our clock with PostgreSQL's, once a minute and when ours was set."""
        booted_at = time.time() - time.monotonic()
        is_fresh = time.monotonic() - self._clock_read_at < _CLOCK_TRUSTED_S
        if self.is_sqlite or (is_fresh and abs(booted_at - self._booted_at) < _STEP_S):
            return
        async with self.read() as connection:
            before = time.time()
            epoch = await connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())"))
            middle = (before + time.time()) / 2
        self._ahead_ms = (float(epoch or middle) - middle) * 1000
        self._clock_read_at = time.monotonic()
        self._booted_at = booted_at

    async def open(self, *, patience_s: float = PATIENCE_S) -> Standing:
        """For a process that works on it: make sure that it may, and bring the tables up to date.

        A PostgreSQL that is starting too is waited for; a SQLite file is this process's alone from
        here on, until `close`. Returns where the tables stood before.

        Raises:
            DatabaseInUse: another process works on this SQLite file.
            DatabaseTooNew: a newer version wrote it; nothing was changed.
            DatabaseMoved: another database took its place.
            DatabaseAway: it can't be opened.
        """
        patience = time.monotonic() + (0 if self.is_sqlite else patience_s)
        while True:
            try:
                if self._occupancy is not None:
                    self._occupancy.take()
                stood = await self.migrate()
                await self.read_clock()
                return stood
            except (OSError, DBAPIError) as error:
                # A folder that isn't there; a role that may not make tables.
                raise DatabaseAway(_why(type(error).__name__, _sqlstate(error))) from None
            except StorageUnavailable as error:
                if time.monotonic() > patience or error.code.startswith(_MISDIRECTED):
                    raise DatabaseAway(_why(error.problem, error.code)) from None
            await asyncio.sleep(1.0)

    async def migrate(self) -> Standing:
        """Bring the tables up to this version. Returns where they stood before.

        Raises:
            DatabaseTooNew: a newer version wrote it; nothing was changed.
            DatabaseMoved: another database took its place.
        """
        async with self._write_long() as connection:
            stood = await connection.run_sync(upgrade)
        if stood is Standing.NEWER:
            raise DatabaseTooNew
        if stood is Standing.MOVED:
            raise DatabaseMoved
        return stood

    @asynccontextmanager
    async def _write_long(self) -> AsyncIterator[AsyncConnection]:
        # A step over a large table, or the turn of a replica that is taking one, has no time limit.
        if self.is_sqlite:
            async with self.write() as connection:
                yield connection
            return
        engine = postgres_engine(self.url, patient=True)
        try:
            with _away():
                async with engine.begin() as connection:
                    yield connection
        finally:
            await engine.dispose()

    async def standing(self) -> Standing:
        """How the tables compare with this version; nothing is changed."""
        async with self.read() as connection:
            return await connection.run_sync(standing)

    async def close(self) -> None:
        """Close every connection, and leave a SQLite file to others."""
        await self._reader.dispose()
        await self._writer.dispose()
        if self._occupancy is not None:
            self._occupancy.leave()


class _away:  # noqa: N801 - reads as a word in `with _away():`
    """Turns the driver's ways of saying that the database is away into our own."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        code = _sqlstate(error)
        mistake = isinstance(error, _MISTAKES) or code.startswith(_MISTAKEN)
        if isinstance(error, DBAPIError | PoolTimeout | OSError) and not mistake:
            # The driver's own words can hold what was to be written: only the kind is kept.
            problem = type(error).__name__
            metrics.ERRORS.labels(StorageUnavailable.__name__).inc()
            log.warning("database.unavailable", problem=problem, code=code)
            raise StorageUnavailable(problem, code) from None


async def until_written(
    work: Callable[[], Awaitable[_T]],
    *,
    stop: asyncio.Event | None = None,
    grace_s: float = STOP_PATIENCE_S,
) -> _T:
    """Do this again until the database is back: for what must not be forgotten.

    Raises StorageUnavailable when it is still away `grace_s` after `stop` was seen to be set.
    """
    pause_s, ends_at = 0.1, float("inf")
    while True:
        try:
            return await work()
        except StorageUnavailable:
            if stop is not None and stop.is_set():
                ends_at = min(ends_at, time.monotonic() + grace_s)
            if time.monotonic() >= ends_at:
                raise
            await asyncio.sleep(pause_s)
            pause_s = min(2.0 if ends_at == float("inf") else _STOPPING_PAUSE_S, pause_s * 2)


def _sqlstate(error: BaseException | None) -> str:
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def _why(problem: str, code: str = "") -> str:
    return f"{DatabaseAway().sentence} ({problem}{' ' + code if code else ''})"
