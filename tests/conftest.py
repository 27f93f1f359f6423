"""The product between the stand-ins: the real application, served on loopback, in this loop."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from bot.settings import Settings
from bot.teams import answers, deliveries, notice_views, text_changes
from bot.wiring import build_app
from sandbox.stage import Stage
from tests.desk import Desk
from tests.postgres import Postgres

Serve = Callable[..., AbstractAsyncContextManager[Settings]]


LONGEST = ("test_crash_matrix.py", "test_replicas.py", "test_chaos.py", "test_rules.py")


# Where the product runs in processes of its own, or not at all, or does for long what others
# measured: whether a line was reached is not asked there, which halves the time of these tests.
NOT_MEASURED = {"sandbox", "browser", "faults", "docs", "fuzz"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that no core waits for them at the end."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))
    for item in items:
        if item.path.name in LONGEST or item.path.parent.name in NOT_MEASURED:
            item.add_marker(pytest.mark.no_cover)


def settings_of(environment: dict[str, str]) -> Settings:
    known = {
        name: environment[name.upper()]
        for name in Settings.model_fields
        if name.upper() in environment
    }
    return Settings(_env_file=None, **known)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL for all tests that need one; each takes a database of its own."""
    server = Postgres()
    yield server
    server.end()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database: a test that asks for it runs on each kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite3'}"
    url: str = request.getfixturevalue("postgres").new()
    return url


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small send answers with its receipt, also where many tests share a core."""
    monkeypatch.setattr(deliveries, "FIRST_RESULTS_S", 2.0)
    monkeypatch.setattr(answers, "WITHIN_S", 3.0)
    monkeypatch.setattr(answers, "WITHIN_IN_CHAT_S", 3.0)
    monkeypatch.setattr(text_changes, "_PATIENCE_S", 3.0)
    monkeypatch.setattr(notice_views, "NAMES_PATIENCE_S", 3.0)


@pytest.fixture
async def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    async with Stage(state_dir=tmp_path / "state") as stage:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(stage.ca_file))
        for person in stage.world.people.values():  # a test that wants another language says so
            person.locale = "en-US"
        yield stage


@pytest.fixture
def serve(stage: Stage) -> Serve:
    """Serve the product: `async with serve(): …`; again, for a restart."""

    @asynccontextmanager
    async def serving(**changed: str) -> AsyncIterator[Settings]:
        settings = settings_of(stage.environment(**changed))
        runner = web.AppRunner(build_app(settings), shutdown_timeout=2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", stage.app_port, reuse_address=True).start()
        try:
            yield settings
        finally:
            await runner.cleanup()

    return serving


@pytest.fixture
async def herald(serve: Serve) -> AsyncIterator[Settings]:
    async with serve() as settings:
        yield settings


@pytest.fixture
def at_desk(stage: Stage) -> Callable[[str], Desk]:
    """A person of the clinic at a Teams client, by given name."""
    return lambda name: Desk(stage, stage.world.named(name))
