"""Whose turn it is to draw a delivery's card, where it stands, and which ones are behind."""

from dataclasses import asdict

from sqlalchemy import Connection, bindparam, select, update

from bot.delivery import drawers
from bot.delivery.models import BATCHES, DELIVERIES, IN_HAND, Place, State
from bot.delivery.records import Records

_JUST_NOW_MS = 120_000
_DRAWING_MS = 5_000  # a card's update takes no longer

# Statements are made once: building one costs as much as running it.
_IS_IT = DELIVERIES.c.id == bindparam("id_")
_WHOSE = select(*(DELIVERIES.c[name] for name in drawers.PLACE.bound_to)).where(_IS_IT)
_MOVE = update(DELIVERIES).where(_IS_IT).values(sealed_place=bindparam("sealed"))


class Drawings(Records):
    """Keeps what is known of deliveries' cards."""

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

        def write(connection: Connection) -> None:
            row = connection.execute(_WHOSE, {"id_": delivery_id}).one_or_none()
            if row is not None:
                binding = drawers.PLACE.binding(row._mapping)
                sealed = self._seal.seal_json(asdict(place), binding)
                connection.execute(_MOVE, {"id_": delivery_id, "sealed": sealed})

        await self.database.write_in_one(write)

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
