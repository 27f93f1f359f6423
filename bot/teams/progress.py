"""Keeps one card up to date for each delivery, in place, at most once a second.

A delivery that was submitted in a dialog has no card. Where the dialog was opened from a card in a
channel or group chat, it gets one there, in the thread, which all may read. Else what the dialog's
answer did not show yet is told in a card of its own, in the owner's chat with the bot. Either is
kept up to date from then on. A thread that is gone (the team was deleted, the bot removed, the card
taken away) hands over to the owner's own chat.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Any

import structlog

from bot.delivery.database import until_written
from bot.delivery.lanes import Rates
from bot.delivery.ledger import Ledger
from bot.delivery.models import Delivery, Kind, Place, Tally
from bot.errors import HeraldError
from bot.teams import shared_views
from bot.teams.connector import Connector
from bot.teams.connector_errors import ConversationGone
from bot.teams.turn import card_message
from bot.words import speaking

log = structlog.get_logger(__name__)

# Teams takes 7 messages a second in one conversation; a person reads at most one.
SPACING_S = 1.0
_LOOK_S = 60.0
_TRIES = 6  # at drawing one change: about half a minute
_ANSWERED_S = 1.5  # by then the dialog's answer is there, and was all that there is to say
_REMEMBERED = 2_000


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
        self._after_answers: set[asyncio.Task[None]] = set()
        self._answered: OrderedDict[str, tuple[Tally, ...]] = OrderedDict()  # in a dialog
        self._drawn: OrderedDict[str, tuple[Tally, ...]] = OrderedDict()  # by this process
        self._if_news: set[str] = set()  # drawn only where they are not as this process drew them
        self._nowhere: OrderedDict[str, None] = OrderedDict()  # their owners have no chat with us
        self._going_home: set[str] = set()  # their threads are gone, and no other card shows them

    async def start(self) -> None:
        """Begin with the cards that an earlier process left behind, and look for such again.

        A replica that was killed tells nobody, and neither does one whose database was away.
        """
        await self.catch_up()
        self._looking = asyncio.create_task(self._look(), name="progress")

    async def catch_up(self) -> None:
        """Draw the cards that may be behind what the ledger knows."""
        for delivery_id in await self._ledger.undrawn():
            if delivery_id not in self._changed:
                self._if_news.add(delivery_id)
                self._draw_soon(delivery_id)

    async def tell(self, delivery_id: str) -> None:
        """This delivery changed: draw it soon."""
        self._if_news.discard(delivery_id)
        self._draw_soon(delivery_id)

    def _draw_soon(self, delivery_id: str) -> None:
        self._changed.add(delivery_id)
        if delivery_id not in self._drawing:
            self._drawing[delivery_id] = asyncio.create_task(self._draw(delivery_id))

    def answered(self, delivery: Delivery) -> None:
        """A button's answer shows this delivery so. It may get there after a newer drawing."""
        place = delivery.place
        if place.is_shared:
            # The owner saw it in a dialog; the others have the card in the thread, or none yet.
            if self._drawn.get(delivery.id) != delivery.tallies:
                self._afterwards(self.tell(delivery.id))
        elif not place.activity_id:
            _remember(self._answered, delivery.id, delivery.tallies)
            if delivery.is_settled:
                self._afterwards(self._was_drawn(delivery.id))
        elif not delivery.is_settled:
            # Also what waits for its time or its owner: that may end while the answer is read.
            self._afterwards(self._compare(delivery))

    async def stop(self) -> None:
        """Draw what is still to be drawn, without waiting between."""
        self._stopping.set()
        if self._looking is not None:
            await self._looking
        await asyncio.gather(*self._after_answers, return_exceptions=True)
        await asyncio.gather(*self._drawing.values(), return_exceptions=True)

    def _afterwards(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._after_answers.add(task)
        task.add_done_callback(self._after_answers.discard)

    async def _was_drawn(self, delivery_id: str) -> None:
        with contextlib.suppress(HeraldError):
            await self._ledger.may_draw(delivery_id, spacing_ms=0)

    async def _compare(self, answered: Delivery) -> None:
        """Draw once more, where the ledger knows more by now than the answer did."""
        await self._pause(SPACING_S)
        with contextlib.suppress(HeraldError):
            delivery = await self._ledger.any_delivery(answered.id)
            if delivery is not None and delivery.tallies != answered.tallies:
                await self.tell(answered.id)

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
        tries, has_card = 0, False
        try:
            while delivery_id in self._changed:
                try:
                    has_card = has_card or await self._has_card(delivery_id)
                    if has_card:
                        await self._update(delivery_id)
                    else:
                        self._changed.discard(delivery_id)
                    tries = 0
                except ConversationGone as error:
                    if await self._goes_home(delivery_id):
                        has_card = False
                        self._changed.add(delivery_id)
                        continue
                    log.info("progress.nowhere_to_draw", delivery=delivery_id, code=error.code)
                    return
                except HeraldError as error:
                    tries += 1
                    name = type(error).__name__
                    log.warning("progress.not_drawn", delivery=delivery_id, problem=name)
                    if tries == _TRIES:
                        return
                    self._changed.add(delivery_id)
                await self._pause(SPACING_S * 2.0 ** max(0, tries - 1))
        except Exception:
            # The ledger has the truth; a card that could not be drawn shows it when looked at.
            log.exception("progress.failed", delivery=delivery_id)
        finally:
            self._changed.discard(delivery_id)
            self._if_news.discard(delivery_id)
            self._drawing.pop(delivery_id, None)

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _update(self, delivery_id: str) -> None:
        if not await self._ledger.may_draw(delivery_id, spacing_ms=int(SPACING_S * 1000) - 50):
            if self._stopping.is_set():
                self._changed.discard(delivery_id)
            return
        self._changed.discard(delivery_id)
        if_news = delivery_id in self._if_news
        delivery = await self._ledger.any_delivery(delivery_id)
        if delivery is None or (if_news and self._is_as_drawn(delivery)):
            return
        place = delivery.place
        await self._connector.update(
            place.service_url, place.conversation_id, place.activity_id, self._card(delivery)
        )
        _remember(self._drawn, delivery_id, delivery.tallies)

    def _is_as_drawn(self, delivery: Delivery) -> bool:
        """Whether it still waits as this process drew it. An end is drawn once more: what another
        process drew before may have come to Teams after it."""
        return not delivery.is_settled and self._drawn.get(delivery.id) == delivery.tallies

    def _card(self, delivery: Delivery) -> object:
        with speaking(delivery.place.locale):  # its owner's, whoever else reads it
            return card_message(shared_views.for_its_place(delivery, self._rates))

    async def _goes_home(self, delivery_id: str) -> bool:
        """A thread that is gone: from now on the card stands in the owner's own chat."""
        delivery = await self._ledger.any_delivery(delivery_id)
        if delivery is None or not delivery.place.is_shared:
            return False
        home = replace(
            delivery.place, conversation_id="", activity_id="", is_shared=False, owner_id=""
        )
        self._going_home.add(delivery_id)
        await self._moved(delivery_id, home)
        return True

    # Without a card ------------------------------------------------------------------------------

    async def _has_card(self, delivery_id: str) -> bool:
        """Whether there is a card to update; else its first one is posted, if there is need."""
        delivery = await self._ledger.any_delivery(delivery_id)
        if delivery is None or not delivery.place.service_url or delivery_id in self._nowhere:
            return False
        if delivery.place.activity_id:
            return True
        if not delivery.place.is_shared:
            await self._pause(_ANSWERED_S)
        self._changed.discard(delivery_id)
        delivery = await self._ledger.any_delivery(delivery_id)
        if delivery is None or self._is_known(delivery):
            return False
        await self._post(delivery_id)
        return False

    def _is_known(self, delivery: Delivery) -> bool:
        """Whether the dialog's answer showed all of this, to all who may read it."""
        if delivery.place.is_shared or delivery.id in self._going_home:
            return False
        if self._answered.get(delivery.id) == delivery.tallies:
            return True
        return delivery.is_settled and delivery.seen_ms < delivery.drawn_at_ms

    async def _post(self, delivery_id: str) -> None:
        if not await self._ledger.may_post(delivery_id):
            if not self._stopping.is_set():
                self._changed.add(delivery_id)  # another replica is posting it: then it is drawn
            return
        try:
            await self._post_alone(delivery_id)
        finally:
            with contextlib.suppress(HeraldError):
                await self._ledger.was_posted(delivery_id)

    async def _post_alone(self, delivery_id: str) -> None:
        """Post the first card, unless another replica has, while nobody else does."""
        at_ms = self._ledger.clock_ms()
        delivery = await self._ledger.any_delivery(delivery_id)
        if delivery is None:
            return
        place = delivery.place
        if place.activity_id:
            self._changed.add(delivery_id)
            return
        try:
            posted = await self._posted(delivery)
        except ConversationGone:
            if not place.is_shared:
                self._going_home.discard(delivery_id)
                _remember(self._nowhere, delivery_id, None)  # `history` has it
            raise
        self._going_home.discard(delivery_id)
        await self._moved(delivery_id, posted, at_ms)
        _remember(self._drawn, delivery_id, delivery.tallies)

    async def _posted(self, delivery: Delivery) -> Place:
        """Post its card where others read it, or in its owner's own chat; where it stands."""
        place, actor = delivery.place, delivery.actor
        chat = place.conversation_id
        if not place.is_shared:
            chat = await self._connector.create(place.service_url, actor.tenant_id, actor.user_id)
        posted = await self._connector.send(place.service_url, chat, self._card(delivery))
        return replace(place, conversation_id=chat, activity_id=posted)

    async def _moved(self, delivery_id: str, place: Place, at_ms: int | None = None) -> None:
        await until_written(
            lambda: self._ledger.move_card(delivery_id, place, drawn_at_ms=at_ms),
            stop=self._stopping,
        )


def _remember(kept: "OrderedDict[str, Any]", key: str, value: Any) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > _REMEMBERED:
        kept.popitem(last=False)
