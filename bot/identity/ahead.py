"""Tokens that are renewed before they have to be, so that nobody waits for it.

A token that ends soon is still good for what is asked now; meanwhile the next one is fetched.
Whoever comes back after more than a token's life waits for a new one all the same.
"""

import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from bot.actor import Actor
from bot.errors import HeraldError
from bot.identity.keyring import Token

AHEAD_S = 15 * 60  # Entra's tokens live for an hour or more
_PAUSE_S = 5 * 60  # a tenant's tokens may be shorter than that, and Entra may say no
_REMEMBERED = 5_000

_log = logging.getLogger(__name__)

Renewing = Callable[[str], Awaitable[Token]]


class Ahead:
    """Says which tokens are due, each person's at most every few minutes, and renews them."""

    def __init__(self) -> None:
        self._asked: OrderedDict[tuple[Actor, tuple[str, ...]], float] = OrderedDict()

    def is_due(self, token: Token, actor: Actor, scopes: tuple[str, ...]) -> bool:
        """Whether this is the moment to renew; it is not said twice."""
        if token.life_s() >= AHEAD_S:
            return False
        key, now = (actor, scopes), time.monotonic()
        if now - self._asked.get(key, float("-inf")) < _PAUSE_S:
            return False
        self._asked[key] = now
        self._asked.move_to_end(key)
        while len(self._asked) > _REMEMBERED:
            self._asked.popitem(last=False)
        return True

    async def renew(self, token: Token, renewing: Renewing) -> None:
        """Have another one in its place. What goes wrong is said when it is needed."""
        try:
            await renewing(token.value)
        except HeraldError as error:
            _log.info("A token was not renewed ahead: %s", type(error).__name__)
