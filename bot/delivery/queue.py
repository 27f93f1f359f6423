"""A batch's way through a worker's hands: claimed, fenced, settled, or given back.

Two writes stand before a POST: `claimed`, which is safe to take back, and `sending`, the fence. No
row updated by the fence means no POST. What a batch came to is written once. Fences and results of
many batches share one transaction (`bot.delivery.writes`); none is reported before its commit.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Row, and_, select, update

from bot import metrics
from bot.actor import Actor
from bot.delivery import drawers
from bot.delivery.claims import Claimed, Claims
from bot.delivery.database import Database, StorageUnavailable
from bot.delivery.lanes import HORIZON_MS, Lanes
from bot.delivery.models import (
    BATCHES,
    IN_HAND,
    INTERRUPTED,
    OWNER_CANCELS,
    SETTLED,
    Batch,
    Kind,
    State,
    settled_at,
)
from bot.delivery.spacing import Spacing
from bot.delivery.writes import Writes
from bot.sealing import Seal, Unreadable

log = structlog.get_logger(__name__)

_IN_HAND = [state.value for state in IN_HAND]
_PUT_BACK_MS = 2_000.0  # less is made good by waiting


class Queue:
    """What workers do to batches. `worker` names whoever holds one."""

    def __init__(
        self,
        database: Database,
        seal: Seal,
        lanes: Lanes,
        *,
        clock_ms: Callable[[], int] | None = None,
    ) -> None:
        self._database = database
        self._seal = seal
        self._lanes = lanes
        self._spacing = Spacing(lanes.rates)
        self.clock_ms = clock_ms or database.clock_ms
        self._boot_ms: float | None = None
        self._claims = Claims(database, lanes, self.clock_ms)
        self._writes = Writes(database)

    async def claim(self, worker: str, *, kind: Kind, most: int, lease_ms: int) -> list[Batch]:
        """Take up to `most` due batches of a kind in hand; nobody else gets them meanwhile.

        Tenants take turns, the one that waited longest first. Each batch carries its slot, at most
        `lanes.HORIZON_MS` ahead.
        """
        readable = []
        for claimed in await self._claims.take(worker, kind=kind, most=most, lease_ms=lease_ms):
            batch = _batch(claimed.row, claimed.starts_at_ms)
            try:
                people = self._people(claimed)
            except Unreadable:
                log.warning("batch.unreadable", delivery=batch.delivery_id, batch=batch.position)
                # When this can't be written, the lease runs out, and it comes here again.
                with contextlib.suppress(StorageUnavailable):
                    state = State.UNKNOWN if batch.doubted else State.REFUSED
                    await self.settle(batch, state, worker=worker, problem=Unreadable.__name__)
                continue
            readable.append(batch.evolve(people=people))
        return readable

    def _people(self, claimed: Claimed) -> list[Any]:
        sealed = claimed.sealed_people
        if sealed is None:
            return []
        people: list[Any] = self._seal.open_json(
            sealed, drawers.PEOPLE.binding(claimed.row._mapping)
        )
        return people

    async def fence(self, batch: Batch, worker: str, *, lease_ms: int) -> bool:
        """The last write before a POST. False means: it is no longer ours; send nothing."""
        return await self._writes.fence(batch.id, worker, self.clock_ms() + lease_ms)

    async def settle(
        self,
        batch: Batch,
        state: State,
        *,
        worker: str,
        problem: str = "",
        status: int | None = None,
        code: str = "",
        request_id: str = "",
    ) -> None:
        """Write what a batch in our hand came to. If it is no longer ours, nothing is written."""
        now = self.clock_ms()
        lasts: dict[str, Any] = {"b_now": now, "b_doubted": 0}
        if state in SETTLED:
            lasts = {"settled_at_ms": now}
        await self._writes.put_down(
            batch.id,
            worker,
            new_state=state.value,
            problem=problem[:64],
            status=status,
            # Whatever Graph says: some databases don't take every character.
            code="".join(filter(str.isprintable, code))[:128],
            request_id=request_id[:64],
            **lasts,
        )
        if state in SETTLED:
            metrics.ENDED.labels(batch.kind.value, state.value).inc()

    async def again(
        self,
        batch: Batch,
        *,
        worker: str,
        after_ms: int,
        problem: str,
        status: int | None = None,
        counts: bool = True,
        doubt: bool = False,
    ) -> None:
        """Give a batch back, to be sent again after a while: it surely was not accepted, or a
        repetition replaces it.

        With `counts` False this was no attempt. With `doubt` it may have been accepted, which is
        remembered: a later refusal does not undo it.
        """
        await self._writes.put_down(
            batch.id,
            worker,
            new_state=State.QUEUED.value,
            due_at_ms=self.clock_ms() + after_ms,
            problem=problem[:64],
            status=status,
            attempt=batch.attempt if counts else batch.attempt - 1,
            doubted=int(batch.doubted or doubt),
            b_now=self.clock_ms(),
            b_doubted=int(doubt),
        )

    def ahead(self, kind: Kind, most: int) -> int:
        """How many batches may be in hand before there is a free wire for them.

        No more than one tenant has slots for within the horizon: when the wire is free again, what
        waited for it leaves at once, and must not break the limit then.
        """
        return min(most, int(self._lanes.rates[kind].tenant * HORIZON_MS / 1000))

    def leaves_at_ms(self, batch: Batch) -> float:
        """When a fenced batch may leave: in its slot, and not too close behind a late one."""
        return self._spacing.leaves_at_ms(
            batch.actor.tenant_id, batch.kind, batch.starts_at_ms, self.clock_ms()
        )

    def too_soon_ms(self, batch: Batch) -> float:
        """How long it has to wait still, because one before it left late."""
        return self._spacing.too_soon_ms(batch.actor.tenant_id, batch.kind, self.clock_ms())

    def leaves_now(self, batch: Batch) -> None:
        """It leaves: perhaps later than it might have, which those behind it must know."""
        waited_ms = max(0, self.clock_ms() - batch.due_at_ms)
        metrics.WAITED.labels(batch.kind.value).observe(waited_ms / 1000)
        self._spacing.leaves_now(batch.actor.tenant_id, batch.kind, self.clock_ms())

    async def hold_lane(self, tenant_id: str, kind: Kind, wait_s: float) -> None:
        """Graph asked this tenant to wait: nothing of this kind leaves before."""
        await self._lanes.hold(tenant_id, kind, self.clock_ms() + wait_s * 1000)

    async def next_at_ms(self, kinds: Sequence[Kind]) -> float | None:
        """When something of these kinds may be claimed next, or None when nothing waits."""
        return await self._lanes.next_at_ms(self.clock_ms(), kinds)

    async def mind_the_clock(self) -> bool:
        """Whether the clock was put back since this was asked last.

        Then slots that were given out by the clock of before would be hours away: they are none.
        That forgets also how long Graph asked to wait, which it will say again.
        """
        before, self._boot_ms = self._boot_ms, self._booted_at_ms()
        if before is None or self._boot_ms > before - _PUT_BACK_MS:
            return False
        log.warning("queue.clock_put_back", seconds=round((before - self._boot_ms) / 1000))
        self._spacing = Spacing(self._lanes.rates)
        await self._lanes.pull_back(self.clock_ms())
        return True

    def _booted_at_ms(self) -> float:
        """By the clock as it is now: it changes when the clock is set, and only then."""
        return self.clock_ms() - 1000 * time.monotonic()

    async def keep(self, batches: Iterable[Batch], worker: str, *, lease_ms: int) -> None:
        """The heartbeat: extend the leases of just these batches, which run here."""
        ids = [batch.id for batch in batches]
        if not ids:
            return
        async with self._database.write() as connection:
            await connection.execute(
                update(BATCHES)
                .where(
                    BATCHES.c.id.in_(ids),
                    BATCHES.c.owner == worker,
                    BATCHES.c.state.in_(_IN_HAND),
                )
                .values(lease_until_ms=self.clock_ms() + lease_ms)
            )

    async def recover(self, *, all_of_them: bool) -> list[str]:
        """After a crash: give back what was claimed, and judge what was on the wire.

        A text that was `sending` becomes `unknown` (at most once; its owner decides); a
        notification is queued again, because its `chainId` makes a repetition replace, unless its
        owner has cancelled it. With
        `all_of_them` every batch in hand counts as left behind (the only worker is starting);
        otherwise only those whose lease ran out. Returns the ids of the deliveries it touched.
        """
        now = self.clock_ms()
        in_hand: ColumnElement[bool] = BATCHES.c.state.in_(_IN_HAND)
        if not all_of_them:
            in_hand = and_(in_hand, BATCHES.c.lease_until_ms < now)
        on_the_wire = BATCHES.c.state == State.SENDING.value
        cleared = {"owner": None, "lease_until_ms": None}
        async with self._database.write() as connection:
            # What another replica is writing just now is not left behind, and not waited for.
            found = await connection.execute(
                select(BATCHES.c.id).where(in_hand).with_for_update(skip_locked=True)
            )
            left = BATCHES.c.id.in_([row.id for row in found])
            unknown = await connection.execute(
                update(BATCHES)
                .where(
                    left,
                    on_the_wire,
                    (BATCHES.c.kind == Kind.TEXT.value) | (BATCHES.c.problem == OWNER_CANCELS),
                )
                .values(
                    state=State.UNKNOWN.value,
                    settled_at_ms=settled_at(now),
                    problem=INTERRUPTED,
                    **cleared,
                )
                .returning(BATCHES.c.delivery_id)
            )
            touched = {row.delivery_id for row in unknown}
            await connection.execute(update(BATCHES).where(left, on_the_wire).values(doubted=1))
            queued = await connection.execute(
                update(BATCHES)
                .where(left, BATCHES.c.state.in_(_IN_HAND))
                .values(state=State.QUEUED.value, due_at_ms=now, **cleared)
                .returning(BATCHES.c.delivery_id)
            )
            touched |= {row.delivery_id for row in queued}
        return sorted(touched)


def _batch(row: Row[Any], starts_at_ms: float) -> Batch:
    return Batch(
        id=row.id,
        delivery_id=row.delivery_id,
        position=row.position,
        actor=Actor(row.tenant_id, row.user_id),
        kind=Kind(row.kind),
        count=row.people,
        attempt=row.attempt,
        problem=row.problem,
        doubted=bool(row.doubted),
        insisted=bool(row.insisted),
        starts_at_ms=starts_at_ms,
        due_at_ms=row.due_at_ms,
    )
