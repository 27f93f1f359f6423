import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.actor import Actor
from bot.errors import SignInExpired, SignInNeeded, StaleButton, WrongPerson
from bot.identity import pages, token_cache
from bot.identity.obo import MEETINGS, NOTIFY, TEXT
from sandbox.world import Person
from tests.bot.identity.conftest import Home

Client = TestClient[web.Request, web.Application]


async def no_file(actor: Actor, what: str) -> tuple[str, bytes]:
    raise StaleButton


@dataclass
class Browser:
    """One browser on the pages, with its cookies."""

    home: Home
    client: Client

    async def get(self, address: str) -> tuple[aiohttp.ClientResponse, str]:
        parts = urlsplit(address)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        answer = await self.client.get(path, allow_redirects=False)
        return answer, await answer.text()

    async def start(self, actor: Actor, scopes: tuple[str, ...] = NOTIFY) -> str:
        """Open the link; where the browser is sent to."""
        link = await self.home.identity.sign_in_link(actor, scopes, then="notify")
        answer, _ = await self.get(link)
        assert answer.status == 302
        return answer.headers["Location"]

    async def sign_in(self, actor: Actor, person: Person, scopes: tuple[str, ...] = NOTIFY) -> str:
        """The whole way of somebody in this browser; the one-time code."""
        away = await self.start(actor, scopes)
        _, html = await self.get(self.home.entra.sign_in(away, person))
        return code_of(html)


def code_of(html: str) -> str:
    found = re.search(r'data-code="([^"]*)"', html)
    assert found is not None
    return found[1]


def reason_of(html: str) -> str:
    found = re.search(r'data-reason="([^"]*)"', html)
    assert found is not None
    return found[1]


@pytest.fixture
async def open_browser(home: Home) -> AsyncIterator[Callable[[], Browser]]:
    app = web.Application()
    app.add_routes(pages.routes(home.identity, no_file))
    server = TestServer(app)
    await server.start_server()
    clients: list[Client] = []

    def opened() -> Browser:
        jar = aiohttp.CookieJar(unsafe=True)
        clients.append(TestClient(server, cookie_jar=jar))
        return Browser(home, clients[-1])

    yield opened
    for client in clients:
        await client.close()
    await server.close()


@pytest.fixture
async def browser(open_browser: Callable[[], Browser]) -> Browser:
    return open_browser()


async def test_the_whole_way_ends_with_tokens_and_the_word_to_go_on_with(
    home: Home, browser: Browser
) -> None:
    person, adele = home.someone("Adele")
    person.consents.clear()
    code = await browser.sign_in(adele, person, NOTIFY + MEETINGS)
    assert await home.identity.finish(adele, code) == "notify"
    assert (await home.identity.token(adele, NOTIFY)).value
    assert home.asked() == 1
    assert (await home.identity.token(adele, NOTIFY, renew=True)).value


async def test_nothing_of_the_person_is_in_an_address(home: Home, browser: Browser) -> None:
    person, adele = home.someone("Adele")
    link = await home.identity.sign_in_link(adele, NOTIFY)
    away = await browser.start(adele)
    for address in (link, away):
        for secret in (adele.user_id, person.mail, "Adele", "eyJ"):
            assert secret not in address
    query = parse_qs(urlsplit(away).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == [f"{home.settings.public_url}/auth/end"]
    assert set(query["scope"][0].split()) == {*NOTIFY, "openid", "profile", "offline_access"}
    assert "login_hint" not in query


async def test_somebody_elses_link_serves_nobody(home: Home, browser: Browser) -> None:
    _, adele = home.someone("Adele")
    megan, megans = home.someone("Megan")
    code = await browser.sign_in(adele, megan)
    with pytest.raises(WrongPerson):
        await home.identity.finish(megans, code)
    with pytest.raises(SignInExpired):  # and it is used up
        await home.identity.finish(adele, code)
    for actor in (adele, megans):
        with pytest.raises(SignInNeeded):
            await home.identity.token(actor, NOTIFY)


async def test_another_person_who_completes_the_link_leaves_nothing(
    home: Home, browser: Browser, database_file: Path
) -> None:
    _, adele = home.someone("Adele")
    megan, _ = home.someone("Megan")
    code = await browser.sign_in(adele, megan)
    with pytest.raises(WrongPerson):
        await home.identity.finish(adele, code)
    with sqlite3.connect(database_file) as connection:
        assert connection.execute("select count(*) from token_caches").fetchone() == (0,)
        assert connection.execute("select count(*) from sign_ins").fetchone() == (0,)
    connection.close()


async def test_a_one_time_code_counts_once(home: Home, browser: Browser) -> None:
    person, adele = home.someone("Adele")
    code = await browser.sign_in(adele, person)
    await home.identity.finish(adele, code)
    with pytest.raises(SignInExpired):
        await home.identity.finish(adele, code)


@pytest.mark.parametrize("code", ["", "x", "0" * 43, "ü", "123456"])
async def test_a_guessed_code_is_refused(home: Home, code: str) -> None:
    with pytest.raises(SignInExpired):
        await home.identity.finish(home.someone("Adele")[1], code)


async def test_a_one_time_code_is_too_old_after_five_minutes(
    home: Home, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, adele = home.someone("Adele")
    code = await browser.sign_in(adele, person)
    now_ms = token_cache._now_ms()
    monkeypatch.setattr(token_cache, "_now_ms", lambda: now_ms + 301_000)
    with pytest.raises(SignInExpired):
        await home.identity.finish(adele, code)


async def test_the_stored_sign_in_shows_neither_code_nor_person(
    home: Home, browser: Browser, database_file: Path
) -> None:
    person, adele = home.someone("Adele")
    code = await browser.sign_in(adele, person)
    written = b"".join(
        path.read_bytes() for path in database_file.parent.glob(f"{database_file.name}*")
    )
    for secret in (code, person.mail, adele.user_id):
        assert secret.encode() not in written


async def test_a_state_counts_once(home: Home, browser: Browser) -> None:
    person, adele = home.someone("Adele")
    back = home.entra.sign_in(await browser.start(adele), person)
    first, html = await browser.get(back)
    assert (first.status, bool(code_of(html))) == (200, True)
    again, html = await browser.get(back)
    assert (again.status, code_of(html), reason_of(html)) == (400, "", "expired")


async def test_another_browser_cannot_end_the_sign_in(
    home: Home, open_browser: Callable[[], Browser]
) -> None:
    person, adele = home.someone("Adele")
    first, second = open_browser(), open_browser()
    back = home.entra.sign_in(await first.start(adele), person)
    answer, html = await second.get(back)
    assert (answer.status, code_of(html)) == (400, "")
    answer, html = await first.get(back)  # it was used up by the attempt
    assert (answer.status, code_of(html)) == (400, "")


async def test_two_pop_ups_at_once_do_not_take_each_others_place(
    home: Home, browser: Browser
) -> None:
    person, adele = home.someone("Adele")
    ways = [await browser.start(adele) for _ in range(2)]
    for away in ways:
        _, html = await browser.get(home.entra.sign_in(away, person))
        await home.identity.finish(adele, code_of(html))


@pytest.mark.parametrize(
    "address",
    [
        "/auth/start",
        "/auth/start?s=",
        "/auth/start?s=forged",
        "/auth/start?s=%F0%9F%98%80",
        "/auth/end",
        "/auth/end?code=stolen",
        "/auth/end?code=stolen&state=forged",
        "/auth/end?error=access_denied&state=",
    ],
)
async def test_what_we_did_not_make_leads_nowhere(browser: Browser, address: str) -> None:
    answer, html = await browser.get(address)
    assert answer.status == 400
    assert "Location" not in answer.headers
    assert "This link has expired" in html


async def test_a_changed_or_old_link_leads_nowhere(
    home: Home, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = await home.identity.sign_in_link(home.someone("Adele")[1], NOTIFY)
    changed = link[:-9] + ("A" if link[-9] != "A" else "B") + link[-8:]
    assert (await browser.get(changed))[0].status == 400
    monkeypatch.setattr("bot.identity.sign_in.LINK_LIFE_S", -1)
    assert (await browser.get(link))[0].status == 400


async def test_a_refusal_is_told_in_a_sentence_and_to_teams(home: Home, browser: Browser) -> None:
    person, adele = home.someone("Adele")
    person.consents.clear()
    back = home.entra.sign_in(await browser.start(adele), person, accept=False)
    answer, html = await browser.get(back)
    assert answer.status == 200
    assert reason_of(html) == "access_denied"
    assert code_of(html) == ""
    assert "You did not agree" in html


async def test_words_in_the_address_do_not_get_onto_the_page(home: Home, browser: Browser) -> None:
    person, adele = home.someone("Adele")
    state = parse_qs(urlsplit(await browser.start(adele)).query)["state"][0]
    word = "<script>alert(1)</script>"
    _, html = await browser.get(
        f"/auth/end?state={state}&error={word}&error_description={word}&code=x"
    )
    assert "alert(1)" not in html
    assert reason_of(html) == "failed"
    _, html = await browser.get(f"/auth/approved?error={word}&error_description={word}")
    assert "alert(1)" not in html
    assert person.name not in html


async def test_the_cookie_is_for_this_sign_in_alone(home: Home, browser: Browser) -> None:
    link = await home.identity.sign_in_link(home.someone("Adele")[1], NOTIFY)
    answer, _ = await browser.get(link)
    [cookie] = answer.cookies.values()
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/auth"
    assert not cookie["secure"]  # the stage's address is http


async def test_behind_https_the_cookie_is_secure(home: Home, another: Callable[..., Home]) -> None:
    https = home.settings.model_copy(update={"public_url": "https://herald.example"})
    secure = another(https)
    server = TestServer(web.Application())
    server.app.add_routes(pages.routes(secure.identity, no_file))
    async with TestClient(server) as client:
        link = await secure.identity.sign_in_link(home.someone("Adele")[1], NOTIFY)
        answer = await client.get(
            urlsplit(link)._replace(scheme="", netloc="").geturl(), allow_redirects=False
        )
        [cookie] = answer.cookies.values()
    assert cookie["secure"]


@pytest.mark.parametrize(
    ("query", "heading"),
    [
        ("admin_consent=True&tenant=x&state=y", "Approved"),
        ("error=access_denied&error_description=no", "Not approved"),
        ("admin_consent=True&error=access_denied", "Not approved"),
        ("", "Not approved"),
    ],
)
async def test_the_administrators_return_says_how_it_went(
    browser: Browser, query: str, heading: str
) -> None:
    answer, html = await browser.get(f"/auth/approved?{query}")
    assert answer.status == 200
    assert f"<h1>{heading}</h1>" in html
    assert "<script" not in html


async def test_the_administrators_link_names_the_permission_and_the_tenant(home: Home) -> None:
    _, adele = home.someone("Adele")
    link = urlsplit(home.identity.admin_consent_link(adele, TEXT))
    assert link.path == f"/{adele.tenant_id}/v2.0/adminconsent"
    query = parse_qs(link.query)
    assert query["scope"] == [f"https://graph.microsoft.com/{TEXT[0]}"]
    assert query["redirect_uri"] == [f"{home.settings.public_url}/auth/approved"]


@pytest.mark.parametrize(
    "path", ["/auth/start", "/auth/end", "/auth/approved", "/auth/page.css", "/auth/end.js"]
)
async def test_every_page_carries_strict_headers(browser: Browser, path: str) -> None:
    answer, _ = await browser.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "https://teams.microsoft.com" in policy.partition("frame-ancestors")[2]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    cached = "no-cache" if path.endswith((".css", ".js")) else "no-store"
    assert answer.headers["Cache-Control"] == cached


async def test_the_pages_have_no_script_or_style_of_their_own(browser: Browser) -> None:
    _, html = await browser.get("/auth/end")
    assert re.findall(r"<script(?! src=\"/auth/)", html) == []
    assert "<style" not in html
    assert not re.search(r"\son\w+=", html)


async def test_the_teams_library_is_served_from_our_own_address(browser: Browser) -> None:
    answer, script = await browser.get("/auth/teams.js")
    assert answer.status == 200
    assert answer.content_type == "text/javascript"
    assert "microsoftTeams" in script


async def test_looking_at_a_link_does_not_use_it_up(home: Home, browser: Browser) -> None:
    person, adele = home.someone("Adele")
    back = urlsplit(home.entra.sign_in(await browser.start(adele), person))
    looked = await browser.client.head(f"{back.path}?{back.query}")
    assert looked.status == 405
    _, html = await browser.get(back.geturl())
    assert code_of(html)
