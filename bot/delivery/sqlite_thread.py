"""SQLite connections that do a statement, or a whole transaction, in one visit to their thread.

aiosqlite makes four visits for a statement (cursor, execute, fetch, close), and SQLAlchemy one more
for each BEGIN. A visit costs more than what most statements do there, so here a statement is one
and the BEGIN goes along with the first; and what is written as a function of a plain connection is
done there as a whole.
"""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import aiosqlite
from sqlalchemy import Connection, NullPool, create_engine

_T = TypeVar("_T")


def connect(database: str | Path, *, begin: str, **more: Any) -> "ThreadedConnection":
    """In the place of `aiosqlite.connect`. `begin` is how a transaction starts."""

    def connector() -> sqlite3.Connection:
        # Transactions begin where we say so, and not where the module thinks they ought to.
        opened: sqlite3.Connection = sqlite3.connect(database, isolation_level=None, **more)
        return opened

    return ThreadedConnection(connector, begin)


class ThreadedConnection(aiosqlite.Connection):
    """One connection and its thread."""

    def __init__(self, connector: Callable[[], sqlite3.Connection], begin: str) -> None:
        super().__init__(connector, 64)
        self._begin = begin
        self._is_to_begin = False  # with the next visit
        self._is_open = False  # a transaction is, or is on its way there
        self._lent: Connection | None = None

    def begin_with_next(self) -> None:
        """The next statement is the first of a transaction."""
        self._is_to_begin = True

    def cursor(self) -> "_Cursor":  # type: ignore[override]
        """A cursor; making it visits nobody."""
        return _Cursor(self)

    async def statement(self, work: Callable[[sqlite3.Cursor], "_Outcome"]) -> "_Outcome":
        """Do this in the connection's thread, in a transaction where one is to begin."""
        begins = self._is_to_begin
        if begins:
            self._opens()

        def whole() -> _Outcome:
            cursor = self._conn.cursor()
            try:
                if begins:
                    cursor.execute(self._begin)
                return work(cursor)
            finally:
                cursor.close()

        return await self._visit(whole)

    async def do(self, work: Callable[[Connection], _T], *, and_end: bool) -> _T:
        """Do all of this in the connection's thread, in a transaction.

        `and_end`: it only reads, so that the transaction ends with it.
        """
        begins = not self._is_open
        self._opens()

        def whole() -> _T:
            connection = self._plain()
            try:
                if begins:
                    connection.exec_driver_sql(self._begin)
                return work(connection)
            finally:
                if and_end:
                    self._conn.rollback()

        result = await self._visit(whole)
        self._is_open = not and_end
        return result

    def _opens(self) -> None:
        # Known on this side at once: whoever is cancelled over it still rolls it back.
        self._is_to_begin, self._is_open = False, True

    async def commit(self) -> None:
        """Commit, where anything was done."""
        await self._end(self._conn.commit)

    async def rollback(self) -> None:
        """Roll back, where anything was done."""
        await self._end(self._conn.rollback)

    async def _end(self, how: Callable[[], None]) -> None:
        if self._is_open:
            await self._visit(how)
        self._is_to_begin = self._is_open = False

    def _plain(self) -> Connection:
        # SQLAlchemy's view of this same connection. It has a transaction of its own idea, which is
        # never ended: ours are.
        if self._lent is None:
            _LENDING.connection = self._conn
            self._lent = _PLAIN.connect()
        return self._lent

    async def _visit(self, work: Callable[[], _T]) -> _T:
        run: Callable[..., Any] = self._execute
        return cast(_T, await run(work))


class _Lending(threading.local):
    connection: sqlite3.Connection


class _Lent(NullPool):
    """Gives out connections that are somebody else's to close."""

    def _do_return_conn(self, record: Any) -> None:
        record.dbapi_connection = None


_LENDING = _Lending()
_PLAIN = create_engine(
    "sqlite+pysqlite://",
    creator=lambda: _LENDING.connection,
    poolclass=_Lent,
    pool_reset_on_return=None,
)


class _Outcome:
    __slots__ = ("description", "lastrowid", "rowcount", "rows")

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.rows = cursor.fetchall() if cursor.description else []
        self.description = cursor.description
        self.rowcount = cursor.rowcount
        self.lastrowid = cursor.lastrowid


class _Cursor:
    """What SQLAlchemy's adapter asks of aiosqlite's cursor."""

    arraysize = 1

    def __init__(self, connection: ThreadedConnection) -> None:
        self._connection = connection
        self._outcome: _Outcome | None = None

    async def __aenter__(self) -> Self:
        return self

    @property
    def description(self) -> Any:
        return self._outcome.description if self._outcome else None

    @property
    def rowcount(self) -> int:
        return self._outcome.rowcount if self._outcome else -1

    @property
    def lastrowid(self) -> int | None:
        return self._outcome.lastrowid if self._outcome else None

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._outcome = await self._connection.statement(
            lambda cursor: _Outcome(cursor.execute(statement, values))
        )

    async def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        self._outcome = await self._connection.statement(
            lambda cursor: _Outcome(cursor.executemany(statement, rows))
        )

    async def fetchall(self) -> list[Any]:
        return self._outcome.rows if self._outcome else []

    async def close(self) -> None:
        return
