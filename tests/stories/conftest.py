"""What several stories need beside the product and the stand-ins."""

from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest

from bot.settings import Settings
from sandbox.stage import Stage
from tests.desk import Desk


@pytest.fixture
async def browser(stage: Stage) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser without a page: it follows links and keeps cookies."""
    connector = aiohttp.TCPConnector(ssl=stage.trust())
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as session:
        yield session


@pytest.fixture
async def adele(herald: Settings, at_desk: Callable[[str], Desk]) -> Desk:
    """Adele at her desk, with Herald installed."""
    desk = at_desk("Adele")
    await desk.teams.install(desk.person)
    return desk
