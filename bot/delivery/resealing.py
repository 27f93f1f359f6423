"""Sealing again, with the newest of `SECRET_KEYS`, what older keys sealed.

Each record is written only where it still is what was read, so that the app may go on working:
what it writes meanwhile is sealed with the newest key anyway. A record keeps the time at which it
was first sealed. Nobody is signed out: the sign-ins are opened and sealed again like the rest.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, and_, func, select, tuple_, update

from bot.delivery.database import Database
from bot.delivery.models import DELIVERIES, DRAFTS, RECIPIENTS
from bot.identity.token_cache import SIGN_INS, TOKEN_CACHES
from bot.sealing import Seal, Unreadable

_AT_ONCE = 200  # records in one transaction: the app's own writes wait no longer than that


@dataclass(frozen=True)
class Drawer:
    """One sealed column, and the purpose that its records are sealed for."""

    table: Table
    column: str
    purpose: str


DRAWERS = (
    Drawer(TOKEN_CACHES, "sealed", "tokens"),
    Drawer(SIGN_INS, "sealed", "sign-in"),
    Drawer(DRAFTS, "sealed", "drafts"),
    Drawer(DELIVERIES, "sealed_place", "ledger"),
    Drawer(DELIVERIES, "sealed_request", "ledger"),
    Drawer(DELIVERIES, "sealed_call", "ledger"),
    Drawer(RECIPIENTS, "sealed_people", "ledger"),
)


@dataclass(frozen=True)
class Step:
    """What was done to a few records."""

    looked_at: int
    resealed: int  # they were under an older key, and are under the newest now
    unreadable: int  # no key opens them


class Resealing:
    """Goes through everything sealed. `secrets` are the values of `SECRET_KEYS`, newest first."""

    def __init__(self, database: Database, secrets: Sequence[str]) -> None:
        self._database = database
        self._secrets = secrets

    async def count(self) -> int:
        """How many records there are to look at."""
        total = 0
        async with self._database.read() as connection:
            for drawer in DRAWERS:
                filled = drawer.table.c[drawer.column].is_not(None)
                query = select(func.count()).select_from(drawer.table).where(filled)
                total += int(await connection.scalar(query) or 0)
        return total

    async def run(self, *, write: bool = True) -> AsyncIterator[Step]:
        """Look at everything once, a few records a step; without `write` nothing is changed.

        Raises StorageUnavailable; what was done before stays done.
        """
        for drawer in DRAWERS:
            seal = Seal(self._secrets, drawer.purpose)
            last: Any = None
            while rows := await self._some(drawer, last):
                yield await self._one_step(drawer, seal, rows, write=write)
                last = rows[-1]

    async def _some(self, drawer: Drawer, last: Any) -> list[Any]:
        keys = list(drawer.table.primary_key.columns)
        sealed = drawer.table.c[drawer.column]
        query = select(*keys, sealed).where(sealed.is_not(None)).order_by(*keys).limit(_AT_ONCE)
        if last is not None:
            query = query.where(tuple_(*keys) > tuple_(*last[:-1]))
        async with self._database.read() as connection:
            return list((await connection.execute(query)).all())

    async def _one_step(
        self, drawer: Drawer, seal: Seal, rows: Sequence[Any], *, write: bool
    ) -> Step:
        fresh: list[tuple[Any, bytes]] = []
        unreadable = 0
        for row in rows:
            try:
                again = seal.reseal(row[-1])
            except Unreadable:
                unreadable += 1
                continue
            if again is not None:
                fresh.append((row, again))
        if write and fresh:
            await self._write(drawer, fresh)
        return Step(len(rows), len(fresh), unreadable)

    async def _write(self, drawer: Drawer, fresh: Sequence[tuple[Any, bytes]]) -> None:
        keys = list(drawer.table.primary_key.columns)
        async with self._database.write() as connection:
            for row, again in fresh:
                is_it = and_(*(key == value for key, value in zip(keys, row, strict=False)))
                as_read = drawer.table.c[drawer.column] == row[-1]
                await connection.execute(
                    update(drawer.table).where(is_it, as_read).values({drawer.column: again})
                )
