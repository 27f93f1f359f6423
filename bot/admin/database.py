"""The database for commands: where its tables stand, bringing them up to date, working beside."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.delivery.database import Database, DatabaseMoved, StorageUnavailable
from bot.delivery.moving import Begun, Moved, move
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
    Standing.MOVED: DatabaseMoved().sentence,
}
_DONE = {
    Standing.EMPTY: "The tables are made.",
    Standing.BEHIND: "The database is up to date now.",
    Standing.CURRENT: "The database was up to date.",
}


@dataclass(frozen=True)
class Found:
    """How a database's tables compare with this version."""

    standing: Standing

    @property
    def sentence(self) -> str:
        """The same for people."""
        return _FOUND[self.standing]

    @property
    def is_current(self) -> bool:
        """Whether the tables are as this version wants them."""
        return self.standing is Standing.CURRENT


def check(url: str) -> Found:
    """Where the tables stand. Raises CannotStart when the database can't be opened."""
    return Found(asyncio.run(standing(url)))


def upgrade(url: str) -> str:
    """Bring the tables up to date. What was done. Raises CannotStart."""
    return _DONE[asyncio.run(_upgrade(url))]


def copy(url: str, to: str, begun: Begun) -> Moved:
    """Move everything to the empty database at `to`. Raises CannotStart, StorageUnavailable."""
    return asyncio.run(_copy(Database(url), Database(to), begun))


async def _copy(source: Database, target: Database, begun: Begun) -> Moved:
    try:
        return await move(source, target, begun)
    finally:
        await target.close()
        await source.close()


@asynccontextmanager
async def beside(url: str) -> AsyncIterator[Database]:
    """The database beside whoever works on it: no lock is taken, and no table is touched.

    Each write waits for the app's own, five seconds at most on SQLite.

    Raises:
        CannotStart: it can't be opened, or its tables are not those of this version.
    """
    stands = await standing(url)
    if stands is not Standing.CURRENT:
        raise CannotStart(_FOUND[stands])
    database = Database(url)
    try:
        await database.read_clock()
        yield database
    finally:
        await database.close()


async def standing(url: str) -> Standing:
    """Where the tables stand; an SQLite file that isn't there is not made. Raises CannotStart."""
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
