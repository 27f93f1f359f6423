"""Whose turn it is to draw a delivery's card, where it stands, and which ones are behind."""

from dataclasses import asdict

from sqlalchemy import Connection, bindparam, delete, select, update

from bot.delivery import drawers
from bot.delivery.models import BATCHES, DELIVERIES, IN_HAND, ONCE, Place, State
from bot.delivery.records import Records

_JUST_NOW_MS = 120_000
_DRAWING_MS = 5_000  # a card's update takes no longer
_POSTING_MS = 60_000  # and no post, with all its tries

# Statements are made once: building one costs as much as running it.
_IS_IT = DELIVERIES.c.id == bindparam("id_")
_WHOSE = select(*(DELIVERIES.c[name] for name in drawers.PLACE.bound_to)).where(_IS_IT)
_MOVE = update(DELIVERIES).where(_IS_IT).values(sealed_place=bindparam("sealed"))
_POSTED = update(DELIVERIES).where(_IS_IT).values(drawn_at_ms=bindparam("drawn"))


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

    async def may_post(self, delivery_id: str) -> bool:
        """Whether this replica posts the delivery's first card; no other one does meanwhile.

        Said again after a minute, to whoever asks then: a replica that posts may die over it.
        """
        now = self.clock_ms()
        async with self.database.write() as connection:
            done = await connection.execute(
                self.database.insert(ONCE)
                .values(key=_posting(delivery_id), seen_at_ms=now)
                .on_conflict_do_update(
                    index_elements=["key"],
                    set_={"seen_at_ms": now},
                    where=ONCE.c.seen_at_ms <= now - _POSTING_MS,
                )
            )
        return done.rowcount == 1

    async def was_posted(self, delivery_id: str) -> None:
        """It was posted and moved, or could not be: others need not wait any longer."""
        async with self.database.write() as connection:
            await connection.execute(delete(ONCE).where(ONCE.c.key == _posting(delivery_id)))

    async def move_card(
        self, delivery_id: str, place: Place, *, drawn_at_ms: int | None = None
    ) -> None:
        """The delivery's card stands here from now on; where it was posted, as of that time."""

        def write(connection: Connection) -> None:
            row = connection.execute(_WHOSE, {"id_": delivery_id}).one_or_none()
            if row is not None:
                binding = drawers.PLACE.binding(row._mapping)
                sealed = self._seal.seal_json(asdict(place), binding)
                connection.execute(_MOVE, {"id_": delivery_id, "sealed": sealed})
                if drawn_at_ms is not None:
                    connection.execute(_POSTED, {"id_": delivery_id, "drawn": drawn_at_ms})

        await self.database.write_in_one(write)

    async def undrawn(self, *, most: int = 200) -> list[str]:
        """Deliveries whose cards may be behind: not at their end, or settled after they were drawn.

        Whoever drew last may have died over it, so what was settled a moment ago is drawn again.
        Of more than `most` those that were not drawn for the longest time.
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
        waits = [State.NEEDS_SIGN_IN.value, State.HELD.value]  # these have no time of their own
        waiting = DELIVERIES.c.id.in_(
            select(BATCHES.c.delivery_id).where(BATCHES.c.state.in_(waits))
        )
        yesterday = now - 24 * 3_600_000
        recent = (DELIVERIES.c.created_at_ms > yesterday) | (DELIVERIES.c.due_at_ms > yesterday)
        async with self.database.read() as connection:
            rows = await connection.execute(
                select(DELIVERIES.c.id)
                .where(on_its_way | (recent & (settled_since | waiting)))
                .order_by(DELIVERIES.c.drawn_at_ms)
                .limit(most)
            )
            return [row.id for row in rows]


def _posting(delivery_id: str) -> str:
    return f"posting {delivery_id}"
