"""Signing in: silently, by link, by an administrator; and only ever as oneself."""

import re
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from yarl import URL

from bot.settings import Settings
from sandbox import actions
from sandbox.stage import Stage
from sandbox.world import Person
from tests.desk import Desk

SMS_SCOPE = "VirtualAppointmentNotification.Send"


@pytest.fixture
async def megan(herald: Settings, at_desk: Callable[[str], Desk]) -> Desk:
    desk = at_desk("Megan")
    await desk.teams.install(desk.person)
    return desk


def sign_in_link(desk: Desk) -> str:
    """The link of the newest sign-in button: an OAuthCard's, or a card's."""
    message = desk.teams.last_message(desk.person)
    for card in message.attachments("application/vnd.microsoft.card.oauth"):
        return str(card["buttons"][0]["value"])
    for button in actions.buttons(desk.card):
        teams = button.get("data", {}).get("msteams", {})
        if teams.get("type") == "signin":
            return str(teams["value"])
    raise LookupError("no sign-in link")


async def complete(browser: aiohttp.ClientSession, stage: Stage, link: str, person: Person) -> str:
    """Walk through the pop-up as this person; the one-time code that its last page hands over."""
    at_app = URL(link.replace(stage.public_url, stage.app_url))
    async with browser.get(at_app, allow_redirects=False) as gone:
        assert gone.status == 302
        page = URL(gone.headers["Location"], encoded=True)
    page = page.update_query(login_hint=person.mail)
    async with browser.get(page) as shown:
        [ticket] = re.findall(r'name="ticket" value="([^"]+)"', await shown.text())
    form = {"ticket": ticket, "answer": "accept"}
    async with browser.post(page, data=form, allow_redirects=False) as back:
        assert back.status in {302, 303}, await back.text()
        end = URL(back.headers["Location"].replace(stage.public_url, stage.app_url), encoded=True)
    async with browser.get(end) as ended:
        html = await ended.text()
    found = re.search(r'data-code="([^"]+)"', html)
    return found.group(1) if found else ""


async def test_sign_in_is_silent_and_says_who_one_is(megan: Desk, stage: Stage) -> None:
    await megan.say("signin")
    assert "Megan Bowen" in megan.shown
    assert [r for r in stage.entra.requests if r.grant == "on_behalf_of"]


async def test_several_clients_send_the_exchange_and_the_work_is_done_once(
    megan: Desk, stage: Stage
) -> None:
    stage.teams.clients = 4
    await megan.say("notify")
    exchanges = [r for r in stage.entra.requests if r.grant == "on_behalf_of"]
    assert len(exchanges) == 1
    forms = [card for card in megan.cards if "activity_type" in actions.inputs(card)]
    assert len(forms) == 1


async def test_texts_and_notices_ask_for_their_own_permissions_only(
    megan: Desk, stage: Stage
) -> None:
    await megan.say("notify")
    [first] = [r for r in stage.entra.requests if r.grant == "on_behalf_of"]
    assert SMS_SCOPE not in " ".join(first.scopes)


async def test_missing_consent_shows_the_button_and_the_link_ends_with_the_form(
    megan: Desk, stage: Stage, browser: aiohttp.ClientSession
) -> None:
    megan.person.consents.clear()
    await megan.say("notify")
    assert megan.teams.last_message(megan.person).sign_in == "shown"

    code = await complete(browser, stage, sign_in_link(megan), megan.person)
    answer = await megan.teams.verify_state(megan.person, code)

    assert answer.ok
    assert "activity_type" in megan.values()


async def test_another_persons_consent_is_not_kept(
    megan: Desk, stage: Stage, browser: aiohttp.ClientSession
) -> None:
    megan.person.consents.clear()
    await megan.say("notify")
    adele = stage.world.named("Adele")
    code = await complete(browser, stage, sign_in_link(megan), adele)

    await megan.teams.verify_state(megan.person, code)

    assert "somebody else" in megan.shown
    await megan.say("whoami")
    assert "Adele" not in megan.shown


async def test_a_code_that_was_used_says_so(
    megan: Desk, stage: Stage, browser: aiohttp.ClientSession
) -> None:
    megan.person.consents.clear()
    await megan.say("notify")
    code = await complete(browser, stage, sign_in_link(megan), megan.person)
    await megan.teams.verify_state(megan.person, code)
    await megan.teams.verify_state(megan.person, code)
    assert "expired" in megan.shown


async def test_what_only_an_administrator_can_approve_carries_the_link_and_one_tap_tries_again(
    megan: Desk, stage: Stage
) -> None:
    stage.world.tenant_consents -= {SMS_SCOPE}
    await megan.say("text")
    assert "administrator" in megan.shown.lower()
    assert "adminconsent" in str(megan.card)

    stage.world.tenant_consents |= {SMS_SCOPE}
    await megan.press("identity.try_again")
    assert "message_type" in megan.values()


async def test_when_no_exchange_arrives_the_link_is_offered(
    stage: Stage,
    at_desk: Callable[[str], Desk],
    herald: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.teams.sign_in.PATIENCE_S", 0.1)
    stage.world.faults.exchange_mute = True
    lee = at_desk("Lee")
    await lee.teams.install(lee.person)
    await lee.say("notify")
    await stage.world.until(lambda: bool(lee.cards) and "by itself" in lee.shown)
    assert sign_in_link(lee).startswith(f"{stage.public_url}/auth/start?")


async def test_signing_out_forgets_and_the_next_command_signs_in_again(
    megan: Desk, stage: Stage
) -> None:
    await megan.say("notify")
    await megan.say("signout")
    assert "forgotten" in megan.shown
    await megan.say("whoami")
    assert "Megan" not in megan.shown
    await megan.say("notify")
    assert "activity_type" in megan.values()


async def test_removing_the_app_leaves_no_sign_in_behind(megan: Desk, herald: Settings) -> None:
    await megan.say("notify")
    await megan.teams.uninstall(megan.person)
    await megan.teams.install(megan.person)
    await megan.say("whoami")
    assert "Megan Bowen" not in megan.shown


async def test_while_entra_is_away_the_card_says_so_and_nothing_is_kept(
    megan: Desk, stage: Stage
) -> None:
    stage.world.faults.entra_down = True
    await megan.say("notify")
    assert "sign-in service" in megan.shown
    stage.world.faults.entra_down = False
    await megan.press("identity.try_again")
    assert "activity_type" in megan.values()


@pytest.mark.parametrize(
    "value",
    [{}, {"id": 5}, {"id": "x"}, {"id": "x", "token": {"a": 1}}, {"token": "t"}],
    ids=str,
)
async def test_a_misshapen_exchange_is_refused(
    megan: Desk, stage: Stage, value: dict[str, Any]
) -> None:
    answer = await stage.teams.invoke(megan.person, "signin/tokenExchange", value)
    assert answer.status == 400


async def test_another_persons_token_is_not_kept(megan: Desk, stage: Stage) -> None:
    stage.world.faults.exchange_mute = True
    await megan.say("notify")
    [card] = megan.teams.last_message(megan.person).attachments(
        "application/vnd.microsoft.card.oauth"
    )
    stolen = stage.entra.sso_token(stage.world.named("Adele"))
    value = {"id": card["tokenExchangeResource"]["id"], "connectionName": "herald", "token": stolen}
    answer = await stage.teams.invoke(megan.person, "signin/tokenExchange", value)
    assert answer.status == 412
    await megan.say("whoami")
    assert "Adele" not in megan.shown
