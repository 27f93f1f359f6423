"""Whether the ledger is fit for work, and what waits in it: what health and metrics tell of it.

Only what has not ended is counted, which an index finds whatever the ledger's size; what ended is
counted by whoever ends it.
"""

from collections.abc import Callable

from sqlalchemy import func, select

from bot import metrics
from bot.delivery import drawers
from bot.delivery.database import Database
from bot.delivery.models import BATCHES, DELIVERIES, IN_HAND, WAITING, Kind, State
from bot.delivery.upgrade import Standing
from bot.sealing import Seal

_OPEN = (*WAITING, *IN_HAND)
_COUNTED = (
    select(
        BATCHES.c.kind,
        BATCHES.c.state,
        func.count().label("batches"),
        func.min(BATCHES.c.due_at_ms).label("first_due_ms"),
    )
    .where(BATCHES.c.state.in_([state.value for state in _OPEN]))
    .group_by(BATCHES.c.kind, BATCHES.c.state)
)


_NEWEST = select(DELIVERIES).order_by(DELIVERIES.c.created_at_ms.desc()).limit(1)


class Census:
    """Looks at the ledger from outside. `seal` is the ledger's, and `clock_ms` its time.

    A check returns a sentence about what is wrong, or nothing. All raise StorageUnavailable.
    """

    def __init__(self, database: Database, seal: Seal, clock_ms: Callable[[], int]) -> None:
        self._database = database
        self._seal = seal
        self._clock_ms = clock_ms

    async def current(self) -> str:
        """Whether this version can work on the tables: also those of a newer one, just started.

        A version only ever adds to them, so that its predecessors go on until they are stopped.
        """
        standing = await self._database.standing()
        is_fit = standing in {Standing.CURRENT, Standing.NEWER}
        return "" if is_fit else f"The tables are {standing.value}."

    async def readable(self) -> str:
        """Whether SECRET_KEYS opens what was written last. Raises Unreadable."""
        async with self._database.read() as connection:
            row = (await connection.execute(_NEWEST)).one_or_none()
        if row is not None:
            self._seal.open_json(row.sealed_place, drawers.PLACE.binding(row._mapping))
        return ""

    async def take(self) -> None:
        """Set the gauges. Raises StorageUnavailable."""
        async with self._database.read() as connection:
            rows = (await connection.execute(_COUNTED)).all()
        counted = {(row.kind, row.state): row for row in rows}
        for kind in Kind:
            for state in _OPEN:
                row = counted.get((kind.value, state.value))
                metrics.BATCHES.labels(kind.value, state.value).set(row.batches if row else 0)
            queued = counted.get((kind.value, State.QUEUED.value))
            late_ms = max(0, self._clock_ms() - queued.first_due_ms) if queued else 0
            metrics.OVERDUE.labels(kind.value).set(late_ms / 1000)
