"""The pop-up's last page in a real browser, with Microsoft's own library and our own policy."""

import shutil
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from playwright.async_api import Page, async_playwright

from bot.actor import Actor
from bot.errors import StaleButton
from bot.identity import pages
from bot.identity.obo import NOTIFY
from tests.bot.identity.conftest import Home

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not installed"),
]

# What a Teams window does when a pop-up of its app wakes up: it answers the library's handshake and
# hears the outcome.
TEAMS = """<!doctype html><title>Teams</title><script>
const runtime = JSON.stringify({apiVersion: 4, hostVersionsInfo: {}, isLegacyTeams: false,
  supports: {}});
window.addEventListener("message", event => {
  const call = event.data;
  if (call.func === "initialize") {
    const args = ["authentication", "web", runtime, "2.58.0"];
    event.source.postMessage({...call, args}, event.origin);
  } else if (String(call.func).startsWith("authentication.authenticate.")) {
    window.outcome = [call.func.split(".").pop(), call.args[0]];
  }
});
</script><a href="#" onclick="window.open(window.name)">Sign in</a>"""


async def no_file(actor: Actor, what: str) -> tuple[str, bytes]:
    raise StaleButton


@pytest.fixture
async def address(home: Home) -> AsyncIterator[str]:
    async def teams(_request: web.Request) -> web.Response:
        return web.Response(text=TEAMS, content_type="text/html")

    app = web.Application()
    app.add_routes([*pages.routes(home.identity, no_file), web.get("/teams", teams)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def window(address: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        )
        window = await browser.new_page()
        await window.goto(f"{address}/teams")
        yield window
        await browser.close()


async def outcome(window: Page, address: str, back: str) -> Any:
    """Open the address that Entra sends the browser to, as a pop-up; what Teams hears."""
    parts = urlsplit(back)
    await window.evaluate(f"window.name = {f'{address}{parts.path}?{parts.query}'!r}")
    await window.click("a")
    heard = await window.wait_for_function("window.outcome")
    return await heard.json_value()


async def away(home: Home, window: Page, address: str) -> str:
    """Open the link in this browser, as far as Entra; where Entra is asked to be."""
    link = urlsplit(await home.identity.sign_in_link(home.someone("Adele")[1], NOTIFY))
    opened = await window.request.get(f"{address}{link.path}?{link.query}", max_redirects=0)
    return opened.headers["location"]


async def test_the_code_reaches_the_teams_window(home: Home, window: Page, address: str) -> None:
    person, adele = home.someone("Adele")
    back = home.entra.sign_in(await away(home, window, address), person)
    word, code = await outcome(window, address, back)
    assert word == "success"
    await home.identity.finish(adele, code)
    assert (await home.identity.token(adele, NOTIFY)).value


async def test_a_refusal_reaches_the_teams_window(home: Home, window: Page, address: str) -> None:
    person, _ = home.someone("Adele")
    person.consents.clear()
    back = home.entra.sign_in(await away(home, window, address), person, accept=False)
    assert await outcome(window, address, back) == ["failure", "access_denied"]


async def test_without_a_teams_window_the_page_says_enough(window: Page, address: str) -> None:
    problems: list[str] = []
    window.on("pageerror", lambda error: problems.append(str(error)))
    await window.goto(f"{address}/auth/end?state=forged")
    assert await window.inner_text("h1") == "This link has expired"
    assert problems == []
