"""How much one tenant may ask of this process: what is beyond is turned away before any work.

A bucket for each tenant, filled `TENANT_RATE` times a second up to ten seconds' worth, so that a
clinic whose people all press at nine o'clock is served, and an endless stream is not.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from botbuilder.core import InvokeResponse, TurnContext
from botbuilder.schema import Activity, ActivityTypes

from bot import metrics
from bot.errors import HeraldError
from bot.teams.adapter import RAW
from bot.teams.tracing import Bot
from bot.teams.turn import card_message, locale_of, tenant_of
from bot.words import gettext, speaking
from cards.elements import payload
from cards.notes import NoteView, note

BURST_S = 10.0
_NOTES_S = 10.0  # a message that is turned away is answered so often, for each tenant
_REMEMBERED = 1_000

log = structlog.get_logger(__name__)


class TooMuchAtOnce(HeraldError):
    """Herald is being asked too much at once by your organization. Please try again in a minute."""


class _Bucket:
    def __init__(self, now: float, room: float) -> None:
        self.left = room
        self.filled_at = now
        self.note_at = float("-inf")


class Pace:
    """Keeps each tenant's requests within `per_second`. `tick` is a monotonic clock in seconds."""

    def __init__(
        self, bot: Bot, per_second: float, *, tick: Callable[[], float] = time.monotonic
    ) -> None:
        self._bot = bot
        self._per_second = per_second
        self._room = max(1.0, per_second * BURST_S)
        self._tick = tick
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    async def on_turn(self, context: TurnContext) -> None:
        """Handle one verified activity, or turn it away."""
        raw: Mapping[str, Any] = context.turn_state[RAW]
        bucket = self._bucket(tenant_of(raw))
        if bucket.left >= 1:
            bucket.left -= 1
            await self._bot.on_turn(context)
            return
        metrics.ERRORS.labels(TooMuchAtOnce.__name__).inc()
        await self._turn_away(context, bucket)

    def _bucket(self, tenant: str) -> _Bucket:
        now = self._tick()
        bucket = self._buckets.pop(tenant, None) or _Bucket(now, self._room)
        self._buckets[tenant] = bucket
        while len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
        bucket.left = min(self._room, bucket.left + (now - bucket.filled_at) * self._per_second)
        bucket.filled_at = now
        return bucket

    async def _turn_away(self, context: TurnContext, bucket: _Bucket) -> None:
        if context.activity.type == ActivityTypes.invoke:
            await context.send_activity(
                Activity(
                    type=ActivityTypes.invoke_response, value=InvokeResponse(status=429, body={})
                )
            )
            return
        now = self._tick()
        if now - bucket.note_at < _NOTES_S:
            return
        bucket.note_at = now
        log.warning("turn.too_much_at_once")
        if context.activity.type == ActivityTypes.message:
            with speaking(locale_of(context.turn_state[RAW])):
                said = NoteView(gettext("Not now"), TooMuchAtOnce().sentence, "problem")
                card = card_message(payload(note(said)))
            await context.send_activity(card)
