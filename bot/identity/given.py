"""Whose token it was: Graph's refusal names the token alone."""

import hashlib
from collections import OrderedDict
from typing import NamedTuple

from bot.actor import Actor
from bot.identity.keyring import Token

_MOST = 2_000


class Owner(NamedTuple):
    """For whom a token was given, and for which permissions."""

    actor: Actor
    scopes: tuple[str, ...]


class Given:
    """The tokens that were given lately, by their digests."""

    def __init__(self) -> None:
        self._owners: OrderedDict[bytes, Owner] = OrderedDict()

    def note(self, token: Token, actor: Actor, scopes: tuple[str, ...]) -> None:
        """Remember it."""
        key = _digest(token.value)
        self._owners[key] = Owner(actor, scopes)
        self._owners.move_to_end(key)
        while len(self._owners) > _MOST:
            self._owners.popitem(last=False)

    def owner(self, value: str) -> Owner | None:
        """Whose token this is; None when it was not given here, or long ago."""
        return self._owners.get(_digest(value))


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()
