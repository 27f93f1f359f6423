"""The sign-in pages in a real browser: who may frame them, what they may load, where they lead."""

import shutil
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from aiohttp import web
from playwright.async_api import Page

from bot.identity.obo import NOTIFY
from tests.bot.identity.conftest import Home
from tests.bot.identity.test_pop_up_in_browser import address, away, window

__all__ = ["address", "window"]  # fixtures
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not installed"),
]
_FRAME = '<!doctype html><title>Elsewhere</title><iframe src="{page}"></iframe>'


@pytest.fixture
async def elsewhere() -> AsyncIterator[str]:
    """Somebody else's site, which frames whatever it is asked to."""

    async def frame(request: web.Request) -> web.Response:
        html = _FRAME.format(page=request.query["page"].replace('"', ""))
        return web.Response(text=html, content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/", frame)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_another_site_cannot_frame_a_page(window: Page, address: str, elsewhere: str) -> None:
    page = f"{address}/auth/approved?admin_consent=True"
    await window.goto(f"{elsewhere}/?page={quote(page)}")
    frame = window.frames[1]
    assert "Approved" not in await frame.content()
    await window.goto(page)
    assert await window.inner_text("h1") == "Approved"


async def test_the_policy_lets_nothing_else_run_or_load(window: Page, address: str) -> None:
    asked: list[str] = []
    await window.goto(f"{address}/auth/approved?admin_consent=True")
    window.on("response", lambda response: asked.append(response.url))
    outcome = await window.evaluate(
        """async () => {
            const tried = {};
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            tried.inline = Boolean(window.ran);
            try { tried.eval = Boolean((0, eval)("1")); } catch { tried.eval = false; }
            try { await fetch("https://evil.example/"); tried.fetch = true; }
            catch { tried.fetch = false; }
            const image = new Image();
            tried.image = await new Promise(done => {
                image.onload = () => done(true);
                image.onerror = () => done(false);
                image.src = "https://evil.example/x.png";
            });
            const form = document.createElement("form");
            form.action = "https://evil.example/";
            document.body.append(form);
            form.submit();
            await new Promise(done => setTimeout(done, 100));
            tried.form = !location.href.includes("/auth/approved");
            return tried;
        }"""
    )
    # `evaluate` itself runs beside the policy, and so does its eval; what it put in does not.
    outcome.pop("eval")
    assert outcome == {"inline": False, "fetch": False, "image": False, "form": False}
    assert not [url for url in asked if "evil.example" in url]


async def test_no_address_leads_away_or_carries_a_token(
    home: Home, window: Page, address: str
) -> None:
    person, actor = home.someone("Adele")
    seen: list[str] = []
    window.context.on("request", lambda request: seen.append(request.url))
    back = home.entra.sign_in(await away(home, window, address), person)
    state = parse_qs(urlsplit(back).query)["state"][0]
    parts = urlsplit(back)
    await window.goto(f"{address}{parts.path}?{parts.query}&next=https://evil.example/")
    assert await window.inner_text("h1") == "Thank you"
    await window.go_back()
    await window.goto(f"{address}{parts.path}?{parts.query}")
    assert await window.inner_text("h1") == "This link has expired"  # a state counts once
    for query in ("redirect_uri", "next", "returnUrl", "url"):
        await window.goto(f"{address}/auth/end?state={state}&{query}=https://evil.example/")
        assert urlsplit(window.url).netloc == urlsplit(address).netloc
        answer = await window.request.get(
            f"{address}/auth/start?s=x&{query}=https://evil.example/", max_redirects=0
        )
        assert answer.status == 400
    link = await home.identity.sign_in_link(actor, NOTIFY)
    for url in (*seen, link):
        assert "eyJ" not in url
        assert "evil.example" not in urlsplit(url).netloc
        assert person.mail not in url
        assert actor.user_id not in url
