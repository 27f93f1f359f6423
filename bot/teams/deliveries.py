"""From a submit to the ledger and back to a card; and what a delivery's own buttons do."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.delivery.lanes import Rates
from bot.delivery.ledger import Ledger
from bot.delivery.models import Delivery, Kind, NewDelivery
from bot.delivery.worker import Worker
from bot.teams.answers import ShowCard
from bot.teams.delivery_views import delivery_view
from bot.teams.turn import Turn
from cards.delivery import delivery_card

FIRST_RESULTS_S = 0.6  # a small send answers with its receipt; the rest goes on in the ledger


class Deliveries:
    """Submits to the ledger and shows what it knows, to the owner alone."""

    def __init__(self, ledger: Ledger, worker: Worker, rates: Mapping[Kind, Rates]) -> None:
        self._ledger = ledger
        self._worker = worker
        self._rates = rates

    async def submitted(self, turn: Turn, form_id: str) -> ShowCard | None:
        """The first delivery of a form that was submitted before."""
        delivery = await self._ledger.by_form(turn.actor, form_id)
        return self._show(delivery, repeated=True) if delivery else None

    async def submit(
        self, turn: Turn, wanted: NewDelivery, people: Iterable[Sequence[Any]]
    ) -> ShowCard:
        """Record it, wait a moment for a first result, and show what is known."""
        delivery, is_new = await self._ledger.submit(wanted, people)
        if is_new:
            await self._worker.first_results(delivery, timeout_s=FIRST_RESULTS_S)
            delivery = await self._ledger.delivery(turn.actor, delivery.id)
        return self._show(delivery, repeated=not is_new)

    async def look(self, turn: Turn, delivery_id: str) -> ShowCard:
        """The delivery as the ledger knows it now. Raises StaleButton."""
        return self._show(await self._ledger.delivery(turn.actor, delivery_id))

    async def owned(self, turn: Turn, delivery_id: str) -> Delivery:
        """The actor's own delivery. Raises StaleButton."""
        return await self._ledger.delivery(turn.actor, delivery_id)

    async def wake(self, turn: Turn) -> None:
        """The actor signed in: what waited for that goes on."""
        if await self._ledger.wake(turn.actor):
            self._worker.nudge()

    def _show(self, delivery: Delivery, *, repeated: bool = False) -> ShowCard:
        return ShowCard.of(delivery_card(delivery_view(delivery, self._rates, repeated=repeated)))
