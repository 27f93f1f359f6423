"""The durable record of deliveries and batches: nothing is sent that it does not know.

Submitting is idempotent for ever, by (tenant, user, form_id). What an owner decides of a delivery
(cancel, send now, retry, …) is a conditional update here; the way of a batch through a worker's
hands is in `bot.delivery.queue`. Everything that names people or says what they are told is sealed
before it is written.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.actor import Actor
from bot.delivery.database import Database
from bot.delivery.models import (
    BATCHES,
    DELIVERIES,
    DRAFTS,
    IN_HAND,
    INTERRUPTED,
    LANES,
    OWNER_CANCELS,
    SETTLED,
    WAITING,
    Delivery,
    Kind,
    NewDelivery,
    Place,
    State,
    Tally,
)
from bot.errors import HeraldError, StaleButton
from bot.sealing import Seal, Unreadable

BATCH = 100  # sendActivityNotificationToRecipients: at most 100 recipients a request
OWNER_SAYS = "OwnerSaysItArrived"
OWNER_INSISTS = "OwnerInsists"  # sent although what it is about has changed
_ROWS_AT_ONCE = 50  # of a large audience, sealed and written before the next are looked at
_LISTED = 10
_JUST_NOW_MS = 120_000
_DRAWING_MS = 5_000  # a card's update takes no longer


class LeftMeanwhile(HeraldError):
    """What this was to replace has left meanwhile, so nothing of this was sent."""


class Ledger:
    """Writes and reads deliveries, each checked against its actor."""

    def __init__(
        self, database: Database, seal: Seal, *, clock_ms: Callable[[], int] | None = None
    ) -> None:
        self.database = database
        self.clock_ms = clock_ms or database.clock_ms
        self._seal = seal

    # Submitting ----------------------------------------------------------------------------------

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
            if is_new and wanted.replaces:
                await self._cancel_replaced(connection, wanted)
            if is_new:
                state = State.SCHEDULED if due_at_ms > now else State.QUEUED
                shared = {
                    "delivery_id": delivery_id,
                    "tenant_id": wanted.actor.tenant_id,
                    "user_id": wanted.actor.user_id,
                    "kind": wanted.kind.value,
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
        if not await self._take_back(connection, theirs):
            raise LeftMeanwhile

    async def _take_back(self, connection: AsyncConnection, of_it: ColumnElement[bool]) -> int:
        """Cancel what waits or is only claimed: its fence fails. How many people that are."""
        rows = await connection.execute(
            update(BATCHES)
            .where(of_it, BATCHES.c.state.in_([*(s.value for s in WAITING), State.CLAIMED.value]))
            .values(
                state=case(
                    (BATCHES.c.doubted != 0, State.UNKNOWN.value), else_=State.CANCELLED.value
                ),
                settled_at_ms=self.clock_ms(),
                owner=None,
                lease_until_ms=None,
                problem=case((BATCHES.c.doubted != 0, INTERRUPTED), else_=""),
            )
            .returning(BATCHES.c.people, BATCHES.c.state)
        )
        return sum(row.people for row in rows if row.state == State.CANCELLED)

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
                key=f"{wanted.kind.value} {wanted.actor.tenant_id}",
                kind=wanted.kind.value,
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

    # Reading -------------------------------------------------------------------------------------

    async def by_form(self, actor: Actor, form_id: str) -> Delivery | None:
        """The delivery that this actor's form started, if it did."""
        return await self._one(_owned(actor) & (DELIVERIES.c.form_id == form_id))

    async def delivery(self, actor: Actor, delivery_id: str) -> Delivery:
        """One of this actor's deliveries, by its id or by the start of it that people type.

        Raises:
            StaleButton: there is none of this id, or it is somebody else's (which is not told).
        """
        is_it = (
            DELIVERIES.c.id == delivery_id
            if len(delivery_id) == 32
            else DELIVERIES.c.id.startswith(delivery_id.lower(), autoescape=True)
        )
        found = await self._one(_owned(actor) & is_it) if len(delivery_id) >= 6 else None
        if found is None:
            raise StaleButton
        return found

    async def any_delivery(self, delivery_id: str) -> Delivery | None:
        """A delivery by id, whoever owns it: for the progress card, never for a button."""
        return await self._one(DELIVERIES.c.id == delivery_id)

    async def recent(self, actor: Actor, *, waiting: bool = False) -> list[Delivery]:
        """The actor's newest ten deliveries; with `waiting`, those that still wait, next first."""
        query = select(DELIVERIES).where(_owned(actor)).limit(_LISTED)
        if waiting:
            some_wait = (
                select(BATCHES.c.id)
                .where(
                    BATCHES.c.delivery_id == DELIVERIES.c.id,
                    BATCHES.c.state.in_([state.value for state in WAITING]),
                )
                .exists()
            )
            query = query.where(some_wait).order_by(DELIVERIES.c.due_at_ms)
        else:
            query = query.order_by(DELIVERIES.c.created_at_ms.desc())
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
            return [self._read(row, await _tallies(connection, row.id)) for row in rows]

    async def people(self, delivery_id: str, *states: State) -> "list[tuple[State, list[Any]]]":
        """Each batch's state and people, in order; for results, and for sending again."""
        query = (
            select(BATCHES.c.state, BATCHES.c.sealed_people)
            .where(BATCHES.c.delivery_id == delivery_id)
            .order_by(BATCHES.c.position)
        )
        if states:
            query = query.where(BATCHES.c.state.in_([state.value for state in states]))
        async with self.database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            (State(row.state), self._seal.open_json(row.sealed_people))
            for row in rows
            if row.sealed_people
        ]

    async def call(self, delivery_id: str) -> dict[str, Any]:
        """What all requests of a delivery have in common; {} once erased. Raises Unreadable."""
        async with self.database.read() as connection:
            row = (
                await connection.execute(
                    select(DELIVERIES.c.sealed_call, DELIVERIES.c.chain_id).where(
                        DELIVERIES.c.id == delivery_id
                    )
                )
            ).one_or_none()
        if row is None or row.sealed_call is None:
            return {}
        return {**self._seal.open_json(row.sealed_call), "chain_id": row.chain_id}

    async def _one(self, condition: Any) -> Delivery | None:
        async with self.database.read() as connection:
            query = select(DELIVERIES).where(condition).limit(2)
            rows = (await connection.execute(query)).all()
            if len(rows) != 1:
                return None
            return self._read(rows[0], await _tallies(connection, rows[0].id))

    def _read(self, row: Row[Any], tallies: tuple[Tally, ...]) -> Delivery:
        is_readable = True
        request: dict[str, Any] = {}
        try:
            place = Place(**self._seal.open_json(row.sealed_place))
            request = self._seal.open_json(row.sealed_request) if row.sealed_request else {}
        except Unreadable:
            place, is_readable = Place("", ""), False
        return Delivery(
            id=row.id,
            actor=Actor(row.tenant_id, row.user_id),
            form_id=row.form_id,
            kind=Kind(row.kind),
            chain_id=row.chain_id,
            created_at_ms=row.created_at_ms,
            due_at_ms=row.due_at_ms,
            place=place,
            total=row.total,
            request=request,
            tallies=tallies,
            is_readable=is_readable,
            drawn_at_ms=row.drawn_at_ms,
        )

    # What an owner decides -----------------------------------------------------------------------

    async def cancel(self, delivery: Delivery) -> int:
        """Cancel what has not left; how many people that were.

        What is on the wire goes on, but never again. What waits to go again after a doubt has
        perhaps left already, so it becomes unknown.
        """
        of_it = BATCHES.c.delivery_id == delivery.id
        async with self.database.write() as connection:
            cancelled = await self._take_back(connection, of_it)
            await connection.execute(
                update(BATCHES)
                .where(of_it, BATCHES.c.state == State.SENDING.value)
                .values(problem=OWNER_CANCELS)
            )
        return cancelled

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

    async def send_now(self, delivery: Delivery) -> int:
        """Send what waits for its time or for a decision now, whatever has changed."""
        waiting = (State.SCHEDULED, State.HELD)
        return await self._queue_again(delivery, waiting, problem=OWNER_INSISTS, insisted=1)

    async def change_time(self, delivery: Delivery, due_at_ms: int) -> int:
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
                    .values(due_at_ms=due_at_ms)
                )
        return changed

    async def wake(self, actor: Actor) -> list[str]:
        """The actor signed in: what waited for that goes on, each at its time.

        Returns the deliveries' ids.
        """
        now = self.clock_ms()
        async with self.database.write() as connection:
            rows = await connection.execute(
                update(BATCHES)
                .where(
                    BATCHES.c.tenant_id == actor.tenant_id,
                    BATCHES.c.user_id == actor.user_id,
                    BATCHES.c.state == State.NEEDS_SIGN_IN.value,
                )
                .values(
                    state=case(
                        (BATCHES.c.due_at_ms > now, State.SCHEDULED.value),
                        else_=State.QUEUED.value,
                    ),
                    problem="",
                )
                .returning(BATCHES.c.delivery_id)
            )
            return sorted({row.delivery_id for row in rows})

    async def kinds_waiting(self, actor: Actor) -> list[Kind]:
        """The kinds of the actor's batches that wait for a sign-in."""
        async with self.database.read() as connection:
            rows = await connection.execute(
                select(BATCHES.c.kind)
                .where(
                    BATCHES.c.tenant_id == actor.tenant_id,
                    BATCHES.c.user_id == actor.user_id,
                    BATCHES.c.state == State.NEEDS_SIGN_IN.value,
                )
                .distinct()
                .order_by(BATCHES.c.kind)
            )
            return [Kind(row.kind) for row in rows]

    async def needs_sign_in(self, actor: Actor, problem: str) -> list[str]:
        """The actor's sign-in can't be renewed: what is scheduled waits for it, and keeps its time.

        Returns the deliveries' ids.
        """
        async with self.database.write() as connection:
            rows = await connection.execute(
                update(BATCHES)
                .where(
                    BATCHES.c.tenant_id == actor.tenant_id,
                    BATCHES.c.user_id == actor.user_id,
                    BATCHES.c.state == State.SCHEDULED.value,
                )
                .values(state=State.NEEDS_SIGN_IN.value, problem=problem[:64])
                .returning(BATCHES.c.delivery_id)
            )
            return sorted({row.delivery_id for row in rows})

    async def _queue_again(
        self,
        delivery: Delivery,
        states: tuple[State, ...],
        *,
        problem: str = "",
        seen_ms: int | None = None,
        **more: Any,
    ) -> int:
        return await self._decide(
            delivery,
            states,
            BATCHES.c.sealed_people.is_not(None),  # after the retention there is nothing to send
            seen_ms=seen_ms,
            state=State.QUEUED.value,
            due_at_ms=self.clock_ms(),
            settled_at_ms=None,
            attempt=0,
            problem=problem,
            **more,
        )

    async def _decide(
        self,
        delivery: Delivery,
        states: tuple[State, ...],
        *conditions: ColumnElement[bool],
        seen_ms: int | None = None,
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
            rows = await connection.execute(decided.values(**values).returning(BATCHES.c.people))
            return sum(row.people for row in rows)

    # Keeping house -------------------------------------------------------------------------------

    async def owners_waiting(self) -> list[Actor]:
        """Everybody who has something scheduled."""
        async with self.database.read() as connection:
            rows = await connection.execute(
                select(BATCHES.c.tenant_id, BATCHES.c.user_id)
                .where(BATCHES.c.state == State.SCHEDULED.value)
                .distinct()
            )
            return [Actor(row.tenant_id, row.user_id) for row in rows]

    async def may_draw(self, delivery_id: str, *, spacing_ms: int) -> bool:
        """Whether this replica draws the delivery's card now; no other one does so soon after."""
        now = self.clock_ms()
        async with self.database.write() as connection:
            done = await connection.execute(
                update(DELIVERIES)
                .where(DELIVERIES.c.id == delivery_id, DELIVERIES.c.drawn_at_ms <= now - spacing_ms)
                .values(drawn_at_ms=now)
            )
        return done.rowcount == 1

    async def move_card(self, delivery_id: str, place: Place) -> None:
        """The delivery's card stands here from now on."""
        async with self.database.write() as connection:
            await connection.execute(
                update(DELIVERIES)
                .where(DELIVERIES.c.id == delivery_id)
                .values(sealed_place=self._seal.seal_json(asdict(place)))
            )

    async def undrawn(self, *, most: int = 200) -> list[str]:
        """Deliveries whose cards may be behind: on their way, or settled after they were drawn.

        Whoever drew last may have died over it, so what was settled a moment ago is drawn again.
        """
        now = self.clock_ms()
        moving = [state.value for state in (State.QUEUED, *IN_HAND)]
        on_its_way = DELIVERIES.c.id.in_(
            select(BATCHES.c.delivery_id).where(BATCHES.c.state.in_(moving))
        )
        drawn = DELIVERIES.c.drawn_at_ms
        just_now = BATCHES.c.settled_at_ms > now - _JUST_NOW_MS
        settled_since = (
            select(BATCHES.c.id)
            .where(
                BATCHES.c.delivery_id == DELIVERIES.c.id,
                (BATCHES.c.settled_at_ms >= drawn)
                | (just_now & (BATCHES.c.settled_at_ms >= drawn - _DRAWING_MS)),
            )
            .exists()
        )
        yesterday = now - 24 * 3_600_000
        recent = (DELIVERIES.c.created_at_ms > yesterday) | (DELIVERIES.c.due_at_ms > yesterday)
        async with self.database.read() as connection:
            rows = await connection.execute(
                select(DELIVERIES.c.id).where(on_its_way | (recent & settled_since)).limit(most)
            )
            return [row.id for row in rows]

    async def erase(self, *, before_ms: int) -> int:
        """Erase the numbers, names and texts of what was settled before; keys and counts stay.

        How many deliveries were erased.
        """
        open_still = (
            select(BATCHES.c.id)
            .where(
                BATCHES.c.delivery_id == DELIVERIES.c.id,
                BATCHES.c.state.not_in([state.value for state in SETTLED]),
            )
            .exists()
        )
        async with self.database.write() as connection:
            rows = await connection.execute(
                update(DELIVERIES)
                .where(
                    DELIVERIES.c.created_at_ms < before_ms,
                    DELIVERIES.c.due_at_ms < before_ms,
                    DELIVERIES.c.sealed_call.is_not(None),
                    ~open_still,
                )
                .values(sealed_request=None, sealed_call=None)
                .returning(DELIVERIES.c.id)
            )
            erased = [row.id for row in rows]
            for ids in _chunks(erased):
                await connection.execute(
                    update(BATCHES).where(BATCHES.c.delivery_id.in_(ids)).values(sealed_people=None)
                )
        return len(erased)


def _owned(actor: Actor) -> ColumnElement[bool]:
    return and_(
        DELIVERIES.c.tenant_id == actor.tenant_id,
        DELIVERIES.c.user_id == actor.user_id,
    )


async def _tallies(connection: AsyncConnection, delivery_id: str) -> tuple[Tally, ...]:
    rows = await connection.execute(
        select(
            BATCHES.c.state,
            BATCHES.c.problem,
            func.count().label("batches"),
            func.sum(BATCHES.c.people).label("people"),
            func.max(BATCHES.c.request_id).label("request_id"),
            func.max(BATCHES.c.settled_at_ms).label("settled_at_ms"),
            func.min(BATCHES.c.due_at_ms).label("due_at_ms"),
            func.min(BATCHES.c.position).label("first"),
            func.max(BATCHES.c.position).label("last"),
        )
        .where(BATCHES.c.delivery_id == delivery_id)
        .group_by(BATCHES.c.state, BATCHES.c.problem)
        .order_by(BATCHES.c.state, BATCHES.c.problem)
    )
    return tuple(
        Tally(
            state=State(row.state),
            problem=row.problem,
            batches=row.batches,
            people=int(row.people),
            request_id=row.request_id,
            settled_at_ms=row.settled_at_ms,
            due_at_ms=row.due_at_ms,
            first=row.first,
            last=row.last,
        )
        for row in rows
    )


def _chunks(items: list[str], size: int = 500) -> Iterator[list[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
