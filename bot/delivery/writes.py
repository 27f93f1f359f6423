"""Fences and results of many batches in one transaction, each waiting for its commit.

Whoever asks while a transaction is on its way shares the next one. Nothing is delayed for that: a
single request is written at once.
"""

import asyncio
from functools import cache
from typing import Any

from sqlalchemy import Update, bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.delivery.database import Database
from bot.delivery.models import BATCHES, State

_KEYS = frozenset({"b_id", "b_owner", "new_state"})

# Statements are made once: building one costs as much as running it.
_FENCE = (
    update(BATCHES)
    .where(
        BATCHES.c.id.in_(bindparam("b_ids", expanding=True)),
        BATCHES.c.state == State.CLAIMED.value,
        BATCHES.c.owner == bindparam("b_owner"),
    )
    .values(state=State.SENDING.value, lease_until_ms=bindparam("lease"))
    .returning(BATCHES.c.id)
)


class Writes:
    """Fences and results of many batches in one transaction, each waiting for its commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[str, dict[str, Any], asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def fence(self, batch_id: int, worker: str, lease_until_ms: int) -> bool:
        """Whether the batch was still the worker's; it counts as on the wire from now on."""
        values = {"b_id": batch_id, "b_owner": worker, "lease": lease_until_ms}
        return await self._add("fence", values)

    async def put_down(self, batch_id: int, worker: str, **values: Any) -> None:
        """Write `values` into a batch in this worker's hand, and take it out of there."""
        await self._add("put_down", {"b_id": batch_id, "b_owner": worker, **values})

    async def _add(self, what: str, values: dict[str, Any]) -> bool:
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((what, values, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        return await done

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                # Answers that came in the same moment are heard first, and share the transaction.
                await asyncio.sleep(0)
                some, self._waiting = self._waiting, []
                await self._write(some)
        finally:
            self._writing = None

    async def _write(self, some: list[tuple[str, dict[str, Any], "asyncio.Future[bool]"]]) -> None:
        try:
            async with self._database.write() as connection:
                fenced = await self._fence_all(connection, [v for w, v, _ in some if w == "fence"])
                await self._put_all(connection, [v for w, v, _ in some if w == "put_down"])
        except Exception as error:  # noqa: BLE001 - each of those who wait hears of it
            for _, _, done in some:
                if not done.done():
                    done.set_exception(error)
            return
        for what, values, done in some:
            if not done.done():
                done.set_result(what != "fence" or values["b_id"] in fenced)

    async def _fence_all(
        self, connection: AsyncConnection, fences: list[dict[str, Any]]
    ) -> set[int]:
        fenced: set[int] = set()
        by_owner: dict[str, list[dict[str, Any]]] = {}
        for fence in fences:
            by_owner.setdefault(fence["b_owner"], []).append(fence)
        for owner, alike in by_owner.items():
            values = {
                "b_ids": [fence["b_id"] for fence in alike],
                "b_owner": owner,
                "lease": max(fence["lease"] for fence in alike),
            }
            rows = await connection.execute(_FENCE, values)
            fenced |= {row.id for row in rows}
        return fenced

    async def _put_all(self, connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
        by_shape: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for row in rows:
            by_shape.setdefault(tuple(sorted(row)), []).append(row)
        for shape, alike in by_shape.items():
            await connection.execute(_put_down(shape), alike)


@cache  # as many as there are ways to call `put_down`
def _put_down(shape: tuple[str, ...]) -> Update:
    changed: dict[str, Any] = {name: bindparam(name) for name in shape if name not in _KEYS}
    return (
        update(BATCHES)
        .where(
            BATCHES.c.id == bindparam("b_id"),
            BATCHES.c.owner == bindparam("b_owner"),
            # Not `IN`: its list would be expanded, which many rows at once cannot be.
            (BATCHES.c.state == State.CLAIMED.value) | (BATCHES.c.state == State.SENDING.value),
        )
        .values(state=bindparam("new_state"), owner=None, lease_until_ms=None, **changed)
    )
