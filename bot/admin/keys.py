"""`python -m bot keys …`: new keys, and moving what is stored from old ones to the newest."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from bot.admin.database import beside
from bot.delivery.resealing import Resealing
from bot.settings import Settings

_BYTES = 32


@dataclass(frozen=True)
class Account:
    """What was found of stored records."""

    total: int
    under_old: int  # sealed with an older key of SECRET_KEYS when it was looked at
    unreadable: int  # sealed with a key that is not in SECRET_KEYS any more


def new_key() -> str:
    """A key for `SECRET_KEYS`: 256 random bits as 43 characters."""
    return secrets.token_urlsafe(_BYTES)


async def account(
    settings: Settings, *, write: bool, begun: Callable[[int], Callable[[int], None]]
) -> Account:
    """Look at all that is sealed, and with `write` seal it with the newest key.

    `begun` is given how many there are, and returns what is told of every few that are done.
    Raises CannotStart, and StorageUnavailable where the database goes away.
    """
    looked_at = under_old = unreadable = 0
    async with beside(settings.database_url) as database:
        resealing = Resealing(database, settings.secrets)
        told = begun(await resealing.count())
        async for step in resealing.run(write=write):
            looked_at += step.looked_at
            under_old += step.resealed
            unreadable += step.unreadable
            told(step.looked_at)
    return Account(looked_at, under_old, unreadable)
