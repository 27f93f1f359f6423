"""`python -m bot db …`: where the database's tables stand, and bringing them up to date."""

import asyncio
from pathlib import Path

from bot.delivery.database import Database, StorageUnavailable
from bot.delivery.upgrade import Standing
from bot.errors import CannotStart

_FOUND = {
    Standing.EMPTY: "The database has no tables yet. `python -m bot db upgrade` makes them; "
    "so does the first start.",
    Standing.BEHIND: "The database is from an older version. `python -m bot db upgrade` brings it "
    "up to date; so does the next start.",
    Standing.CURRENT: "The database is up to date.",
    Standing.NEWER: "The database was written by a newer version of Herald. "
    "Please install that version.",
}
_DONE = {
    Standing.EMPTY: "The tables are made.",
    Standing.BEHIND: "The database is up to date now.",
    Standing.CURRENT: "The database was up to date.",
}


def check(url: str) -> tuple[str, bool]:
    """A sentence about the tables, and whether they are as this version wants them.

    Raises CannotStart when the database can't be opened.
    """
    stands = asyncio.run(_check(url))
    return _FOUND[stands], stands is Standing.CURRENT


def upgrade(url: str) -> str:
    """Bring the tables up to date. What was done. Raises CannotStart."""
    return _DONE[asyncio.run(_upgrade(url))]


async def _check(url: str) -> Standing:
    database = Database(url)
    file = Path(database.url.database or "")
    if database.is_sqlite and not await asyncio.to_thread(file.exists):
        return Standing.EMPTY  # opening it would make it
    try:
        return await database.standing()
    except StorageUnavailable:
        raise CannotStart("The database can't be opened. Does it run?") from None
    finally:
        await database.close()


async def _upgrade(url: str) -> Standing:
    database = Database(url)
    try:
        return await database.open(patience_s=0)
    finally:
        await database.close()
