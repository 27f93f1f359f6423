"""Sealing again, with the newest of `SECRET_KEYS`, what older keys sealed.

So is what was sealed before records were bound to their rows. Each record is written only where it
still is what was read, so that the app may go on working: what it writes meanwhile is sealed with
the newest key anyway. Nobody is signed out: the sign-ins are opened and sealed again like the rest.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    Select,
    Table,
    and_,
    func,
    select,
    tuple_,
    update,
)

from bot.delivery import drawers
from bot.delivery.database import Database
from bot.delivery.models import BATCHES, DELIVERIES, DRAFTS, RECIPIENTS
from bot.identity.token_cache import SIGN_IN, SIGN_INS, TOKEN_CACHES, TOKENS
from bot.sealing import Drawer, Seal, Unreadable

_AT_ONCE = 200  # records in one transaction: the app's own writes wait no longer than that


@dataclass(frozen=True)
class _Kept:
    """A drawer's table, and where the values are found that its records are bound to."""

    drawer: Drawer
    table: Table
    owner: Table
    joined: FromClause

    @property
    def sealed(self) -> ColumnElement[bytes]:
        return self.table.c[self.drawer.column]

    @property
    def keys(self) -> list[ColumnElement[Any]]:
        return list(self.table.primary_key.columns)

    def after(self, last: Row[Any] | None) -> Select[Any]:
        """Some records, in the order of their keys."""
        names = self.drawer.bound_to
        bound_to = [self.owner.c[name].label(f"bound_{name}") for name in names]
        query = (
            select(*self.keys, self.sealed.label("sealed_"), *bound_to)
            .select_from(self.joined)
            .where(self.sealed.is_not(None))
            .order_by(*self.keys)
            .limit(_AT_ONCE)
        )
        if last is None:
            return query
        return query.where(tuple_(*self.keys) > tuple_(*last[: len(self.keys)]))

    def binding(self, row: Row[Any]) -> bytes:
        values = row._mapping
        return self.drawer.binding({name: values[f"bound_{name}"] for name in self.drawer.bound_to})


def _alone(drawer: Drawer, table: Table) -> _Kept:
    return _Kept(drawer, table, table, table)


_BATCH_OF = and_(
    RECIPIENTS.c.delivery_id == BATCHES.c.delivery_id, RECIPIENTS.c.position == BATCHES.c.position
)
KEPT = (
    _alone(TOKENS, TOKEN_CACHES),
    _alone(SIGN_IN, SIGN_INS),
    _alone(drawers.DRAFT, DRAFTS),
    _alone(drawers.PLACE, DELIVERIES),
    _alone(drawers.REQUEST, DELIVERIES),
    _alone(drawers.CALL, DELIVERIES),
    _Kept(drawers.PEOPLE, RECIPIENTS, BATCHES, RECIPIENTS.outerjoin(BATCHES, _BATCH_OF)),
)


@dataclass(frozen=True)
class Step:
    """What was done to a few records."""

    looked_at: int
    resealed: int  # they were under an older key or not bound, and are under the newest now
    unreadable: int  # no key opens them where they are


class Resealing:
    """Goes through everything sealed. `secrets` are the values of `SECRET_KEYS`, newest first."""

    def __init__(self, database: Database, secrets: Sequence[str]) -> None:
        self._database = database
        self._secrets = secrets

    async def count(self) -> int:
        """How many records there are to look at."""
        total = 0
        async with self._database.read() as connection:
            for kept in KEPT:
                filled = kept.sealed.is_not(None)
                query = select(func.count()).select_from(kept.table).where(filled)
                total += int(await connection.scalar(query) or 0)
        return total

    async def run(self, *, write: bool = True) -> AsyncIterator[Step]:
        """Look at everything once, a few records a step; without `write` nothing is changed.

        Raises StorageUnavailable; what was done before stays done.
        """
        for kept in KEPT:
            seal = Seal(self._secrets, kept.drawer.purpose)
            last: Row[Any] | None = None
            while rows := await self._some(kept.after(last)):
                yield await self._one_step(kept, seal, rows, write=write)
                last = rows[-1]

    async def _some(self, query: Select[Any]) -> list[Row[Any]]:
        async with self._database.read() as connection:
            return list((await connection.execute(query)).all())

    async def _one_step(
        self, kept: _Kept, seal: Seal, rows: Sequence[Row[Any]], *, write: bool
    ) -> Step:
        fresh: list[tuple[Row[Any], bytes]] = []
        unreadable = 0
        for row in rows:
            try:
                again = seal.reseal(row.sealed_, kept.binding(row))
            except Unreadable:
                unreadable += 1
                continue
            if again is not None:
                fresh.append((row, again))
        if write and fresh:
            await self._write(kept, fresh)
        return Step(len(rows), len(fresh), unreadable)

    async def _write(self, kept: _Kept, fresh: Sequence[tuple[Row[Any], bytes]]) -> None:
        async with self._database.write() as connection:
            for row, again in fresh:
                is_it = and_(*(key == value for key, value in zip(kept.keys, row, strict=False)))
                as_read = kept.sealed == row.sealed_
                await connection.execute(
                    update(kept.table).where(is_it, as_read).values({kept.drawer.column: again})
                )
