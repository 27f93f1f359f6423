"""What an administrator may see of everybody's deliveries: ids, states and counts.

Whose they are is told by Entra's object ids; what they say, and to whom, stays sealed here.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select

from bot.delivery.ledger import Ledger
from bot.delivery.models import BATCHES, DELIVERIES, Delivery, Kind, State
from bot.errors import HeraldError

_SHORTEST = 6


class NoSuchDelivery(HeraldError):
    """There is no delivery with this id, or more than one: give more of its 32 characters."""


@dataclass(frozen=True)
class Wanted:
    """Which deliveries to list; what is left out is not asked for."""

    states: tuple[State, ...] = ()  # some batch is in one of them
    kinds: tuple[Kind, ...] = ()
    tenant_id: str = ""
    user_id: str = ""
    most: int = 20


@dataclass(frozen=True)
class BatchLine:
    """One batch as the ledger has it, without its people."""

    position: int
    state: State
    people: int
    attempt: int
    due_at_ms: int
    settled_at_ms: int | None
    problem: str
    status: int | None  # Graph's HTTP status
    code: str  # Graph's error code
    request_id: str


class Oversight:
    """Reads deliveries whoever owns them: for the command line, never for a card."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def listed(self, wanted: Wanted) -> list[Delivery]:
        """The newest deliveries that are wanted."""
        query = (
            select(DELIVERIES.c.id)
            .where(*_conditions(wanted))
            .order_by(DELIVERIES.c.created_at_ms.desc(), DELIVERIES.c.id)
            .limit(wanted.most)
        )
        async with self._ledger.database.read() as connection:
            ids = [row.id for row in await connection.execute(query)]
        found = [await self._ledger.any_delivery(delivery_id) for delivery_id in ids]
        return [delivery for delivery in found if delivery is not None]

    async def found(self, start: str) -> Delivery:
        """The delivery whose id begins like this (6 characters or more). Raises NoSuchDelivery."""
        is_it = DELIVERIES.c.id.startswith(start.strip().lower(), autoescape=True)
        query = select(DELIVERIES.c.id).where(is_it).limit(2)
        if len(start.strip()) < _SHORTEST:
            raise NoSuchDelivery
        async with self._ledger.database.read() as connection:
            ids = [row.id for row in await connection.execute(query)]
        delivery = await self._ledger.any_delivery(ids[0]) if len(ids) == 1 else None
        if delivery is None:
            raise NoSuchDelivery
        return delivery

    async def batches(self, delivery_id: str) -> list[BatchLine]:
        """A delivery's batches, in their order."""
        names = BatchLine.__dataclass_fields__
        query = (
            select(*(BATCHES.c[name] for name in names))
            .where(BATCHES.c.delivery_id == delivery_id)
            .order_by(BATCHES.c.position)
        )
        async with self._ledger.database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [BatchLine(**{**row, "state": State(row["state"])}) for row in rows]


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.states:
        found.append(
            DELIVERIES.c.id.in_(
                select(BATCHES.c.delivery_id).where(
                    BATCHES.c.state.in_([state.value for state in wanted.states])
                )
            )
        )
    if wanted.kinds:
        found.append(DELIVERIES.c.kind.in_([kind.value for kind in wanted.kinds]))
    if wanted.tenant_id:
        found.append(DELIVERIES.c.tenant_id == wanted.tenant_id.lower())
    if wanted.user_id:
        found.append(DELIVERIES.c.user_id == wanted.user_id.lower())
    return found
