"""What several stories need beside the product and the stand-ins."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from sandbox.stage import Stage


@pytest.fixture
async def browser(stage: Stage) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser without a page: it follows links and keeps cookies."""
    connector = aiohttp.TCPConnector(ssl=stage.trust())
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as session:
        yield session
