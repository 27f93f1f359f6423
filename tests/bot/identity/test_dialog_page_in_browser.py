"""A dialog's sign-in page in a real browser, with Microsoft's own library and our own policy."""

import shutil
import ssl
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import trustme
from aiohttp import web
from playwright.async_api import Page, async_playwright

from bot.identity import pages
from bot.identity.obo import NOTIFY
from tests.bot.identity.conftest import Home
from tests.bot.identity.test_pop_up_in_browser import no_file

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not installed"),
]

# What Teams does around a dialog's page: it answers the library's handshake, opens the pop-up that
# it is asked for, and hears what the page submits. `?end=` says how the pop-up ends.
TEAMS = """<!doctype html><title>Teams</title><iframe id="dialog" width="600" height="500"></iframe>
<script>
const runtime = JSON.stringify({apiVersion: 4, hostVersionsInfo: {}, isLegacyTeams: false,
  supports: {dialog: {card: {}, url: {}, update: {}}}});
window.addEventListener("message", event => {
  const call = event.data, answer = args => event.source.postMessage({...call, args}, event.origin);
  if (call.func === "initialize") answer(["task", "desktop", runtime, "2.58.0"]);
  if (call.func === "authentication.authenticate") {
    window.opened = call.args[0];
    answer(JSON.parse(new URLSearchParams(location.search).get("end")));
  }
  if (/^tasks\\.(submit|complete)Task$/.test(call.func)) window.submitted = call.args[0];
});
document.getElementById("dialog").src = new URLSearchParams(location.search).get("page");
</script>"""


@pytest.fixture
async def address(home: Home) -> AsyncIterator[str]:
    async def teams(_request: web.Request) -> web.Response:
        return web.Response(text=TEAMS, content_type="text/html")

    app = web.Application()
    app.add_routes([*pages.routes(home.identity, no_file), web.get("/teams", teams)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    # The library opens windows at https addresses only.
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(tls)
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    yield f"https://localhost:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def window() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
        )
        yield await browser.new_page(ignore_https_errors=True)
        await browser.close()


async def opened(home: Home, window: Page, address: str, end: str) -> None:
    """Show the page of Adele's dialog inside of Teams."""
    _, adele = home.someone("Adele")
    link = urlsplit(await home.identity.dialog_link(adele, NOTIFY, then="notify"))
    parameters = {"page": f"{link.path}?{link.query}", "end": end}
    await window.goto(f"{address}/teams")
    query = await window.evaluate("p => new URLSearchParams(p).toString()", parameters)
    await window.goto(f"{address}/teams?{query}")


async def test_the_button_opens_the_pop_up_and_its_code_is_submitted(
    home: Home, window: Page, address: str
) -> None:
    problems: list[str] = []
    window.on("pageerror", lambda error: problems.append(str(error)))
    await opened(home, window, address, '[true, "the code"]')
    await window.frame_locator("#dialog").get_by_role("button", name="Sign in").click()
    heard = await window.wait_for_function("window.submitted")
    assert await heard.json_value() == {"code": "the code"}
    asked = urlsplit(await window.evaluate("window.opened"))
    assert asked.path == "/auth/start"
    assert problems == []


@pytest.mark.parametrize(
    ("reason", "said"),
    [("access_denied", "did not agree"), ("CancelledByUser", "closed"), ("", "did not end well")],
)
async def test_a_pop_up_that_fails_is_told_and_can_be_opened_again(
    home: Home, window: Page, address: str, reason: str, said: str
) -> None:
    await opened(home, window, address, f'[false, "{reason}"]')
    page = window.frame_locator("#dialog")
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_text(said).wait_for()
    assert await page.get_by_role("button", name="Sign in").is_enabled()
    assert await window.evaluate("window.submitted") is None
