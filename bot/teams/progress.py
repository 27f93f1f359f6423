"""Keeps one card up to date for each delivery, in place, at most once a second."""

import asyncio
import contextlib
from collections.abc import Mapping

import structlog

from bot.delivery.lanes import Rates
from bot.delivery.ledger import Ledger
from bot.delivery.models import Delivery, Kind
from bot.errors import HeraldError
from bot.teams.connector import Connector
from bot.teams.delivery_views import delivery_view
from bot.teams.turn import card_message
from cards.delivery import delivery_card
from cards.elements import payload

log = structlog.get_logger(__name__)

# Teams takes 7 messages a second in one conversation; a person reads at most one.
SPACING_S = 1.0
_LOOK_S = 60.0


class Progress:
    """What the ledger tells of changes; it draws the newest word of each delivery.

    Of several replicas that work on one delivery, the one that gets the ledger's word draws.
    """

    def __init__(self, ledger: Ledger, connector: Connector, rates: Mapping[Kind, Rates]) -> None:
        self._ledger = ledger
        self._connector = connector
        self._rates = rates
        self._changed: set[str] = set()
        self._drawing: dict[str, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin with the cards that an earlier process left behind, and look for such again.

        A replica that was killed tells nobody, and neither does one whose database was away.
        """
        await self.catch_up()
        self._looking = asyncio.create_task(self._look(), name="progress")

    async def catch_up(self) -> None:
        """Draw the cards that may be behind what the ledger knows."""
        for delivery_id in await self._ledger.undrawn():
            await self.tell(delivery_id)

    async def tell(self, delivery_id: str) -> None:
        """This delivery changed: draw it soon."""
        self._changed.add(delivery_id)
        if delivery_id not in self._drawing:
            self._drawing[delivery_id] = asyncio.create_task(self._draw(delivery_id))

    async def stop(self) -> None:
        """Draw what is still to be drawn, without waiting between."""
        self._stopping.set()
        if self._looking is not None:
            await self._looking
        await asyncio.gather(*self._drawing.values(), return_exceptions=True)

    async def _look(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await self._stopping.wait()
                    return
            try:
                await self.catch_up()
            except HeraldError as error:
                log.warning("progress.not_looked", problem=type(error).__name__)
            except Exception:
                log.exception("progress.failed")

    async def _draw(self, delivery_id: str) -> None:
        try:
            while delivery_id in self._changed:
                if await self._ledger.may_draw(delivery_id, spacing_ms=int(SPACING_S * 1000) - 50):
                    self._changed.discard(delivery_id)
                    delivery = await self._ledger.any_delivery(delivery_id)
                    if delivery is None or not delivery.place.activity_id:
                        return
                    await self._update(delivery)
                elif self._stopping.is_set():
                    return
                await self._pause()
        except HeraldError as error:
            log.warning("progress.not_drawn", delivery=delivery_id, problem=type(error).__name__)
        except Exception:
            # The ledger has the truth; a card that could not be drawn shows it when looked at.
            log.exception("progress.failed", delivery=delivery_id)
        finally:
            self._changed.discard(delivery_id)
            self._drawing.pop(delivery_id, None)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(SPACING_S):
                await self._stopping.wait()
        except TimeoutError:
            pass

    async def _update(self, delivery: Delivery) -> None:
        place = delivery.place
        card = payload(delivery_card(delivery_view(delivery, self._rates)))
        await self._connector.update(
            place.service_url, place.conversation_id, place.activity_id, card_message(card)
        )
