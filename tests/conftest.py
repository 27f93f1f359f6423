"""The product between the stand-ins: the real application, served on loopback, in this loop."""

import asyncio
import gc
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.delivery import engines
from bot.delivery.database import Database
from bot.settings import Settings
from bot.teams import answers, deliveries, notice_views, text_changes
from bot.wiring import build_app
from sandbox.stage import Stage
from tests.desk import Desk
from tests.measuring import pytest_configure
from tests.postgres import Postgres

__all__ = ["pytest_configure"]

gc.disable()  # nothing of what is imported and collected is garbage

Serve = Callable[..., AbstractAsyncContextManager[Settings]]


# The longest ones, in an order in which some that wait stand beside some that work: both cores are
# busy from the beginning, and at the end there is nothing long. A file is one worker's.
LONGEST = (
    "test_within_a_second.py",
    "test_progress.py",
    "test_surfaces.py",
    "test_crash_matrix.py",
    "test_sign_in_hardening.py",
    "test_audience.py",
    "test_replicas.py",
    "test_story.py",
    "test_others.py",
    "test_text_changes.py",
    "test_reviews_hold.py",
    "test_every_text.py",
    "test_decisions.py",
    "test_lifecycle.py",
    "test_chaos.py",
    "test_extension_wrong_turns.py",
    "test_extension_search.py",
    "test_universal_actions.py",
    "test_moving.py",
    "test_cards.py",
    "test_group_audience.py",
    "test_channels.py",
    "test_connections.py",
    "test_ledger.py",
    "test_nothing_leaks.py",
    "test_dialog_page_in_browser.py",
    "test_texts_refused.py",
    "test_services_away.py",
    "test_doctor.py",
    "test_taken_over.py",
    "test_group_audience_wrong_turns.py",
    "test_obo.py",
    "test_worker.py",
    "test_deliveries.py",
    "test_pop_up_in_browser.py",
    "test_deploy.py",
    "test_proxy.py",
    "test_commands.py",
    "test_crash.py",
    "test_message_menu.py",
    "test_starts.py",
    "test_rules.py",
    "test_gallery.py",
    "test_languages.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that no core waits for them at the end."""
    places = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.name, len(LONGEST)))


def pytest_collection_finish() -> None:
    """From here on there is garbage; what stands by now is not looked through for it."""
    gc.freeze()
    gc.enable()


def settings_of(environment: dict[str, str]) -> Settings:
    known = {
        name: environment[name.upper()]
        for name in Settings.model_fields
        if name.upper() in environment
    }
    return Settings(_env_file=None, **known)


class Compiled(dict[Any, Any]):
    """SQLAlchemy's statements as it compiled them, for all engines of a kind.

    It would compile them for each engine anew, and here an engine lives for one test.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        dialect, *statement = key
        return super().get((dialect.name, *statement), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        dialect, *statement = key
        super().__setitem__((dialect.name, *statement), compiled)


engines.create_async_engine = partial(
    engines.create_async_engine, execution_options={"compiled_cache": Compiled()}
)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL for all tests that need one; each takes a database of its own."""
    server = Postgres()
    yield server
    server.end()


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with Herald's tables and nothing in them, to be copied: making them costs more
    than most tests."""
    path = tmp_path_factory.mktemp("tables") / "herald.sqlite3"
    asyncio.run(_migrated(f"sqlite+aiosqlite:///{path.as_posix()}"))
    return path


async def _migrated(url: str) -> None:
    database = Database(url)
    await database.migrate()
    await database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables: a test that asks for it runs on each kind."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite3'}"
    url: str = request.getfixturevalue("postgres").new()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database whose tables stand: a test that asks for it runs on each kind."""
    if request.param == "sqlite":
        path = tmp_path / "ledger.sqlite3"
        shutil.copyfile(request.getfixturevalue("tables"), path)
        return f"sqlite+aiosqlite:///{path}"
    server: Postgres = request.getfixturevalue("postgres")
    if server.model is None:
        server.model = server.new()
        asyncio.run(_migrated(server.model))
    return server.new(like=server.model)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small send answers with its receipt, also where many tests share a core."""
    monkeypatch.setattr(deliveries, "FIRST_RESULTS_S", 2.0)
    monkeypatch.setattr(answers, "WITHIN_S", 3.0)
    monkeypatch.setattr(answers, "WITHIN_IN_CHAT_S", 3.0)
    monkeypatch.setattr(text_changes, "_PATIENCE_S", 3.0)
    monkeypatch.setattr(notice_views, "NAMES_PATIENCE_S", 3.0)


@pytest.fixture
async def stage(
    tmp_path: Path, tables: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    async with Stage(state_dir=tmp_path / "state") as stage:
        stage.database_file.parent.mkdir()
        shutil.copyfile(tables, stage.database_file)
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
