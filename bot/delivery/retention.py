"""After a while numbers, names and texts are erased; keys and counts stay."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Row, bindparam, delete, select, update

from bot.delivery import drawers
from bot.delivery.decisions import take_back
from bot.delivery.models import BATCHES, DELIVERIES, RECIPIENTS, SETTLED, Place, State
from bot.delivery.records import Records
from bot.sealing import Unreadable

_AT_ONCE = 200  # deliveries in one transaction: the app's own writes wait no longer than that

_IS_DONE = ~(
    select(BATCHES.c.id)
    .where(
        BATCHES.c.delivery_id == DELIVERIES.c.id,
        BATCHES.c.state.not_in([state.value for state in SETTLED]),
    )
    .exists()
)
_IS_KEPT = DELIVERIES.c.erased_at_ms.is_(None)
_OLD = (
    select(*(DELIVERIES.c[name] for name in (*drawers.PLACE.bound_to, drawers.PLACE.column)))
    .where(
        DELIVERIES.c.created_at_ms < bindparam("before"),
        DELIVERIES.c.due_at_ms < bindparam("before"),
        _IS_KEPT,
        _IS_DONE,
    )
    .limit(_AT_ONCE)
)
_ERASE = (
    update(DELIVERIES)
    .where(DELIVERIES.c.id == bindparam("id_"), _IS_KEPT, _IS_DONE)
    .values(
        sealed_place=bindparam("place"),
        sealed_request=None,
        sealed_call=None,
        erased_at_ms=bindparam("now", type_=BigInteger),
    )
)
_OWNERS = [State.HELD.value, State.NEEDS_SIGN_IN.value]


def _waits(before_ms: int) -> ColumnElement[bool]:
    """What its owner was asked for before, and left alone."""
    old = select(DELIVERIES.c.id).where(
        DELIVERIES.c.created_at_ms < before_ms, DELIVERIES.c.due_at_ms < before_ms
    )
    return BATCHES.c.state.in_(_OWNERS) & BATCHES.c.delivery_id.in_(old)


class Retention(Records):
    """Erases what is kept no longer."""

    async def erase(self, *, before_ms: int) -> int:
        """Erase the numbers, names and texts of what was settled before; keys and counts stay.

        What has waited for its owner's sign-in or decision since then is cancelled.
        How many deliveries were erased.
        """
        await self.database.write_in_one(
            lambda connection: take_back(connection, _waits(before_ms), self.clock_ms())
        )
        erased = 0
        while some := await self.database.write_in_one(
            lambda connection: self._erase_some(connection, before_ms)
        ):
            erased += some
        return erased

    def _erase_some(self, connection: Connection, before_ms: int) -> int:
        rows = connection.execute(_OLD, {"before": before_ms}).all()
        erased = [row.id for row in rows if self._erase_one(connection, row)]
        connection.execute(delete(RECIPIENTS).where(RECIPIENTS.c.delivery_id.in_(erased)))
        return len(erased)

    def _erase_one(self, connection: Connection, row: Row[Any]) -> bool:
        place = self._seal.seal_json(
            asdict(self._without_names(row)), drawers.PLACE.binding(row._mapping)
        )
        values = {"id_": row.id, "place": place, "now": self.clock_ms()}
        return connection.execute(_ERASE, values).rowcount == 1

    def _without_names(self, row: Row[Any]) -> Place:
        """How its owner reads times and languages; not who that is, and not which chat it was."""
        try:
            place = Place(**self._open(drawers.PLACE, row._mapping))
        except Unreadable:
            return Place("", "")
        return Place("", "", locale=place.locale, zone=place.zone, is_shared=place.is_shared)
