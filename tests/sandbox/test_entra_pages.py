"""Entra's pages as a browser meets them: pick an account, accept, decline, ask an administrator."""

import re
from html import unescape
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import aiohttp
import pytest

from sandbox.entra import Entra
from sandbox.world import World

REDIRECT = "http://localhost:8700/auth/end"
CHALLENGE = "NeXgPm-CVJuFkX674guN_H_1w2B5Ks8R8EehiO9HwIU"


class Browser:
    """Follows links and presses buttons; keeps the page it is on."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.address = self.html = self.location = ""
        self.headers: dict[str, str] = {}
        self.status = 0

    async def open(self, address: str) -> None:
        async with self._session.get(address, allow_redirects=False) as answer:
            await self._arrive(address, answer)

    async def follow(self, text: str) -> None:
        links = re.findall(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', self.html, re.DOTALL)
        link = next(href for href, inner in links if text in inner)
        await self.open(urljoin(self.address, unescape(link)))

    async def press(self, answer: str) -> None:
        found = re.search(r'name="ticket" value="([^"]*)"', self.html)
        assert found
        form = {"ticket": found[1], "answer": answer}
        async with self._session.post(self.address, data=form, allow_redirects=False) as reply:
            await self._arrive(self.address, reply)

    @property
    def title(self) -> str:
        return unescape(re.findall(r"<h1>(.*?)</h1>", self.html)[0])

    @property
    def answer(self) -> dict[str, str]:
        assert self.location.startswith(REDIRECT)
        return {name: value[0] for name, value in parse_qs(urlsplit(self.location).query).items()}

    async def _arrive(self, address: str, answer: aiohttp.ClientResponse) -> None:
        self.address, self.status = address, answer.status
        self.html, self.headers = await answer.text(), dict(answer.headers)
        self.location = answer.headers.get("Location", "")


@pytest.fixture
def browser(session: aiohttp.ClientSession) -> Browser:
    return Browser(session)


def authorize(entra: Entra, scope: str = "openid TeamsActivity.Send", **more: str) -> str:
    query = {
        "client_id": entra.world.app_id,
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": scope,
        "state": "s1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | more
    return f"{entra.url}/{entra.world.tenant_id}/oauth2/v2.0/authorize?{urlencode(query)}"


def approve(entra: Entra, **more: str) -> str:
    query = {
        "client_id": entra.world.app_id,
        "redirect_uri": REDIRECT,
        "scope": "https://graph.microsoft.com/VirtualAppointmentNotification.Send",
        "state": "s2",
    } | more
    return f"{entra.url}/{entra.world.tenant_id}/v2.0/adminconsent?{urlencode(query)}"


async def test_an_account_is_picked_and_its_permissions_are_accepted(
    browser: Browser, entra: Entra, world: World
) -> None:
    lee = world.named("Lee")
    lee.consents.clear()

    await browser.open(authorize(entra))
    assert browser.title == "Pick an account"
    assert all(person.mail in browser.html for person in world.people.values())
    await browser.follow("Lee Gu")
    assert browser.title == "Permissions requested"
    assert "TeamsActivity.Send" in browser.html
    await browser.press("accept")

    assert browser.status == 302
    assert browser.answer["state"] == "s1"
    assert "TeamsActivity.Send" in lee.consents
    assert entra.grants.codes[browser.answer["code"]].person_id == lee.id


async def test_a_hint_spares_the_picking(browser: Browser, entra: Entra, world: World) -> None:
    await browser.open(authorize(entra, login_hint=world.named("Lee").mail))
    assert "lee.gu@" in browser.html

    await browser.follow("Use another account")
    assert browser.title == "Pick an account"


async def test_declining_keeps_nothing(browser: Browser, entra: Entra, world: World) -> None:
    lee = world.named("Lee")
    lee.consents.clear()
    await browser.open(authorize(entra, login_hint=lee.mail))

    await browser.press("cancel")

    assert browser.answer["error"] == "access_denied"
    assert browser.answer["state"] == "s1"
    assert not lee.consents


async def test_what_only_administrators_grant_is_a_dead_end_for_others(
    browser: Browser, entra: Entra, world: World
) -> None:
    world.tenant_consents.clear()
    lee = world.named("Lee")

    await browser.open(authorize(entra, "VirtualAppointmentNotification.Send", login_hint=lee.mail))
    assert browser.title == "Need admin approval"
    await browser.press("accept")

    assert browser.answer["error"] == "access_denied"
    assert "AADSTS90094" in browser.answer["error_description"]
    assert "VirtualAppointmentNotification.Send" not in lee.consents


async def test_an_administrator_approves_for_everyone(
    browser: Browser, entra: Entra, world: World
) -> None:
    world.tenant_consents.clear()
    changes: list[None] = []
    world.on_change(lambda: changes.append(None))

    await browser.open(approve(entra))
    await browser.follow("Nadia Hassan")
    assert browser.title == "Permissions requested for your organization"
    await browser.press("accept")

    assert browser.answer["admin_consent"] == "True"
    assert browser.answer["tenant"] == world.tenant_id
    assert browser.answer["state"] == "s2"
    assert world.tenant_consents == {"VirtualAppointmentNotification.Send"}
    assert "VirtualAppointmentNotification.Send" in world.granted(world.named("Lee"))
    assert changes


async def test_nobody_else_approves_for_everyone(
    browser: Browser, entra: Entra, world: World
) -> None:
    world.tenant_consents.clear()

    await browser.open(approve(entra, login_hint=world.named("Lee").mail))
    assert browser.title == "Need admin approval"
    await browser.press("accept")

    assert browser.answer["error"] == "access_denied"
    assert not world.tenant_consents


async def test_a_page_is_answered_once(browser: Browser, entra: Entra, world: World) -> None:
    await browser.open(authorize(entra, login_hint=world.named("Lee").mail))
    page = browser.html
    await browser.press("accept")

    browser.html = page
    await browser.press("accept")

    assert browser.status == 400
    assert "used before" in browser.html


async def test_the_answer_may_be_posted(browser: Browser, entra: Entra, world: World) -> None:
    lee = world.named("Lee").mail
    await browser.open(authorize(entra, login_hint=lee, response_mode="form_post"))

    await browser.press("accept")

    assert browser.status == 200
    assert f'action="{REDIRECT}"' in browser.html
    assert 'name="code"' in browser.html
    assert "sha256-" in browser.headers["Content-Security-Policy"]


async def test_what_comes_from_outside_is_escaped(
    browser: Browser, entra: Entra, world: World
) -> None:
    evil = '"><script>alert(1)</script>'
    world.named("Lee").name = evil
    await browser.open(authorize(entra, state=evil, nonce=evil))
    assert "<script>alert" not in browser.html

    await browser.open(authorize(entra, login_hint=world.named('">').mail, state=evil))
    assert "<script>alert" not in browser.html
    await browser.open(authorize(entra, login_hint=world.named('">').mail, state=evil))
    await browser.press("accept")
    assert browser.answer["state"] == evil


async def test_a_page_leads_nowhere_but_to_the_application(browser: Browser, entra: Entra) -> None:
    await browser.open(authorize(entra))

    policy = browser.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://localhost:8700;" in policy
    assert "frame-ancestors 'none'" in policy
    assert browser.headers["Cache-Control"] == "no-store"


async def test_signing_in_is_the_same_in_one_call(entra: Entra, world: World) -> None:
    lee = world.named("Lee")
    lee.consents.clear()

    yes = entra.sign_in(authorize(entra), lee)
    no = entra.sign_in(approve(entra), lee)

    assert parse_qs(urlsplit(yes).query)["state"] == ["s1"]
    assert "TeamsActivity.Send" in lee.consents
    assert parse_qs(urlsplit(no).query)["error"] == ["access_denied"]
