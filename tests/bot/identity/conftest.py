"""Identity against the Entra stand-in over TLS, with a database file of its own."""

import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.actor import Actor
from bot.delivery.database import Database
from bot.identity.obo import Identity
from bot.identity.token_cache import TokenCache
from bot.settings import Settings
from sandbox.entra import Entra
from sandbox.stage import Stage
from sandbox.world import Person, World
from tests.conftest import settings_of


@dataclass
class Home:
    """One process's identity, and what is around it."""

    world: World
    entra: Entra
    settings: Settings
    database: Database
    cache: TokenCache
    identity: Identity

    def someone(self, name: str) -> tuple[Person, Actor]:
        person = self.world.named(name)
        return person, Actor(person.tenant_id, person.id)

    def assertion(self, name: str) -> str:
        return self.entra.sso_token(self.world.named(name))

    async def signed_in(self, name: str, scopes: tuple[str, ...]) -> Actor:
        _, actor = self.someone(name)
        await self.identity.exchange(actor, self.assertion(name), scopes)
        return actor

    def asked(self, grant: str = "") -> int:
        return sum(1 for one in self.entra.requests if not grant or one.grant == grant)


@pytest.fixture
def settings(stage: Stage) -> Settings:
    return settings_of(stage.environment())


@pytest.fixture
def database_file(tmp_path: Path, tables: Path) -> Path:
    return Path(shutil.copyfile(tables, tmp_path / "identity.sqlite3"))


@pytest.fixture
async def database(database_file: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{database_file.as_posix()}")
    yield database
    await database.close()


@pytest.fixture
async def another(
    stage: Stage, settings: Settings, database: Database
) -> AsyncIterator[Callable[..., Home]]:
    """One more process on the same database; its settings may differ."""
    opened: list[Home] = []

    def open_one(changed: Settings | None = None, *, timeout_s: float = 10) -> Home:
        mine = changed or settings
        cache = TokenCache(database, mine.secrets)
        identity = Identity(mine, cache, timeout_s=timeout_s)
        opened.append(Home(stage.world, stage.entra, mine, database, cache, identity))
        return opened[-1]

    yield open_one
    for home in opened:
        await home.identity.close()


@pytest.fixture
def home(another: Callable[..., Home]) -> Home:
    return another()
