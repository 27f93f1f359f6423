"""The bot's own token: what it shows when it calls Teams back."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from bot.errors import IdentityError

_LAST_USE_S = 5 * 60  # with less left than this, a call waits for a new one
_RENEW_S = 15 * 60  # with less left than this, a new one is fetched while the old one serves
_LEAST_S = 30  # when Entra is away, the old one serves until this much is left
_PAUSE_S = 10  # between attempts in the background

_log = logging.getLogger(__name__)


class BotToken:
    """Keeps one token fresh. However many wait for it, one request fetches it.

    `fetch` returns a token and the seconds that it lives.
    """

    def __init__(self, fetch: Callable[[], Awaitable[tuple[str, float]]]) -> None:
        self._fetch = fetch
        self._value = ""
        self._ends_at = 0.0  # on the monotonic clock
        self._renewal: asyncio.Task[None] | None = None
        self._not_before = 0.0

    async def get(self) -> str:
        """The token. Raises what `fetch` raises when there is none to fall back on."""
        left_s = self._left_s()
        if left_s < _RENEW_S:
            renewal = self._renew(waiting=left_s < _LAST_USE_S)
            if left_s < _LAST_USE_S and renewal:
                await self._outcome(renewal)
        return self._value

    async def renew(self) -> str:
        """A new token, for when the last one was refused. Raises what `fetch` raises."""
        renewal = self._renew(waiting=True)
        if renewal:
            await asyncio.shield(renewal)
        return self._value

    async def close(self) -> None:
        """Stop what runs in the background."""
        if self._renewal and not self._renewal.done():
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)

    async def _outcome(self, renewal: "asyncio.Task[None]") -> None:
        try:
            await asyncio.shield(renewal)
        except IdentityError:
            if self._left_s() < _LEAST_S:
                raise

    def _renew(self, *, waiting: bool) -> "asyncio.Task[None] | None":
        if self._renewal is None or self._renewal.done():
            if not waiting and time.monotonic() < self._not_before:
                return None
            self._renewal = asyncio.create_task(self._fetched())
            self._renewal.add_done_callback(_noticed)
        return self._renewal

    async def _fetched(self) -> None:
        self._not_before = time.monotonic() + _PAUSE_S
        self._value, life_s = await self._fetch()
        self._ends_at = time.monotonic() + life_s

    def _left_s(self) -> float:
        return self._ends_at - time.monotonic()


def _noticed(renewal: "asyncio.Task[None]") -> None:
    # A failure in the background must not end as 'exception was never retrieved'.
    if not renewal.cancelled() and renewal.exception():
        _log.warning("The bot's token could not be renewed: %s", type(renewal.exception()).__name__)
