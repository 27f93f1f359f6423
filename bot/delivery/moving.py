"""Moving all that a database holds into an empty one, of either kind: all of it, or nothing.

Nothing may leave twice: forms' keys and doubts come along as they are, both databases are kept from
everybody else meanwhile, and the one that was left says so, so that no Herald starts on it again.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Table,
    false,
    func,
    insert,
    not_,
    or_,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.delivery.database import Database, DatabaseMoved, DatabaseTooNew
from bot.delivery.models import BATCHES, METADATA, ONCE
from bot.delivery.occupancy import Occupancy
from bot.delivery.upgrade import MOVED, TURN, Standing
from bot.errors import CannotStart
from bot.identity.token_cache import METADATA as SIGN_INS

# Those that others refer to come first.
TABLES = (*METADATA.sorted_tables, *SIGN_INS.sorted_tables)
_AT_ONCE = 500  # records read and written together
_SETTLES_S = 3.0  # a connection that was just closed may be listed for a moment
_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name = 'herald' AND pid <> pg_backend_pid()"
)

# Given how many records there are; gives back what is told of every few that arrived.
Begun = Callable[[int], Callable[[int], object]]


class NothingToMove(CannotStart):
    """There is nothing in this database that could be moved."""


class OutOfDate(CannotStart):
    """The database is from an older version. Please run `python -m bot db upgrade` first."""


class SameDatabase(CannotStart):
    """That is the database that Herald has already. Please name another one."""


class NotEmpty(CannotStart):
    """The other database is not empty. Please name an empty one, for nothing is mixed or lost."""


class StillInUse(CannotStart):
    """Herald is connected to that database. Please stop every app, worker and command first."""


class CountsDiffer(CannotStart):
    """Not everything arrived in the other database, so nothing was moved. Please try again."""


@dataclass(frozen=True)
class Moved:
    """How many records of each table arrived."""

    counts: dict[str, int]


async def move(source: Database, target: Database, begun: Begun) -> Moved:
    """Move everything from one database to the other; the caller closes both.

    What was interrupted between the two commits is finished by the same call once more.

    Raises:
        CannotStart: one of those above, DatabaseInUse, DatabaseMoved, DatabaseTooNew, DatabaseAway.
        StorageUnavailable: a database went away; nothing was moved.
    """
    if source.url == target.url:
        raise SameDatabase
    held = Occupancy(Path(source.url.database or "")) if source.is_sqlite else None
    if held is not None:
        held.take()
    try:
        is_again = await _may_be_left(source)
        await target.open(patience_s=0)
        # The one that is left is told first: at worst neither can be used until this is repeated.
        async with _alone(target) as there, _alone(source) as here:
            await _examine(here, there, target, is_again=is_again)
            moved = await _everything(here, there, begun)
            await _leave(here, target)
            return moved
    finally:
        if held is not None:
            held.leave()


async def _may_be_left(source: Database) -> bool:
    """Whether it was left before. Raises CannotStart."""
    if source.is_sqlite and not await asyncio.to_thread(Path(source.url.database or "").exists):
        raise NothingToMove  # opening it would make it
    stands = await source.standing()
    refusals: dict[Standing, type[CannotStart]] = {
        Standing.EMPTY: NothingToMove,
        Standing.BEHIND: OutOfDate,
        Standing.NEWER: DatabaseTooNew,
    }
    if stands in refusals:
        raise refusals[stands]
    return stands is Standing.MOVED


@asynccontextmanager
async def _alone(database: Database) -> AsyncIterator[AsyncConnection]:
    """A transaction during which nobody else has this database."""
    async with database.write() as connection:
        if not database.is_sqlite:
            # Whoever starts meanwhile waits here, and then sees what became of it.
            await connection.execute(TURN)
            await _until_others_left(connection)
            names = ", ".join(table.name for table in TABLES)
            await connection.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))
        yield connection


async def _until_others_left(connection: AsyncConnection) -> None:
    ends_at = time.monotonic() + _SETTLES_S
    while await connection.scalar(_OTHERS):
        if time.monotonic() > ends_at:
            raise StillInUse
        await asyncio.sleep(0.1)
        await connection.execute(text("SELECT pg_stat_clear_snapshot()"))


async def _examine(
    here: AsyncConnection, there: AsyncConnection, target: Database, *, is_again: bool
) -> None:
    if is_again and not await here.scalar(select(ONCE.c.key).where(ONCE.c.key == _address(target))):
        raise DatabaseMoved
    for table in TABLES:
        if await there.scalar(select(func.count()).select_from(table)):
            raise NotEmpty


async def _everything(here: AsyncConnection, there: AsyncConnection, begun: Begun) -> Moved:
    counts = {table.name: await _count(here, table) for table in TABLES}
    told = begun(sum(counts.values()))
    for table in TABLES:
        async for rows in _some(here, table):
            await there.execute(insert(table), [dict(row._mapping) for row in rows])
            told(len(rows))
        if await _count(there, table) != counts[table.name]:
            raise CountsDiffer
        await _number_on(there, table)
    return Moved(counts)


async def _some(connection: AsyncConnection, table: Table) -> AsyncIterator[Sequence[Any]]:
    keys = list(table.primary_key.columns)
    query = select(table).where(_is_wanted(table)).order_by(*keys).limit(_AT_ONCE)
    rows = (await connection.execute(query)).all()
    while rows:
        yield rows
        last = tuple(rows[-1]._mapping[key.name] for key in keys)
        after = query.where(tuple_(*keys) > tuple_(*last))
        rows = (await connection.execute(after)).all()


async def _count(connection: AsyncConnection, table: Table) -> int:
    query = select(func.count()).select_from(table).where(_is_wanted(table))
    return int(await connection.scalar(query) or 0)


def _is_wanted(table: Table) -> ColumnElement[bool]:
    # What a database says of itself is not moved.
    if table is not ONCE:
        return true()
    return not_(or_(ONCE.c.key == MOVED, ONCE.c.key.startswith(f"{MOVED} to ")))


async def _number_on(connection: AsyncConnection, table: Table) -> None:
    """PostgreSQL counts new records from a sequence, which knows nothing of what was moved."""
    if table is BATCHES and connection.dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(BATCHES.name, BATCHES.c.id.name)
        highest = select(func.coalesce(func.max(BATCHES.c.id), 0) + 1).scalar_subquery()
        await connection.execute(select(func.setval(sequence, highest, false())))


async def _leave(here: AsyncConnection, target: Database) -> None:
    for key in (MOVED, _address(target)):
        if not await here.scalar(select(ONCE.c.key).where(ONCE.c.key == key)):
            await here.execute(insert(ONCE).values(key=key, seen_at_ms=round(time.time() * 1000)))


def _address(target: Database) -> str:
    """What tells this target from others, without its password."""
    whole = target.url.set(password=None).render_as_string()
    return f"{MOVED} to {hashlib.sha256(whole.encode()).hexdigest()}"
