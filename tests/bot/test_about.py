"""The pages that the manifest names are there."""

from urllib.parse import urlsplit

import aiohttp

from bot.settings import Settings
from sandbox.stage import Stage
from sandbox.world import read_manifest


async def test_every_address_that_the_manifest_names_is_served(
    herald: Settings, stage: Stage
) -> None:
    developer = read_manifest()["developer"]
    async with aiohttp.ClientSession() as session:
        for name in ("websiteUrl", "privacyUrl", "termsOfUseUrl"):
            path = urlsplit(developer[name]).path
            async with session.get(f"{stage.app_url}{path}") as page:
                assert page.status == 200
                assert "script-src" not in page.headers["Content-Security-Policy"]
                assert "Herald" in await page.text()
