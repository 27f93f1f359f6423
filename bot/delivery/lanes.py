"""Lanes: Graph limits an action for one tenant and for the whole app; each limit is a row.

The row says when its next request may leave. Claiming a batch reserves its slot there, under the
row's lock, so that all replicas together keep the limit. A lane that was told to wait (429) delays
nobody else's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Row,
    bindparam,
    func,
    select,
    update,
)

from bot.delivery.database import Database
from bot.delivery.models import BATCHES, LANES, Kind, State

HORIZON_MS = 400.0  # how far ahead slots are reserved: time to get a token before the slot comes
# A little more than the limit asks: three requests must not fall into one of Graph's seconds
# because the network was quicker for the third.
_MARGIN = 1.01


# Statements are made once: building one costs as much as running it.
_NOW: BindParameter[int] = bindparam("now", type_=BATCHES.c.due_at_ms.type)
_SOMETHING_DUE: ColumnElement[bool] = (
    select(BATCHES.c.id)
    .where(
        BATCHES.c.tenant_id == LANES.c.tenant_id,
        BATCHES.c.kind == LANES.c.kind,
        BATCHES.c.state == State.QUEUED.value,
        BATCHES.c.due_at_ms <= _NOW,
    )
    .exists()
)
_APP = select(LANES.c.free_at_ms).where(LANES.c.key == bindparam("lane")).with_for_update()
_OPEN = (
    select(LANES)
    .where(
        LANES.c.kind == bindparam("of"),
        LANES.c.free_at_ms <= bindparam("soon"),
        LANES.c.tenant_id.is_not(None),
        _SOMETHING_DUE,
    )
    .order_by(LANES.c.free_at_ms)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)
_MOVE = update(LANES).where(LANES.c.key == bindparam("lane")).values(free_at_ms=bindparam("free"))
_KINDS: BindParameter[Any] = bindparam("kinds", expanding=True)
_NEXT = select(
    select(func.min(BATCHES.c.due_at_ms))
    .where(
        BATCHES.c.state.in_([State.SCHEDULED.value, State.QUEUED.value]),
        BATCHES.c.due_at_ms > _NOW,
        BATCHES.c.kind.in_(_KINDS),
    )
    .scalar_subquery(),
    select(func.min(LANES.c.free_at_ms))
    .where(LANES.c.tenant_id.is_not(None), LANES.c.kind.in_(_KINDS), _SOMETHING_DUE)
    .scalar_subquery(),
)


@dataclass(frozen=True)
class Rates:
    """Requests a second of one kind: for one tenant, and for the whole app."""

    tenant: float
    overall: float


class Lanes:
    """Reads and moves the lanes' rows, inside the transaction that claims batches."""

    def __init__(self, database: Database, rates: Mapping[Kind, Rates]) -> None:
        self._database = database
        self.rates = rates

    def app(self, connection: Connection, kind: Kind) -> float:
        """When the whole app's lane of this kind is free; its row is locked from here on."""
        row = {"lane": kind.value}
        found = connection.execute(_APP, row).scalar()
        if found is None:
            connection.execute(
                self._database.insert(LANES)
                .values(key=kind.value, kind=kind.value, tenant_id=None, free_at_ms=0)
                .on_conflict_do_nothing(index_elements=["key"])
            )
            found = connection.execute(_APP, row).scalar()
        return float(found or 0)

    def open(self, connection: Connection, kind: Kind, now: int, *, most: int) -> "list[Row[Any]]":
        """Tenants' lanes that are free soon and have something due, the longest waiting first."""
        if most <= 0:
            return []
        values = {"of": kind.value, "soon": now + HORIZON_MS, "now": now, "most": most}
        return list(connection.execute(_OPEN, values).all())

    def move(self, connection: Connection, key: str, free_at_ms: float) -> None:
        """The lane's next request may leave then."""
        connection.execute(_MOVE, {"lane": key, "free": free_at_ms})

    async def hold(self, tenant_id: str, kind: Kind, until_ms: float) -> None:
        """Nothing of this tenant and kind leaves before; a later time that stands already stays."""
        async with self._database.write() as connection:
            await connection.execute(
                update(LANES)
                .where(LANES.c.key == f"{kind.value} {tenant_id}", LANES.c.free_at_ms < until_ms)
                .values(free_at_ms=until_ms)
            )

    async def pull_back(self, now: int) -> None:
        """What lies further ahead than slots are given out was written by a wrong clock."""
        soon = now + HORIZON_MS
        async with self._database.write() as connection:
            await connection.execute(
                update(LANES).where(LANES.c.free_at_ms > soon).values(free_at_ms=soon)
            )

    async def next_at_ms(self, now: int, kinds: Sequence[Kind]) -> float | None:
        """When something of these kinds is due next, and its lane gives out slots."""
        values = {"now": now, "kinds": [kind.value for kind in kinds]}
        later_at, lane_at = await self._database.read_in_one(
            lambda connection: connection.execute(_NEXT, values).one()
        )
        times = [float(later_at)] if later_at is not None else []
        if lane_at is not None:
            times.append(float(lane_at) - HORIZON_MS)
        return min(times) if times else None


def slots(free_at_ms: float, now: int, per_second: float) -> int:
    """How many requests may be given a slot until the horizon."""
    ahead_ms = now + HORIZON_MS - max(free_at_ms, now)
    return int(ahead_ms / step_ms(per_second)) + 1 if ahead_ms >= 0 else 0


def step_ms(per_second: float) -> float:
    """The distance of two slots."""
    return _MARGIN * 1000 / per_second
