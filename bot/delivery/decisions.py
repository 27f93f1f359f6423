"""What an owner decides of a delivery: conditional updates, so that each is carried out once."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, case, select, update

from bot.delivery import drawers
from bot.delivery.models import (
    BATCHES,
    DELIVERIES,
    INTERRUPTED,
    OWNER_CANCELS,
    OWNER_INSISTS,
    OWNER_SAYS,
    RECIPIENTS,
    WAITING,
    Delivery,
    State,
    settled_at,
)
from bot.delivery.records import Records

# After the retention there is nothing to send.
_STILL_KEPT = (
    select(RECIPIENTS.c.position)
    .where(
        RECIPIENTS.c.delivery_id == BATCHES.c.delivery_id,
        RECIPIENTS.c.position == BATCHES.c.position,
    )
    .exists()
)
# Of two that decide at the same time, one after the other.
_NEXT = (
    select(DELIVERIES.c.successor_id).where(DELIVERIES.c.id == bindparam("id_")).with_for_update()
)


@dataclass(frozen=True)
class Renewal:
    """What takes the place of what is kept with a delivery: its `request` and its `call`."""

    request: dict[str, Any] = field(repr=False)
    call: dict[str, Any] = field(repr=False)


class Decisions(Records):
    """Carries out what the owner of a delivery wants."""

    async def cancel(self, delivery: Delivery) -> int:
        """Cancel what has not left; how many people that were.

        What is on the wire goes on, but never again. What waits to go again after a doubt has
        perhaps left already, so it becomes unknown.
        """
        of_it = BATCHES.c.delivery_id == delivery.id

        def write(connection: Connection) -> int:
            cancelled = take_back(connection, of_it, self.clock_ms())
            stop(connection, of_it)
            return cancelled

        return await self.database.write_in_one(write)

    async def retry(self, delivery: Delivery, *, seen_ms: int) -> int:
        """Queue again what was refused; how many people that are.

        Here and below `seen_ms` is the newest result that the owner had seen: what was settled
        later is another matter, and a decision that comes twice is carried out once.
        """
        return await self._queue_again(delivery, (State.REFUSED,), seen_ms=seen_ms)

    async def send_again(self, delivery: Delivery, *, seen_ms: int) -> int:
        """The owner decided: what nobody can tell of goes again."""
        return await self._queue_again(delivery, (State.UNKNOWN,), seen_ms=seen_ms, doubted=1)

    async def arrived(self, delivery: Delivery, *, seen_ms: int) -> int:
        """The owner says that what nobody could tell of arrived."""
        return await self._decide(
            delivery,
            (State.UNKNOWN,),
            seen_ms=seen_ms,
            state=State.ACCEPTED.value,
            problem=OWNER_SAYS,
        )

    async def send_now(self, delivery: Delivery, renewal: Renewal | None = None) -> int:
        """Send what waits for its time now; and what waits for a decision whatever has changed.

        With a `renewal`, here and below, that is kept of it from now on.
        """
        is_decided = BATCHES.c.state == State.HELD.value
        return await self._queue_again(
            delivery,
            (State.SCHEDULED, State.HELD),
            problem=case((is_decided, OWNER_INSISTS), else_=""),
            # What was only scheduled is still to be looked at: nobody has been asked about it yet.
            insisted=case((is_decided, 1), else_=0),
            renewal=renewal,
        )

    async def change_time(
        self, delivery: Delivery, due_at_ms: int, renewal: Renewal | None = None
    ) -> int:
        """Another time for what waits for its time or for a decision."""
        async with self.database.write() as connection:
            rows = await connection.execute(
                update(BATCHES)
                .where(
                    BATCHES.c.delivery_id == delivery.id,
                    BATCHES.c.state.in_([State.SCHEDULED.value, State.HELD.value]),
                )
                .values(
                    state=State.SCHEDULED.value,
                    due_at_ms=due_at_ms,
                    attempt=0,
                    insisted=0,
                    problem="",
                )
                .returning(BATCHES.c.people)
            )
            changed: int = sum(row.people for row in rows)
            if changed:
                await connection.execute(
                    update(DELIVERIES)
                    .where(DELIVERIES.c.id == delivery.id)
                    .values(due_at_ms=due_at_ms, **self._sealed(delivery, renewal))
                )
        return changed

    def _sealed(self, delivery: Delivery, renewal: Renewal | None) -> dict[str, bytes]:
        if renewal is None:
            return {}
        row = {
            "id": delivery.id,
            "tenant_id": delivery.actor.tenant_id,
            "user_id": delivery.actor.user_id,
            "kind": delivery.kind.value,
            "chain_id": delivery.chain_id,
        }
        return {
            "sealed_request": self._seal.seal_json(renewal.request, drawers.REQUEST.binding(row)),
            "sealed_call": self._seal.seal_json(renewal.call, drawers.CALL.binding(row)),
        }

    async def _queue_again(
        self,
        delivery: Delivery,
        states: tuple[State, ...],
        *,
        problem: Any = "",
        seen_ms: int | None = None,
        **more: Any,
    ) -> int:
        """Queue it again; nothing where another delivery has taken its place."""
        return await self._decide(
            delivery,
            states,
            _STILL_KEPT,
            seen_ms=seen_ms,
            sends=True,
            state=State.QUEUED.value,
            due_at_ms=self.clock_ms(),
            attempt=0,
            problem=problem,
            # What its owner insisted on once is asked about again: more may have changed since.
            **{"insisted": 0, **more},
        )

    async def _decide(
        self,
        delivery: Delivery,
        states: tuple[State, ...],
        *conditions: ColumnElement[bool],
        seen_ms: int | None = None,
        sends: bool = False,
        renewal: Renewal | None = None,
        **values: Any,
    ) -> int:
        decided = update(BATCHES).where(
            BATCHES.c.delivery_id == delivery.id,
            BATCHES.c.state.in_([state.value for state in states]),
            *conditions,
        )
        if seen_ms is not None:
            decided = decided.where(BATCHES.c.settled_at_ms <= seen_ms)
        async with self.database.write() as connection:
            if sends and await connection.scalar(_NEXT, {"id_": delivery.id}):
                return 0
            rows = await connection.execute(decided.values(**values).returning(BATCHES.c.people))
            decided_for: int = sum(row.people for row in rows)
            if decided_for and renewal:
                kept = update(DELIVERIES).where(DELIVERIES.c.id == delivery.id)
                await connection.execute(kept.values(**self._sealed(delivery, renewal)))
            return decided_for


def stop(connection: Connection, of_it: ColumnElement[bool]) -> None:
    """What is on the wire goes on, but never again."""
    connection.execute(
        update(BATCHES)
        .where(of_it, BATCHES.c.state == State.SENDING.value)
        .values(problem=OWNER_CANCELS)
    )


def take_back(connection: Connection, of_it: ColumnElement[bool], now: int) -> int:
    """Cancel what waits or is only claimed: its fence fails. How many people that are."""
    rows = connection.execute(
        update(BATCHES)
        .where(of_it, BATCHES.c.state.in_([*(s.value for s in WAITING), State.CLAIMED.value]))
        .values(
            state=case((BATCHES.c.doubted != 0, State.UNKNOWN.value), else_=State.CANCELLED.value),
            settled_at_ms=settled_at(now),
            owner=None,
            lease_until_ms=None,
            problem=case((BATCHES.c.doubted != 0, INTERRUPTED), else_=""),
        )
        .returning(BATCHES.c.people, BATCHES.c.state)
    )
    return sum(row.people for row in rows if row.state == State.CANCELLED)
