"""Submitting: a delivery and its batches, written in one transaction, once for each form."""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from itertools import islice
from typing import Any

import structlog
from sqlalchemy import Connection, Integer, bindparam, delete, insert, update

from bot.delivery import drawers
from bot.delivery.database import Database
from bot.delivery.hour import Hour
from bot.delivery.models import (
    BATCHES,
    DELIVERIES,
    DRAFTS,
    LANES,
    RECIPIENTS,
    Delivery,
    Kind,
    NewDelivery,
    State,
    Tally,
)
from bot.delivery.records import Records
from bot.delivery.succession import predecessor, take_over
from bot.sealing import Seal

_ROWS_AT_ONCE = 50  # of a large audience, sealed and written before the next are looked at

# Statements are made once: building one costs as much as running it.
_INSERT_BATCH = insert(BATCHES)
_INSERT_RECIPIENTS = insert(RECIPIENTS)
_COUNT = (
    update(DELIVERIES)
    .where(DELIVERIES.c.id == bindparam("id_"))
    .values(total=bindparam("people", type_=Integer))
)
_FORGET_DRAFT = delete(DRAFTS).where(
    DRAFTS.c.tenant_id == bindparam("tenant"),
    DRAFTS.c.user_id == bindparam("user"),
    DRAFTS.c.form_id == bindparam("form"),
)

log = structlog.get_logger(__name__)


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
        self._lanes: set[str] = set()  # whose rows are known to be there: none is ever deleted
        self._insert_delivery = database.insert(DELIVERIES).on_conflict_do_nothing(
            index_elements=["tenant_id", "user_id", "form_id"]
        )
        self._insert_lane = database.insert(LANES).on_conflict_do_nothing(index_elements=["key"])

    async def submit(
        self, wanted: NewDelivery, people: Iterable[Sequence[Any]]
    ) -> tuple[Delivery, bool]:
        """Record a delivery and its batches in one transaction.

        Where it takes an earlier one's place, that happens in the same one, or, where it can't any
        more, nothing is written.

        `people` gives each batch's people; it is read as it is written, never held as a whole.
        Returns the delivery, and whether it is new: a second submit of the same form, by a double
        click, Teams' retry or a restart, returns the first one and writes nothing.

        Raises:
            LeftMeanwhile: what this was to replace has left.
            SentAgainMeanwhile: what this was to repeat has been repeated.
            TooManyDeliveries: this person submitted as much as may be within an hour.
        """
        now = self.clock_ms()
        delivery = Delivery(
            id=secrets.token_hex(16),
            actor=wanted.actor,
            form_id=wanted.form_id,
            kind=wanted.kind,
            # 52 bits survive every JSON reader on the way to Graph's Int64.
            chain_id=secrets.randbits(52) + 1,
            created_at_ms=now,
            due_at_ms=max(now, wanted.due_at_ms or now),
            place=wanted.place,
            total=0,
            request=wanted.request,
        )

        def write(connection: Connection) -> Tally | None:
            nonlocal delivery
            first = None
            if wanted.succeeds:
                first = predecessor(connection, wanted.actor, wanted.succeeds)
                if wanted.kind is Kind.NOTICE:
                    delivery = replace(delivery, chain_id=first.chain_id)
            if not self._write_delivery(connection, delivery, wanted):
                return None
            self._hour.check(connection, wanted.actor, now)
            if wanted.succeeds and first:
                take_over(connection, wanted.actor, wanted.succeeds, first, delivery.id, now)
            tally = self._write_batches(connection, delivery, wanted, people)
            self._complete(connection, wanted, delivery.id, tally.people)
            return tally

        tally = await self.database.write_in_one(write)
        if tally is not None:
            self._lanes.add(_lane(wanted))  # its row is there by now
            # With the turn's activity in its context: from here on its id is what leads on.
            log.info("delivery.submitted", delivery=delivery.id, kind=delivery.kind.value)
            tallies = (tally,) if tally.batches else ()
            return replace(delivery, total=tally.people, tallies=tallies), True
        first = await self.by_form(wanted.actor, wanted.form_id)
        assert first is not None  # noqa: S101 - it stood there before
        return first, False

    def _write_delivery(
        self, connection: Connection, delivery: Delivery, wanted: NewDelivery
    ) -> bool:
        values = {
            "id": delivery.id,
            "tenant_id": delivery.actor.tenant_id,
            "user_id": delivery.actor.user_id,
            "form_id": delivery.form_id,
            "kind": delivery.kind.value,
            "chain_id": delivery.chain_id,
            "created_at_ms": delivery.created_at_ms,
            "due_at_ms": delivery.due_at_ms,
            "total": 0,
            "drawn_at_ms": 0,
        }
        sealed = {
            "sealed_place": self._seal.seal_json(
                asdict(delivery.place), drawers.PLACE.binding(values)
            ),
            "sealed_request": self._seal.seal_json(wanted.request, drawers.REQUEST.binding(values)),
            "sealed_call": self._seal.seal_json(wanted.call, drawers.CALL.binding(values)),
        }
        added = connection.execute(self._insert_delivery, values | sealed)
        return added.rowcount == 1

    def _write_batches(
        self,
        connection: Connection,
        delivery: Delivery,
        wanted: NewDelivery,
        people: Iterable[Sequence[Any]],
    ) -> Tally:
        state = State.SCHEDULED if delivery.due_at_ms > delivery.created_at_ms else State.QUEUED
        shared = {
            "delivery_id": delivery.id,
            "tenant_id": delivery.actor.tenant_id,
            "user_id": delivery.actor.user_id,
            "kind": wanted.batch_kind.value,
            "state": state.value,
            "attempt": 0,
            "doubted": 0,
            "insisted": 0,
            "due_at_ms": delivery.due_at_ms,
            "problem": "",
            "code": "",
            "request_id": "",
        }
        batches = total = 0
        numbered = enumerate(people)
        while some := list(islice(numbered, _ROWS_AT_ONCE)):
            rows = [shared | {"position": number, "people": len(part)} for number, part in some]
            connection.execute(_INSERT_BATCH, rows)
            sealed = [
                {
                    "delivery_id": delivery.id,
                    "position": number,
                    "sealed_people": self._seal.seal_json(list(part), drawers.PEOPLE.binding(row)),
                }
                for (number, part), row in zip(some, rows, strict=True)
            ]
            connection.execute(_INSERT_RECIPIENTS, sealed)
            batches += len(some)
            total += sum(len(part) for _, part in some)
        return Tally(
            state, "", batches, total, due_at_ms=delivery.due_at_ms, last=max(0, batches - 1)
        )

    def _complete(
        self, connection: Connection, wanted: NewDelivery, delivery_id: str, total: int
    ) -> None:
        connection.execute(_COUNT, {"id_": delivery_id, "people": total})
        lane = _lane(wanted)
        if lane not in self._lanes:
            kind, tenant_id = wanted.batch_kind.value, wanted.actor.tenant_id
            values = {"key": lane, "kind": kind, "tenant_id": tenant_id, "free_at_ms": 0}
            connection.execute(self._insert_lane, values)
        actor = {"tenant": wanted.actor.tenant_id, "user": wanted.actor.user_id}
        connection.execute(_FORGET_DRAFT, {**actor, "form": wanted.form_id})


def _lane(wanted: NewDelivery) -> str:
    return f"{wanted.batch_kind.value} {wanted.actor.tenant_id}"
