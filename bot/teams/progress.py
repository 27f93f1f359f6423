"""Keeps one card up to date for each delivery, in place, at most once a second."""

import asyncio

import structlog

from bot.delivery.ledger import Ledger
from bot.delivery.models import Delivery
from bot.errors import HeraldError
from bot.teams.connector import Connector
from bot.teams.delivery_views import delivery_view
from bot.teams.turn import card_message
from cards.delivery import delivery_card
from cards.elements import payload

log = structlog.get_logger(__name__)

# Teams takes 7 messages a second in one conversation; a person reads at most one.
SPACING_S = 1.0


class Progress:
    """What the ledger tells of changes; it draws the newest word of each delivery."""

    def __init__(
        self, ledger: Ledger, connector: Connector, *, spacing_s: float = SPACING_S
    ) -> None:
        self._ledger = ledger
        self._connector = connector
        self._spacing_s = spacing_s
        self._changed: set[str] = set()
        self._drawing: dict[str, asyncio.Task[None]] = {}

    async def tell(self, delivery_id: str) -> None:
        """This delivery changed: draw it soon."""
        self._changed.add(delivery_id)
        if delivery_id not in self._drawing:
            self._drawing[delivery_id] = asyncio.create_task(self._draw(delivery_id))

    async def stop(self) -> None:
        """Draw what is still to be drawn."""
        await asyncio.gather(*self._drawing.values(), return_exceptions=True)

    async def _draw(self, delivery_id: str) -> None:
        try:
            while delivery_id in self._changed:
                self._changed.discard(delivery_id)
                delivery = await self._ledger.any_delivery(delivery_id)
                if delivery is None or not delivery.place.activity_id:
                    return
                await self._update(delivery)
                if delivery.is_settled:
                    return
                await asyncio.sleep(self._spacing_s)
        except Exception:
            # The ledger has the truth; a card that could not be drawn shows it when looked at.
            log.exception("progress.not_drawn", delivery=delivery_id)
        finally:
            self._drawing.pop(delivery_id, None)

    async def _update(self, delivery: Delivery) -> None:
        place = delivery.place
        card = payload(delivery_card(delivery_view(delivery)))
        try:
            await self._connector.update(
                place.service_url,
                place.conversation_id,
                place.activity_id,
                card_message(card).serialize(),
            )
        except HeraldError as error:
            log.warning("progress.not_drawn", delivery=delivery.id, problem=type(error).__name__)
