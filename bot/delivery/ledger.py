"""The durable record of deliveries and batches: nothing is sent that it does not know.

The rules: submitting is idempotent for ever, by (tenant, user, form_id); two writes stand before a
POST, `claimed` (safe to take back) and `sending` (the fence); what a batch came to is written once.
Everything that names people or says what they are told is sealed before it is written.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, select, update

from bot.actor import Actor
from bot.delivery.database import Database
from bot.delivery.models import (
    BATCHES,
    DELIVERIES,
    DRAFTS,
    IN_HAND,
    SETTLED,
    Batch,
    Delivery,
    Kind,
    NewBatch,
    Place,
    State,
)
from bot.errors import StaleButton
from bot.sealing import Seal, Unreadable

_LISTED = [column for column in BATCHES.c if column.name != "sealed_call"]


def now_ms() -> int:
    """This machine's clock, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Ledger:
    """Writes and reads deliveries, batches and drafts, each checked against its actor."""

    def __init__(
        self, database: Database, seal: Seal, *, clock_ms: Callable[[], int] = now_ms
    ) -> None:
        self.database = database
        self.clock_ms = clock_ms
        self._seal = seal

    # Submitting ------------------------------------------------------------------------------

    async def submit(
        self,
        actor: Actor,
        form_id: str,
        kind: Kind,
        place: Place,
        request: Mapping[str, Any],
        batches: Iterable[NewBatch],
    ) -> tuple[Delivery, bool]:
        """Record a delivery and its batches in one transaction.

        Returns the delivery, and whether it is new: a second submit of the same form, by a double
        click, Teams' retry or a restart, returns the first one and writes nothing.
        """
        now = self.clock_ms()
        delivery_id = secrets.token_hex(16)
        # 52 bits survive every JSON reader on the way to Graph's Int64.
        chain_id = secrets.randbits(52) + 1
        rows = [
            self._row(batch, chain_id, now)
            | {"position": position, "delivery_id": delivery_id, "kind": kind.value}
            | {"tenant_id": actor.tenant_id, "user_id": actor.user_id}
            for position, batch in enumerate(batches)
        ]
        async with self.database.write() as connection:
            added = await connection.execute(
                self.database.insert(DELIVERIES)
                .values(
                    id=delivery_id,
                    tenant_id=actor.tenant_id,
                    user_id=actor.user_id,
                    form_id=form_id,
                    kind=kind.value,
                    chain_id=chain_id,
                    created_at_ms=now,
                    total=sum(row["people"] for row in rows),
                    sealed_place=self._seal.seal_json(asdict(place)),
                    sealed_request=self._seal.seal_json(dict(request)),
                )
                .on_conflict_do_nothing(index_elements=["tenant_id", "user_id", "form_id"])
            )
            is_new = added.rowcount == 1
            if is_new:
                await connection.execute(insert(BATCHES), rows)
                await connection.execute(_draft_of(actor, form_id))
        delivery = await self.by_form(actor, form_id)
        assert delivery is not None  # noqa: S101 - it was written above, or stood there before
        return delivery, is_new

    def _row(self, batch: NewBatch, chain_id: int, now: int) -> dict[str, Any]:
        return {
            "state": State.QUEUED.value,
            "people": batch.people,
            "attempt": 0,
            "due_at_ms": now,
            "problem": "",
            "code": "",
            "request_id": "",
            "sealed_call": self._seal.seal_json(batch.call | {"chain_id": chain_id}),
        }

    # Reading -------------------------------------------------------------------------------------

    async def by_form(self, actor: Actor, form_id: str) -> Delivery | None:
        """The delivery that this actor's form started, if it did."""
        return await self._one(_owned(actor) & (DELIVERIES.c.form_id == form_id))

    async def delivery(self, actor: Actor, delivery_id: str) -> Delivery:
        """One of this actor's deliveries.

        Raises:
            StaleButton: there is none of this id, or it is somebody else's (which is not told).
        """
        found = await self._one(_owned(actor) & (DELIVERIES.c.id == delivery_id))
        if found is None:
            raise StaleButton
        return found

    async def any_delivery(self, delivery_id: str) -> Delivery | None:
        """A delivery by id, whoever owns it: for the progress card, never for a button."""
        return await self._one(DELIVERIES.c.id == delivery_id)

    async def _one(self, condition: Any) -> Delivery | None:
        async with self.database.read() as connection:
            row = (await connection.execute(select(DELIVERIES).where(condition))).one_or_none()
            if row is None:
                return None
            listed = await connection.execute(
                select(*_LISTED).where(BATCHES.c.delivery_id == row.id).order_by(BATCHES.c.position)
            )
            batches = tuple(_batch(found) for found in listed)
        return self._delivery(row, batches)

    def _delivery(self, row: Row[Any], batches: tuple[Batch, ...]) -> Delivery:
        request = self._seal.open_json(row.sealed_request) if row.sealed_request else {}
        return Delivery(
            id=row.id,
            actor=Actor(row.tenant_id, row.user_id),
            form_id=row.form_id,
            kind=Kind(row.kind),
            chain_id=row.chain_id,
            created_at_ms=row.created_at_ms,
            place=Place(**self._seal.open_json(row.sealed_place)),
            total=row.total,
            request=request,
            batches=batches,
        )

    # Working: claim, fence, settle ---------------------------------------------------------------

    async def claim(self, worker: str, *, kind: Kind, most: int, lease_ms: int) -> list[Batch]:
        """Take up to `most` due batches of a kind in hand, oldest first; nobody else gets them."""
        now = self.clock_ms()
        due = (
            select(BATCHES.c.id)
            .where(
                BATCHES.c.state == State.QUEUED.value,
                BATCHES.c.kind == kind.value,
                BATCHES.c.due_at_ms <= now,
            )
            .order_by(BATCHES.c.due_at_ms, BATCHES.c.id)
            .limit(most)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        async with self.database.write() as connection:
            rows = await connection.execute(
                update(BATCHES)
                .where(BATCHES.c.id.in_(select(due.c.id)))
                .values(
                    state=State.CLAIMED.value,
                    owner=worker,
                    lease_until_ms=now + lease_ms,
                    attempt=BATCHES.c.attempt + 1,
                )
                .returning(*BATCHES.c)
            )
            found = rows.all()
        claimed = []
        for row in found:
            try:
                call = self._seal.open_json(row.sealed_call) if row.sealed_call else {}
            except Unreadable:
                await self.settle(row.id, State.REFUSED, worker=worker, problem="Unreadable")
                continue
            claimed.append(_batch(row).evolve(call=call))
        return sorted(claimed, key=lambda batch: (batch.due_at_ms, batch.id))

    async def fence(self, batch: Batch, worker: str, *, lease_ms: int) -> bool:
        """The last write before a POST. False means: it is no longer ours; send nothing."""
        async with self.database.write() as connection:
            done = await connection.execute(
                update(BATCHES)
                .where(
                    BATCHES.c.id == batch.id,
                    BATCHES.c.state == State.CLAIMED.value,
                    BATCHES.c.owner == worker,
                )
                .values(state=State.SENDING.value, lease_until_ms=self.clock_ms() + lease_ms)
            )
        return done.rowcount == 1

    async def settle(
        self,
        batch_id: int,
        state: State,
        *,
        worker: str,
        problem: str = "",
        status: int | None = None,
        code: str = "",
        request_id: str = "",
    ) -> bool:
        """Write what a batch in our hand came to. False: it was no longer ours."""
        return await self._put_down(
            batch_id,
            worker,
            state=state.value,
            settled_at_ms=self.clock_ms() if state in SETTLED else None,
            problem=problem[:64],
            status=status,
            code=code[:128],
            request_id=request_id[:64],
        )

    async def again(
        self, batch_id: int, *, worker: str, after_ms: int, problem: str, status: int | None = None
    ) -> bool:
        """Give a batch back, to be sent again after a while: it surely was not accepted, or a
        repetition replaces it."""
        return await self._put_down(
            batch_id,
            worker,
            state=State.QUEUED.value,
            due_at_ms=self.clock_ms() + after_ms,
            problem=problem[:64],
            status=status,
        )

    async def _put_down(self, batch_id: int, worker: str, **values: Any) -> bool:
        async with self.database.write() as connection:
            done = await connection.execute(
                update(BATCHES)
                .where(
                    BATCHES.c.id == batch_id,
                    BATCHES.c.owner == worker,
                    BATCHES.c.state.in_([state.value for state in IN_HAND]),
                )
                .values(owner=None, lease_until_ms=None, **values)
            )
        return done.rowcount == 1

    async def wake(self, actor: Actor) -> list[str]:
        """Queue what waited for this actor's sign-in. Returns the deliveries' ids."""
        waiting = and_(
            BATCHES.c.tenant_id == actor.tenant_id,
            BATCHES.c.user_id == actor.user_id,
            BATCHES.c.state == State.NEEDS_SIGN_IN.value,
        )
        async with self.database.write() as connection:
            rows = await connection.execute(
                update(BATCHES)
                .where(waiting)
                .values(state=State.QUEUED.value, due_at_ms=self.clock_ms())
                .returning(BATCHES.c.delivery_id)
            )
            return sorted({row.delivery_id for row in rows})

    async def recover(self, *, all_of_them: bool) -> list[str]:
        """After a crash: give back what was claimed, and judge what was on the wire.

        A text that was `sending` becomes `unknown` (at most once; its owner decides); a
        notification is queued again, because its `chainId` makes a repetition replace. With
        `all_of_them` every batch in hand counts as left behind (the only worker is starting);
        otherwise only those whose lease ran out. Returns the ids of the deliveries it touched.
        """
        now = self.clock_ms()
        left: ColumnElement[bool] = BATCHES.c.state.in_([State.CLAIMED.value, State.SENDING.value])
        if not all_of_them:
            left = and_(left, BATCHES.c.lease_until_ms < now)
        on_the_wire = and_(left, BATCHES.c.state == State.SENDING.value)
        text_sending = and_(on_the_wire, BATCHES.c.kind == Kind.TEXT.value)
        cleared = {"owner": None, "lease_until_ms": None}
        async with self.database.write() as connection:
            unknown = await connection.execute(
                update(BATCHES)
                .where(text_sending)
                .values(
                    state=State.UNKNOWN.value, settled_at_ms=now, problem="Interrupted", **cleared
                )
                .returning(BATCHES.c.delivery_id)
            )
            touched = {row.delivery_id for row in unknown}
            queued = await connection.execute(
                update(BATCHES)
                .where(left)
                .values(state=State.QUEUED.value, due_at_ms=now, **cleared)
                .returning(BATCHES.c.delivery_id)
            )
            touched |= {row.delivery_id for row in queued}
        return sorted(touched)

    async def next_due_ms(self) -> int | None:
        """When the next queued batch is due, or None when nothing waits."""
        async with self.database.read() as connection:
            due = await connection.scalar(
                select(func.min(BATCHES.c.due_at_ms)).where(BATCHES.c.state == State.QUEUED.value)
            )
        return int(due) if due is not None else None


def _owned(actor: Actor) -> Any:
    return and_(
        DELIVERIES.c.tenant_id == actor.tenant_id,
        DELIVERIES.c.user_id == actor.user_id,
    )


def _draft_of(actor: Actor, form_id: str) -> Any:
    return delete(DRAFTS).where(
        DRAFTS.c.tenant_id == actor.tenant_id,
        DRAFTS.c.user_id == actor.user_id,
        DRAFTS.c.form_id == form_id,
    )


def _batch(row: Row[Any]) -> Batch:
    return Batch(
        id=row.id,
        delivery_id=row.delivery_id,
        position=row.position,
        actor=Actor(row.tenant_id, row.user_id),
        kind=Kind(row.kind),
        state=State(row.state),
        people=row.people,
        attempt=row.attempt,
        due_at_ms=row.due_at_ms,
        settled_at_ms=row.settled_at_ms,
        problem=row.problem,
        status=row.status,
        code=row.code,
        request_id=row.request_id,
    )
