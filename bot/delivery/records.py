"""What the ledger knows, read back, each delivery checked against its actor."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    RowMapping,
    Select,
    and_,
    bindparam,
    func,
    select,
)

from bot.actor import Actor
from bot.delivery import drawers
from bot.delivery.database import Database
from bot.delivery.models import (
    BATCHES,
    DELIVERIES,
    IN_HAND,
    LANES,
    RECIPIENTS,
    WAITING,
    Delivery,
    Kind,
    Place,
    State,
    Tally,
)
from bot.errors import StaleButton
from bot.sealing import Drawer, Seal, Unreadable

_LISTED = 10

# Statements are made once: building one costs as much as running it.
_OWNED = and_(
    DELIVERIES.c.tenant_id == bindparam("tenant"), DELIVERIES.c.user_id == bindparam("user")
)
_BY_FORM = select(DELIVERIES).where(_OWNED, DELIVERIES.c.form_id == bindparam("form"))
_BY_ID = select(DELIVERIES).where(DELIVERIES.c.id == bindparam("id_"))
_OWNED_BY_ID = _BY_ID.where(_OWNED)
_TALLIES = (
    select(
        BATCHES.c.delivery_id,
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
    .where(BATCHES.c.delivery_id.in_(bindparam("ids", expanding=True)))
    .group_by(BATCHES.c.delivery_id, BATCHES.c.state, BATCHES.c.problem)
    .order_by(BATCHES.c.state, BATCHES.c.problem)
)
_CALL = select(
    DELIVERIES.c.sealed_call,
    DELIVERIES.c.created_at_ms,
    *(DELIVERIES.c[name] for name in drawers.CALL.bound_to),
).where(DELIVERIES.c.id == bindparam("id_"))

# Where a delivery stands in its lane.
_FREE_AT = select(LANES.c.free_at_ms).where(LANES.c.key == bindparam("lane"))
_AHEAD = (
    select(func.count())
    .select_from(BATCHES)
    .where(
        BATCHES.c.tenant_id == bindparam("tenant"),
        BATCHES.c.kind == bindparam("of"),
        BATCHES.c.state == State.QUEUED.value,
        BATCHES.c.due_at_ms <= bindparam("due"),
        BATCHES.c.delivery_id != bindparam("id_"),
    )
)


class Records:
    """Reads deliveries and what became of their batches."""

    def __init__(
        self, database: Database, seal: Seal, *, clock_ms: Callable[[], int] | None = None
    ) -> None:
        self.database = database
        self.clock_ms = clock_ms or database.clock_ms
        self._seal = seal

    async def by_form(self, actor: Actor, form_id: str) -> Delivery | None:
        """The delivery that this actor's form started, if it did."""
        return await self._one(_BY_FORM, {**_of(actor), "form": form_id})

    async def delivery(self, actor: Actor, delivery_id: str) -> Delivery:
        """One of this actor's deliveries, by its id or by the start of it that people type.

        Raises:
            StaleButton: there is none of this id, or it is somebody else's (which is not told).
        """
        found: Delivery | None = None
        if len(delivery_id) == 32:
            found = await self._one(_OWNED_BY_ID, {**_of(actor), "id_": delivery_id})
        elif len(delivery_id) >= 6:
            begins_so = DELIVERIES.c.id.startswith(delivery_id.lower(), autoescape=True)
            query = select(DELIVERIES).where(_owned(actor), begins_so).limit(2)
            found = await self._one(query, {})
        if found is None:
            raise StaleButton
        return found

    async def any_delivery(self, delivery_id: str) -> Delivery | None:
        """A delivery by id, whoever owns it: for the progress card, never for a button."""
        return await self._one(_BY_ID, {"id_": delivery_id})

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
        return await self.database.read_in_one(lambda connection: self._all(connection, query))

    async def newest(
        self, actor: Actor, *, kinds: Sequence[Kind] = tuple(Kind), skip: int = 0, most: int = 50
    ) -> list[Delivery]:
        """The actor's deliveries of these kinds, newest first, without the first `skip`."""
        query = (
            select(DELIVERIES)
            .where(_owned(actor), DELIVERIES.c.kind.in_([kind.value for kind in kinds]))
            .order_by(DELIVERIES.c.created_at_ms.desc(), DELIVERIES.c.id)
            .offset(skip)
            .limit(most)
        )
        return await self.database.read_in_one(lambda connection: self._all(connection, query))

    async def people(self, delivery_id: str, *states: State) -> "list[tuple[State, list[Any]]]":
        """Each batch's state and people, in order; for results, and for sending again."""
        found = await self.results(delivery_id, *states)
        return [(state, people) for state, _, people in found]

    async def results(
        self, delivery_id: str, *states: State
    ) -> "list[tuple[State, str, list[Any]]]":
        """Each batch's state, problem and people, in order."""
        query = (
            select(*BATCHES.c, RECIPIENTS.c.sealed_people)
            .join_from(
                BATCHES,
                RECIPIENTS,
                (RECIPIENTS.c.delivery_id == BATCHES.c.delivery_id)
                & (RECIPIENTS.c.position == BATCHES.c.position),
            )
            .where(BATCHES.c.delivery_id == delivery_id)
            .order_by(BATCHES.c.position)
        )
        if states:
            query = query.where(BATCHES.c.state.in_([state.value for state in states]))
        rows = await self.database.read_in_one(lambda connection: connection.execute(query).all())
        return [
            (State(row.state), row.problem, self._open(drawers.PEOPLE, row._mapping))
            for row in rows
        ]

    async def call(self, delivery_id: str) -> dict[str, Any]:
        """What all requests of a delivery have in common; {} once erased. Raises Unreadable.

        Also `chain_id`, and `created_at_ms`: since when it stands in the ledger.
        """
        row = await self.database.read_in_one(
            lambda connection: connection.execute(_CALL, {"id_": delivery_id}).one_or_none()
        )
        if row is None or row.sealed_call is None:
            return {}
        call = self._open(drawers.CALL, row._mapping)
        return {**call, "chain_id": row.chain_id, "created_at_ms": row.created_at_ms}

    async def _one(self, query: Select[Any], values: dict[str, Any]) -> Delivery | None:
        def look(connection: Connection) -> Delivery | None:
            rows = connection.execute(query, values).all()
            if len(rows) != 1:
                return None
            delivery = self._read(rows[0], _tallies(connection, [rows[0].id])[rows[0].id])
            return _placed(connection, delivery)

        return await self.database.read_in_one(look)

    def _all(self, connection: Connection, query: Select[Any]) -> list[Delivery]:
        rows = connection.execute(query).all()
        tallies = _tallies(connection, [row.id for row in rows])
        return [self._read(row, tallies[row.id]) for row in rows]

    def _read(self, row: Row[Any], tallies: tuple[Tally, ...]) -> Delivery:
        is_readable = True
        request: dict[str, Any] = {}
        try:
            place = Place(**self._open(drawers.PLACE, row._mapping))
            if row.sealed_request is not None:
                request = self._open(drawers.REQUEST, row._mapping)
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
            successor_id=row.successor_id or "",
        )

    def _open(self, drawer: Drawer, row: RowMapping) -> Any:
        return self._seal.open_json(row[drawer.column], drawer.binding(row))


def _placed(connection: Connection, delivery: Delivery) -> Delivery:
    """The delivery with where it stands in its lane, if it takes more than a moment."""
    queued = [tally.due_at_ms or 0 for tally in delivery.tallies if tally.state is State.QUEUED]
    if not queued or delivery.batches(State.QUEUED, *IN_HAND) < 2:
        return delivery
    kind, tenant_id = delivery.kind.value, delivery.actor.tenant_id
    free_at_ms = connection.scalar(_FREE_AT, {"lane": f"{kind} {tenant_id}"})
    values = {"tenant": tenant_id, "of": kind, "due": min(queued), "id_": delivery.id}
    ahead = connection.scalar(_AHEAD, values)
    return replace(delivery, lane_free_at_ms=float(free_at_ms or 0), ahead=ahead or 0)


def _of(actor: Actor) -> dict[str, str]:
    return {"tenant": actor.tenant_id, "user": actor.user_id}


def _owned(actor: Actor) -> ColumnElement[bool]:
    return and_(
        DELIVERIES.c.tenant_id == actor.tenant_id,
        DELIVERIES.c.user_id == actor.user_id,
    )


def _tallies(connection: Connection, delivery_ids: Sequence[str]) -> dict[str, tuple[Tally, ...]]:
    rows = connection.execute(_TALLIES, {"ids": list(delivery_ids)})
    found: dict[str, list[Tally]] = {delivery_id: [] for delivery_id in delivery_ids}
    for row in rows:
        found[row.delivery_id].append(_tally(row))
    return {delivery_id: tuple(tallies) for delivery_id, tallies in found.items()}


def _tally(row: Row[Any]) -> Tally:
    return Tally(
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
