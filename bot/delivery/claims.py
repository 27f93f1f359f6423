"""Taking due batches in hand: tenants take turns, and each batch gets its lane's slot."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, Row, TextClause, bindparam, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from bot.delivery.database import Database
from bot.delivery.lanes import Lanes, slots, step_ms
from bot.delivery.models import BATCHES, IS_FIRST, RECIPIENTS, Kind, State

# Statements are made once: building one costs as much as running it.
_PROMOTE = (
    update(BATCHES)
    .where(
        BATCHES.c.state == State.SCHEDULED.value,
        BATCHES.c.due_at_ms <= bindparam("now"),
        BATCHES.c.kind == bindparam("of"),
    )
    .values(state=State.QUEUED.value)
)


def _taking(*which: TextClause) -> ReturningUpdate[Any]:
    """Takes the oldest of a lane's due batches, or of some of them."""
    due = (
        select(BATCHES.c.id)
        .where(
            BATCHES.c.tenant_id == bindparam("tenant"),
            BATCHES.c.kind == bindparam("of"),
            BATCHES.c.state == State.QUEUED.value,
            BATCHES.c.due_at_ms <= bindparam("now"),
            *which,
        )
        .order_by(BATCHES.c.due_at_ms, BATCHES.c.id)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return (
        update(BATCHES)
        .where(BATCHES.c.id.in_(select(due.c.id)))
        .values(
            state=State.CLAIMED.value,
            owner=bindparam("worker"),
            lease_until_ms=bindparam("lease"),
            attempt=BATCHES.c.attempt + 1,
        )
        .returning(*BATCHES.c)
    )


# Each delivery's first request leaves before the rest of another: who tells one colleague
# something does not wait for who tells thousands.
TAKE_FIRST = _taking(IS_FIRST)
_TAKE_REST = _taking()
_PEOPLE = (
    select(BATCHES.c.id, RECIPIENTS.c.sealed_people)
    .join_from(
        BATCHES,
        RECIPIENTS,
        (RECIPIENTS.c.delivery_id == BATCHES.c.delivery_id)
        & (RECIPIENTS.c.position == BATCHES.c.position),
    )
    .where(BATCHES.c.id.in_(bindparam("ids", expanding=True)))
)


@dataclass(frozen=True)
class Claimed:
    """A batch's row, its slot, and whom it is for, sealed; None where that was erased."""

    row: Row[Any]
    starts_at_ms: float
    sealed_people: bytes | None


class Claims:
    """Claims batches for workers."""

    def __init__(self, database: Database, lanes: Lanes, clock_ms: Callable[[], int]) -> None:
        self._database = database
        self._lanes = lanes
        self._clock_ms = clock_ms

    async def take(self, worker: str, *, kind: Kind, most: int, lease_ms: int) -> list[Claimed]:
        """Up to `most` due batches of a kind, in one transaction."""

        def write(connection: Connection) -> list[Claimed]:
            claimed = self._claim(connection, worker, kind, most, lease_ms)
            sealed = _sealed(connection, [row.id for row, _ in claimed])
            return [Claimed(row, slot_ms, sealed.get(row.id)) for row, slot_ms in claimed]

        return await self._database.write_in_one(write)

    def _claim(
        self, connection: Connection, worker: str, kind: Kind, most: int, lease_ms: int
    ) -> list[tuple[Row[Any], float]]:
        now = self._clock_ms()
        rates = self._lanes.rates[kind]
        # Replicas take turns from here on, so that none waits for another's rows in a circle.
        overall = self._lanes.app(connection, kind)
        connection.execute(_PROMOTE, {"of": kind.value, "now": now})
        room = min(most, slots(overall, now, rates.overall))
        claimed: list[tuple[Row[Any], float]] = []
        step, overall_step = step_ms(rates.tenant), step_ms(rates.overall)
        at_ms = max(float(overall), now)  # the whole app's next slot
        for lane in self._lanes.open(connection, kind, now, most=room):
            free_at_ms = max(float(lane.free_at_ms), now)
            free = min(room - len(claimed), slots(free_at_ms, now, rates.tenant))
            if free <= 0:
                continue
            rows = self._take(connection, lane, worker, free, now, lease_ms)
            for row in rows:
                free_at_ms = max(free_at_ms, at_ms)
                claimed.append((row, free_at_ms))
                free_at_ms += step
                at_ms += overall_step
            self._lanes.move(connection, lane.key, free_at_ms)
        if claimed:
            self._lanes.move(connection, kind.value, at_ms)
        return claimed

    def _take(
        self,
        connection: Connection,
        lane: Row[Any],
        worker: str,
        most: int,
        now: int,
        lease_ms: int,
    ) -> "list[Row[Any]]":
        values = {
            "tenant": lane.tenant_id,
            "of": lane.kind,
            "now": now,
            "worker": worker,
            "lease": now + lease_ms,
        }
        taken: list[Row[Any]] = []
        for take in (TAKE_FIRST, _TAKE_REST):
            if room := most - len(taken):
                rows = connection.execute(take, {**values, "most": room})
                taken += sorted(rows.all(), key=lambda row: (row.due_at_ms, row.id))
        return taken


def _sealed(connection: Connection, batch_ids: list[int]) -> dict[int, bytes]:
    if not batch_ids:
        return {}
    rows = connection.execute(_PEOPLE, {"ids": batch_ids})
    return {row.id: row.sealed_people for row in rows}
