"""Fences and results of many batches in one transaction, each waiting for its commit.

Whoever asks while a transaction is on its way shares the next one. Nothing is delayed for that: a
single request is written at once.
"""

import asyncio
from functools import cache, partial
from typing import Any

from sqlalchemy import BigInteger, Connection, Integer, Update, bindparam, case, update

from bot.delivery.database import Database, StorageUnavailable
from bot.delivery.models import BATCHES, INTERRUPTED, OWNER_CANCELS, SETTLED, State, settled_at

_KEYS = frozenset({"b_id", "b_owner", "b_now", "b_doubted", "new_state"})
_SETTLED = frozenset(state.value for state in SETTLED)

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


# What to write, its values, and who waits for it.
_Waiting = tuple[str, dict[str, Any], "asyncio.Future[bool]"]


class Writes:
    """Fences and results of many batches in one transaction, each waiting for its commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None

    async def fence(self, batch_id: int, worker: str, lease_until_ms: int) -> bool:
        """Whether the batch was still the worker's; it counts as on the wire from now on."""
        values = {"b_id": batch_id, "b_owner": worker, "lease": lease_until_ms}
        return await self._add("fence", values)

    async def put_down(self, batch_id: int, worker: str, **values: Any) -> None:
        """Write `values` into a batch in this worker's hand, and take it out of there.

        `new_state` is the state it comes to; where that is none that lasts, `b_now` is the time and
        `b_doubted` whether it may have been accepted. When its owner has cancelled meanwhile, it
        doesn't wait to go again, but ends.
        """
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

    async def _write(self, some: list[_Waiting]) -> None:
        try:
            fenced = await self._database.write_in_one(partial(_write_all, some))
        except Exception as error:  # noqa: BLE001 - each of those who wait hears of it
            if len(some) > 1 and not isinstance(error, StorageUnavailable):
                # One of them can't be written, which must not cost the others their results.
                for one in some:
                    await self._write([one])
                return
            for _, _, done in some:
                if not done.done():
                    done.set_exception(error)
            return
        for what, values, done in some:
            if not done.done():
                done.set_result(what != "fence" or values["b_id"] in fenced)


def _write_all(some: "list[_Waiting]", connection: Connection) -> set[int]:
    """All of them; the ids of those whose fence held."""
    fenced = _fence_all(connection, [values for what, values, _ in some if what == "fence"])
    _put_all(connection, [values for what, values, _ in some if what == "put_down"])
    return fenced


def _fence_all(connection: Connection, fences: list[dict[str, Any]]) -> set[int]:
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
        rows = connection.execute(_FENCE, values)
        fenced |= {row.id for row in rows}
    return fenced


def _put_all(connection: Connection, rows: list[dict[str, Any]]) -> None:
    by_shape: dict[tuple[bool, tuple[str, ...]], list[dict[str, Any]]] = {}
    for row in rows:
        shape = (row["new_state"] in _SETTLED, tuple(sorted(row)))
        by_shape.setdefault(shape, []).append(row)
    for (is_settled, names), alike in by_shape.items():
        statement = _settle(names) if is_settled else _put_back(names)
        connection.execute(statement, alike)


@cache  # as many as there are ways to call `put_down`
def _settle(names: tuple[str, ...]) -> Update:
    changed: dict[str, Any] = {name: bindparam(name) for name in names if name not in _KEYS}
    changed["settled_at_ms"] = settled_at(bindparam("settled_at_ms", type_=BigInteger))
    return _in_hand().values(
        state=bindparam("new_state"), owner=None, lease_until_ms=None, **changed
    )


@cache
def _put_back(names: tuple[str, ...]) -> Update:
    changed: dict[str, Any] = {name: bindparam(name) for name in names if name not in _KEYS}
    cancelled = BATCHES.c.problem == OWNER_CANCELS
    doubted = (BATCHES.c.doubted != 0) | (bindparam("b_doubted", type_=Integer) != 0)
    changed["problem"] = case(
        (cancelled & doubted, INTERRUPTED), (cancelled, ""), else_=bindparam("problem")
    )
    return _in_hand().values(
        state=case(
            (cancelled & doubted, State.UNKNOWN.value),
            (cancelled, State.CANCELLED.value),
            else_=bindparam("new_state"),
        ),
        settled_at_ms=case(
            (cancelled, settled_at(bindparam("b_now", type_=BigInteger))),
            else_=BATCHES.c.settled_at_ms,
        ),
        owner=None,
        lease_until_ms=None,
        **{name: value for name, value in changed.items() if name != "settled_at_ms"},
    )


def _in_hand() -> Update:
    return update(BATCHES).where(
        BATCHES.c.id == bindparam("b_id"),
        BATCHES.c.owner == bindparam("b_owner"),
        # Not `IN`: its list would be expanded, which many rows at once cannot be.
        (BATCHES.c.state == State.CLAIMED.value) | (BATCHES.c.state == State.SENDING.value),
    )
