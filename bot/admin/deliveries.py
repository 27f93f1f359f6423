"""`python -m bot deliveries …`: everybody's deliveries, as far as an administrator may see them.

Ids, states and counts; whom a text went to by the last four digits; what was said, not at all.
"""

import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from bot.admin.database import beside
from bot.delivery.ledger import Ledger
from bot.delivery.models import OWNER_SAYS, SETTLED, WAITING, Delivery, Kind, State
from bot.delivery.oversight import BatchLine, Oversight, Wanted
from bot.sealing import Seal, Unreadable
from bot.settings import Settings

_NUMBER_AND_ZONE = 2
_ARRIVED = "arrived"  # by the word of whoever sent it: Microsoft said nothing of it
# A notice to people, or to a whole group at once.
NOTICES = (Kind.NOTICE, Kind.GROUP)
KINDS = {"text": (Kind.TEXT,), "notice": NOTICES}
# What `--state` takes besides the states themselves.
GROUPS: dict[str, tuple[State, ...]] = {
    "waiting": WAITING,
    "settled": SETTLED,
    **{state.value: (state,) for state in State},
}


class Deliveries:
    """Reads them, and writes what an owner could have decided too."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._oversight = Oversight(ledger)

    async def listed(self, wanted: Wanted) -> list[dict[str, Any]]:
        """The newest ones that are wanted, a flat record each."""
        return [_summary(delivery) for delivery in await self._oversight.listed(wanted)]

    async def requests(self, wanted: Wanted) -> list[dict[str, Any]]:
        """What the forms of those that are wanted asked for; never shown, only looked at."""
        return [delivery.request for delivery in await self._oversight.listed(wanted)]

    async def shown(self, start: str) -> dict[str, Any]:
        """One delivery with its batches and, masked, its people. Raises NoSuchDelivery."""
        delivery = await self._oversight.found(start)
        batches = await self._oversight.batches(delivery.id)
        return {
            **_summary(delivery),
            "is_readable": delivery.is_readable,
            "batches": [_batch(batch) for batch in batches],
            "people": [person for _, person in await self._people(delivery)],
        }

    async def export(self, start: str) -> str:
        """One line of CSV for each person of a delivery. Raises NoSuchDelivery, Unreadable."""
        delivery = await self._oversight.found(start)
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["delivery", "kind", "who", "state"])
        for state, who in await self._people(delivery):
            rows.writerow([delivery.id, delivery.kind.value, who, state])
        return text.getvalue()

    async def cancel(self, start: str) -> int:
        """Cancel what has not left; how many people that are. Raises NoSuchDelivery."""
        return await self._ledger.cancel(await self._oversight.found(start))

    async def retry(self, start: str) -> int:
        """Queue again what was refused; how many people that are. Raises NoSuchDelivery."""
        delivery = await self._oversight.found(start)
        return await self._ledger.retry(delivery, seen_ms=delivery.seen_ms)

    async def _people(self, delivery: Delivery) -> list[tuple[str, str]]:
        try:
            found = await self._ledger.results(delivery.id)
        except Unreadable:
            return []
        return [
            (_ARRIVED if problem == OWNER_SAYS else state.value, _masked(delivery.kind, who))
            for state, problem, people in found
            for who in people
        ]


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Deliveries]:
    """The ledger beside the app that works on it. Raises CannotStart."""
    async with beside(settings.database_url) as database:
        yield Deliveries(Ledger(database, Seal(settings.secrets, "ledger")))


def _masked(kind: Kind, who: Any) -> str:
    """The last four digits of a number; a teammate's Entra object id as it is."""
    if kind is Kind.TEXT:
        number = who[0] if isinstance(who, list) and len(who) == _NUMBER_AND_ZONE else who
        return f"…{str(number)[-4:]}"
    return who if isinstance(who, str) else "a whole audience"


def _summary(delivery: Delivery) -> dict[str, Any]:
    counts = {state.value: delivery.people(state) for state in State}
    counts[State.ACCEPTED.value] -= delivery.arrived
    counts[_ARRIVED] = delivery.arrived
    return {
        "id": delivery.id,
        "kind": delivery.kind.value,
        "tenant_id": delivery.actor.tenant_id,
        "user_id": delivery.actor.user_id,
        "created_at": moment(delivery.created_at_ms),
        "due_at": moment(delivery.due_at_ms),
        "total": delivery.total,
        "counts": {state: people for state, people in counts.items() if people},
        "problems": sorted({tally.problem for tally in delivery.tallies if tally.problem}),
    }


def _batch(batch: BatchLine) -> dict[str, Any]:
    found = asdict(batch)
    found["state"] = batch.state.value
    found["due_at"] = moment(found.pop("due_at_ms"))
    settled_at_ms = found.pop("settled_at_ms")
    found["settled_at"] = moment(settled_at_ms) if settled_at_ms else None
    return found


def moment(at_ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat().replace("+00:00", "Z")
