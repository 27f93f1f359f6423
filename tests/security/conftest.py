"""What attacks start from: Adele at her desk, a browser, and identity by itself."""

from collections.abc import Callable

import pytest

from bot.settings import Settings
from tests.bot.identity.conftest import another, database, database_file, home, settings
from tests.desk import Desk
from tests.stories.conftest import browser

__all__ = ["another", "browser", "database", "database_file", "home", "settings"]


@pytest.fixture
async def adele(herald: Settings, at_desk: Callable[[str], Desk]) -> Desk:
    desk = at_desk("Adele")
    await desk.teams.install(desk.person)
    return desk
