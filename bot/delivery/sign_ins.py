"""What waits for its owner to sign in, and whose sign-in must not be lost meanwhile."""

from sqlalchemy import case, select, update

from bot.actor import Actor
from bot.delivery.models import BATCHES, Kind, State
from bot.delivery.records import Records


class SignIns(Records):
    """Lets batches wait for a sign-in, and wakes them."""

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

    async def owners_waiting(self) -> list[Actor]:
        """Everybody who has something scheduled."""
        async with self.database.read() as connection:
            rows = await connection.execute(
                select(BATCHES.c.tenant_id, BATCHES.c.user_id)
                .where(BATCHES.c.state == State.SCHEDULED.value)
                .distinct()
            )
            return [Actor(row.tenant_id, row.user_id) for row in rows]
