"""The database: SQLite beside the app by default, PostgreSQL when one machine is not enough.

On SQLite one connection writes (`BEGIN IMMEDIATE`, WAL, `synchronous=FULL`) and others read, so a
reader never waits for a writer, and a write that was confirmed survives a power cut.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Table, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bot.errors import HeraldError

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_TIMEOUT_MS = 5_000


class DatabaseTooNew(HeraldError):
    """The database was written by a newer version of Herald. Please install that version."""


class Database:
    """Connections to read with and connections to write with.

    `write()` commits on leaving and rolls back on an error.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._reader = _sqlite_engine(url, begin="BEGIN", pool_size=4)
            self._writer = _sqlite_engine(url, begin="BEGIN IMMEDIATE", pool_size=1)
        else:
            self._reader = self._writer = create_async_engine(
                url, pool_size=10, max_overflow=10, pool_pre_ping=True
            )
        self.kind = self.url.get_backend_name()
        self._one_writer = asyncio.Lock() if self.is_sqlite else None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading."""
        async with self._reader.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction for writing; on SQLite one at a time."""
        if self._one_writer is None:
            async with self._writer.begin() as connection:
                yield connection
            return
        async with self._one_writer, self._writer.begin() as connection:
            yield connection

    def insert(self, table: Table) -> Any:
        """An insert that knows `ON CONFLICT`: each dialect has its own, with the same words."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    async def migrate(self) -> None:
        """Bring the tables up to this version.

        Raises:
            DatabaseTooNew: a newer version wrote it; nothing was changed.
        """
        async with self._writer.begin() as connection:
            await connection.run_sync(_upgrade)

    async def close(self) -> None:
        """Close every connection."""
        await self._reader.dispose()
        await self._writer.dispose()


def _sqlite_engine(url: str, *, begin: str, pool_size: int) -> AsyncEngine:
    engine = create_async_engine(url, pool_size=pool_size, max_overflow=0, pool_timeout=60)

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
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
