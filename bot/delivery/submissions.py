"""Submitting: a delivery and its batches, written in one transaction, once for each form."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

from sqlalchemy import and_, delete, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.delivery.database import Database
from bot.delivery.decisions import take_back
from bot.delivery.hour import Hour
from bot.delivery.models import (
    BATCHES,
    DELIVERIES,
    DRAFTS,
    LANES,
    Delivery,
    NewDelivery,
    State,
)
from bot.delivery.records import Records
from bot.errors import HeraldError
from bot.sealing import Seal

_ROWS_AT_ONCE = 50  # of a large audience, sealed and written before the next are looked at


class LeftMeanwhile(HeraldError):
    """What this was to replace has left meanwhile, so nothing of this was sent."""


class Submissions(Records):
    """Writes what forms ask for. `per_hour`: so many of one person's; 0 is no limit."""

    def __init__(
        self,
        database: Database,
        seal: Seal,
        *,
        clock_ms: Callable[[], int] | None = None,
        per_hour: int = 0,
    ) -> None:
        super().__init__(database, seal, clock_ms=clock_ms)
        self._hour = Hour(per_hour)

    async def submit(
        self, wanted: NewDelivery, people: Iterable[Sequence[Any]]
    ) -> tuple[Delivery, bool]:
        """Record a delivery and its batches in one transaction.

        What it replaces is cancelled in the same one, or, where that has left meanwhile, nothing
        is written.

        `people` gives each batch's people; it is read as it is written, never held as a whole.
        Returns the delivery, and whether it is new: a second submit of the same form, by a double
        click, Teams' retry or a restart, returns the first one and writes nothing.

        Raises:
            LeftMeanwhile: nothing waits any more of what this was to replace.
            TooManyDeliveries: this person submitted as much as may be within an hour.
        """
        now = self.clock_ms()
        delivery_id = secrets.token_hex(16)
        due_at_ms = max(now, wanted.due_at_ms or now)
        async with self.database.write() as connection:
            added = await connection.execute(
                self.database.insert(DELIVERIES)
                .values(
                    id=delivery_id,
                    tenant_id=wanted.actor.tenant_id,
                    user_id=wanted.actor.user_id,
                    form_id=wanted.form_id,
                    kind=wanted.kind.value,
                    # 52 bits survive every JSON reader on the way to Graph's Int64.
                    chain_id=wanted.chain_id or secrets.randbits(52) + 1,
                    created_at_ms=now,
                    due_at_ms=due_at_ms,
                    total=0,
                    drawn_at_ms=0,
                    sealed_place=self._seal.seal_json(asdict(wanted.place)),
                    sealed_request=self._seal.seal_json(wanted.request),
                    sealed_call=self._seal.seal_json(wanted.call),
                )
                .on_conflict_do_nothing(index_elements=["tenant_id", "user_id", "form_id"])
            )
            is_new = added.rowcount == 1
            if is_new:
                await self._hour.check(connection, wanted.actor, now)
            if is_new and wanted.replaces:
                await self._cancel_replaced(connection, wanted)
            if is_new:
                state = State.SCHEDULED if due_at_ms > now else State.QUEUED
                shared = {
                    "delivery_id": delivery_id,
                    "tenant_id": wanted.actor.tenant_id,
                    "user_id": wanted.actor.user_id,
                    "kind": wanted.batch_kind.value,
                    "state": state.value,
                    "attempt": 0,
                    "doubted": 0,
                    "insisted": 0,
                    "due_at_ms": due_at_ms,
                    "problem": "",
                    "code": "",
                    "request_id": "",
                }
                total = await self._write_batches(connection, shared, people)
                await self._complete(connection, wanted, delivery_id, total)
        delivery = await self.by_form(wanted.actor, wanted.form_id)
        assert delivery is not None  # noqa: S101 - it was written above, or stood there before
        return delivery, is_new

    async def _cancel_replaced(self, connection: AsyncConnection, wanted: NewDelivery) -> None:
        theirs = and_(
            BATCHES.c.delivery_id == wanted.replaces,
            BATCHES.c.tenant_id == wanted.actor.tenant_id,
            BATCHES.c.user_id == wanted.actor.user_id,
        )
        if not await take_back(connection, theirs, self.clock_ms()):
            raise LeftMeanwhile

    async def _write_batches(
        self, connection: AsyncConnection, shared: dict[str, Any], people: Iterable[Sequence[Any]]
    ) -> int:
        total = 0
        numbered = enumerate(people)
        while some := list(islice(numbered, _ROWS_AT_ONCE)):
            rows = [
                shared
                | {
                    "position": position,
                    "people": len(part),
                    "sealed_people": self._seal.seal_json(list(part)),
                }
                for position, part in some
            ]
            await connection.execute(insert(BATCHES), rows)
            total += sum(len(part) for _, part in some)
        return total

    async def _complete(
        self, connection: AsyncConnection, wanted: NewDelivery, delivery_id: str, total: int
    ) -> None:
        await connection.execute(
            update(DELIVERIES).where(DELIVERIES.c.id == delivery_id).values(total=total)
        )
        await connection.execute(
            self.database.insert(LANES)
            .values(
                key=f"{wanted.batch_kind.value} {wanted.actor.tenant_id}",
                kind=wanted.batch_kind.value,
                tenant_id=wanted.actor.tenant_id,
                free_at_ms=0,
            )
            .on_conflict_do_nothing(index_elements=["key"])
        )
        await connection.execute(
            delete(DRAFTS).where(
                DRAFTS.c.tenant_id == wanted.actor.tenant_id,
                DRAFTS.c.user_id == wanted.actor.user_id,
                DRAFTS.c.form_id == wanted.form_id,
            )
        )
