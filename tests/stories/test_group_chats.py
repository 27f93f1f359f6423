"""Group chats: the same as in a channel, with the sign-ins that work there."""

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from bot.settings import Settings
from sandbox import actions
from sandbox.conversation import OAUTH_CARD, Conversation
from sandbox.stage import Stage
from tests.desk import Desk
from tests.recorded import recorded
from tests.stories.test_sign_in import complete
from tests.thread import Thread

SEATTLE = "(206) 342-8631"
SMS = "sendVirtualAppointmentSms"


@pytest.fixture
def group(stage: Stage) -> Conversation:
    names = ("Adele", "Megan", "Lee")
    return stage.teams.group("Morning round", [stage.world.named(name) for name in names])


@pytest.fixture
async def adele(herald: Settings, at_desk: Callable[[str], Desk], group: Conversation) -> Thread:
    return Thread(at_desk("Adele"), group)


@pytest.fixture
async def megan(herald: Settings, at_desk: Callable[[str], Desk], group: Conversation) -> Thread:
    return Thread(at_desk("Megan"), group)


def meeting_of(desk: Desk) -> str:
    meetings = desk.stage.world.meetings.values()
    return next(m.join_url for m in meetings if m.organizer_id == desk.person.id)


def oauth_card(thread: Thread) -> dict[str, Any]:
    message = next(m for m in reversed(thread.messages) if m.attachments(OAUTH_CARD))
    card: dict[str, Any] = message.attachments(OAUTH_CARD)[0]
    return card


def exchanged(stage: Stage) -> int:
    return len([r for r in stage.entra.requests if r.grant == "on_behalf_of"])


async def test_the_sign_in_card_signs_in_the_one_who_asked(adele: Thread, stage: Stage) -> None:
    await adele.say("signin")
    assert oauth_card(adele)["tokenExchangeResource"]["id"]
    message = adele.messages[-1]
    answer = await stage.teams.exchange(adele.person, message.id)
    assert answer.status == 200
    assert "You are signed in" in adele.shown
    assert adele.person.mail not in adele.for_all


async def test_another_members_client_exchanges_nothing_into_it(
    adele: Thread, megan: Thread, stage: Stage
) -> None:
    await adele.say("signin")
    message = adele.messages[-1]
    answer = await stage.teams.exchange(megan.person, message.id)
    assert answer.status == 200
    assert exchanged(stage) == 0
    assert adele.messages[-1] is message
    await adele.say("whoami")
    for one in (adele, megan):
        dialog = await one.open(message=adele.message())
        assert "not signed in" in dialog.shown


async def test_several_clients_exchange_once(adele: Thread, stage: Stage) -> None:
    await adele.say("signin")
    card = oauth_card(adele)
    sent = recorded(
        "group-token-exchange",
        stage,
        adele.person,
        adele.place,
        message__id=adele.messages[-1].id,
        exchange_id=card["tokenExchangeResource"]["id"],
        token=stage.entra.sso_token(adele.person),
    )
    for _ in range(3):
        answer = await stage.teams.send(sent)
        assert answer.status == 200
    assert exchanged(stage) == 1
    assert len([text for text in map(actions.text_of, adele.cards) if "signed in" in text]) == 1


async def test_the_pop_ups_code_of_another_person_signs_nobody_in(
    adele: Thread, megan: Thread, stage: Stage, browser: aiohttp.ClientSession
) -> None:
    adele.person.consents.clear()
    await adele.say("signin")
    link = oauth_card(adele)["buttons"][0]["value"]
    code = await complete(browser, stage, link, megan.person)
    sent = recorded("group-verify-state", stage, megan.person, megan.place, code=code)
    answer = await stage.teams.send(sent)
    assert answer.status == 200
    assert "somebody else" in adele.shown
    await adele.say("whoami")
    for one in (adele, megan):
        dialog = await one.open(message=adele.message())
        assert "not signed in" in dialog.shown


async def test_the_pop_ups_code_signs_in_the_one_who_asked(
    adele: Thread, stage: Stage, browser: aiohttp.ClientSession
) -> None:
    await adele.say("signin")
    link = oauth_card(adele)["buttons"][0]["value"]
    code = await complete(browser, stage, link, adele.person)
    sent = recorded("group-verify-state", stage, adele.person, adele.place, code=code)
    assert (await stage.teams.send(sent)).status == 200
    assert "You are signed in" in adele.shown


async def test_in_a_channel_the_sign_in_card_has_the_link_alone(
    stage: Stage, herald: Settings, at_desk: Callable[[str], Desk]
) -> None:
    team = stage.teams.team("Care team", [stage.world.named("Adele")])
    thread = Thread(at_desk("Adele"), stage.teams.channel(team))
    await thread.say("signin")
    card = oauth_card(thread)
    assert "tokenExchangeResource" not in card
    assert card["buttons"][0]["value"].startswith(stage.public_url)


async def test_mentions_fill_the_form_in_and_the_receipt_stays_in_the_chat(
    adele: Thread, megan: Thread, stage: Stage
) -> None:
    await adele.desk.teams.install(adele.person)
    await adele.desk.say("signin")
    sent = recorded(
        "group-notify-mentions", stage, adele.person, adele.place, message__id="1700000000002"
    )
    assert (await stage.teams.send(sent)).status == 200
    dialog = await adele.open()
    assert dialog.values["preview"] == "The build is red"
    filled = {name: "Build 7" for name in dialog.values if name.startswith("param_")}
    await dialog.press("Review", **filled)
    # Adele mentioned herself: nobody can notify himself or herself.
    await dialog.press("Send now to 1 person")
    await stage.world.until(lambda: "Accepted" in adele.shown)
    assert "by Adele Vance" in adele.shown
    assert "Megan Bowen" not in adele.for_all


async def test_after_the_bot_was_removed_the_receipt_goes_to_the_owners_own_chat(
    adele: Thread, stage: Stage, group: Conversation
) -> None:
    await adele.desk.teams.install(adele.person)
    await adele.desk.say("signin")
    await adele.say("text")
    dialog = await adele.open()
    await dialog.press("Review", meeting=meeting_of(adele.desk), phone_0=SEATTLE)
    await stage.teams.remove_from(adele.person, group)
    await dialog.press("Send now to 1 person")
    await stage.world.until(lambda: "accepted" in adele.desk.shown.lower(), timeout_s=8)
    assert len(stage.world.accepted(SMS)) == 1
