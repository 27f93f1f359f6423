"""After a while numbers, names and texts are erased; keys and counts stay."""

from collections.abc import Iterator

from sqlalchemy import delete, select, update

from bot.delivery.models import BATCHES, DELIVERIES, RECIPIENTS, SETTLED
from bot.delivery.records import Records


class Retention(Records):
    """Erases what is kept no longer."""

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
                    delete(RECIPIENTS).where(RECIPIENTS.c.delivery_id.in_(ids))
                )
        return len(erased)


def _chunks(items: list[str], size: int = 500) -> Iterator[list[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
