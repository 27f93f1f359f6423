"""How SQLAlchemy reaches each kind of database.

On SQLite every connection gets WAL, `synchronous=FULL` and a busy time-out, and says its own BEGIN.
On PostgreSQL every wait has an end: whoever filled in a form must hear within seconds that the
database is away, and a connection that a restart broke is found out before it is used.
"""

from functools import partial
from typing import Any

from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.delivery import sqlite_thread

_BUSY_TIMEOUT_MS = 5_000
_CONNECT_S = 3.0  # an invoke has to be answered within 5 seconds
_STATEMENT_S = 30.0
_POOL_WAIT_S = 5.0
_POOL = 8  # connections that stay open, of each process
_MORE = 8  # and as many again in a rush


def sqlite_engine(url: URL, *, begin: str, pool_size: int) -> AsyncEngine:
    """An engine whose transactions start with `begin`."""
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=60,
        connect_args={"async_creator_fn": partial(sqlite_thread.connect, begin=begin)},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite_thread.ThreadedConnection)  # noqa: S101 - made above
        driver.begin_with_next()

    return engine


def postgres_engine(url: URL, *, patient: bool = False) -> AsyncEngine:
    """An engine with a pool that gets over a restart of the server.

    `patient`: for statements that may take as long as they take.
    """
    return create_async_engine(
        _as_asyncpg_reads_it(url),
        pool_size=_POOL,
        max_overflow=_MORE,
        pool_timeout=_POOL_WAIT_S,
        pool_pre_ping=True,
        connect_args={
            "timeout": _CONNECT_S,
            "command_timeout": None if patient else _STATEMENT_S,
            "server_settings": {"application_name": "herald"},
        },
    )


def _as_asyncpg_reads_it(url: URL) -> URL:
    # Hosted databases give out addresses with libpq's word for it.
    mode = url.query.get("sslmode")
    if mode is None:
        return url
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
