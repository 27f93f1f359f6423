"""Buttons inside messages: refreshes that never act, sign-ins in place, cards of another time."""

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from bot.settings import Settings
from sandbox import actions
from sandbox.conversation import Conversation
from sandbox.stage import Stage
from tests.desk import Desk
from tests.recorded import recorded
from tests.stories.test_channels import SMS, meeting_of, sent_text
from tests.stories.test_sign_in import complete
from tests.thread import Thread

SEATTLE = "(206) 342-8631"
SIGN_IN = {"verb": "identity.sign_in", "then": "signin"}
LOGIN = "application/vnd.microsoft.activity.loginRequest"
CARD = "application/vnd.microsoft.card.adaptive"


@pytest.fixture
def channel(stage: Stage) -> Conversation:
    people = [who for who in stage.world.people.values() if not who.is_guest]
    return stage.teams.channel(stage.teams.team("Care team", people))


@pytest.fixture
async def adele(herald: Settings, at_desk: Callable[[str], Desk], channel: Conversation) -> Thread:
    desk = at_desk("Adele")
    await desk.teams.install(desk.person)
    await desk.say("signin")
    return Thread(desk, channel)


async def pressed(
    thread: Thread, payload: str, data: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """The answer to a recorded `adaptiveCard/action`."""
    sent = recorded(
        payload,
        thread.desk.stage,
        thread.person,
        thread.place,
        message__id=thread.messages[-1].id,
        verb=data.get("verb", ""),
        data=data,
        **more,
    )
    answer = await thread.teams.send(sent)
    assert answer.status == 200
    body: dict[str, Any] = answer.body
    return body


async def waiting_for_sign_in(thread: Thread) -> None:
    """A scheduled text whose owner signed out before it left, with its card in the thread."""
    await thread.say("text")
    dialog = await thread.open()
    await dialog.press("Review", meeting=meeting_of(thread.desk), phone_0=SEATTLE)
    thread.desk.stage.world.script += ["429:1"]
    await dialog.press("Send now to 1 person")
    await thread.desk.say("signout")
    world = thread.desk.stage.world
    await world.until(lambda: "Waiting for a sign-in" in thread.shown, timeout_s=8)


async def test_a_card_in_a_thread_is_drawn_anew_for_its_owner_alone(adele: Thread) -> None:
    await sent_text(adele)
    refresh = (adele.message().card() or {})["refresh"]
    assert refresh["userIds"] == [adele.person.teams_id]
    assert refresh["action"]["type"] == "Action.Execute"
    again = await pressed(adele, "channel-card-refresh", refresh["action"]["data"])
    assert again["type"] == CARD
    assert "8631" in str(again["value"])


@pytest.mark.parametrize("verb", ["cancel", "now", "retry", "send_again", "separate", "results"])
@pytest.mark.parametrize("where", ["channel", "personal"])
async def test_a_refresh_never_acts(adele: Thread, stage: Stage, verb: str, where: str) -> None:
    await sent_text(adele)
    refresh = (adele.message().card() or {})["refresh"]
    data = {**refresh["action"]["data"], "verb": f"delivery.{verb}", "seen": "9999999999999"}
    sent = recorded(
        f"{where}-card-refresh",
        stage,
        adele.person,
        adele.place if where == "channel" else None,
        message__id=adele.message().id,
        verb=data["verb"],
        data=data,
    )
    before = len(adele.messages), len(adele.desk.cards), len(stage.world.graph_calls)
    answer = await stage.teams.send(sent)
    assert answer.status == 200
    assert (len(adele.messages), len(adele.desk.cards), len(stage.world.graph_calls)) == before
    assert len(stage.world.accepted(SMS)) == 1


async def test_a_refresh_of_another_button_shows_nothing(adele: Thread) -> None:
    await adele.say("help")
    for verb in ("notice.open", "text.send", "identity.sign_in"):
        body = await pressed(adele, "channel-card-refresh", {"verb": verb, "then": "signin"})
        assert body["value"] == ""
    assert len(adele.messages) == 1


async def test_sign_in_from_a_card_in_a_channel_is_a_login_request_that_goes_on(
    adele: Thread, stage: Stage
) -> None:
    await waiting_for_sign_in(adele)
    first = await pressed(adele, "channel-card-action", SIGN_IN)
    assert (first["statusCode"], first["type"]) == (401, LOGIN)
    exchange_id = first["value"]["tokenExchangeResource"]["id"]
    told = await pressed(
        adele,
        "channel-card-action-signed-in",
        SIGN_IN,
        exchange_id=exchange_id,
        token=stage.entra.sso_token(adele.person),
    )
    while told["type"] == LOGIN:  # what waits needs more than one set of permissions
        told = await pressed(
            adele,
            "channel-card-action-signed-in",
            SIGN_IN,
            exchange_id=told["value"]["tokenExchangeResource"]["id"],
            token=stage.entra.sso_token(adele.person),
        )
    assert told["type"] == CARD
    assert "You are signed in" in actions.text_of(told["value"])
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1, timeout_s=6)
    await stage.world.until(lambda: "Accepted" in adele.shown, timeout_s=6)


async def test_the_pop_ups_code_comes_back_with_the_button(
    adele: Thread, stage: Stage, browser: aiohttp.ClientSession
) -> None:
    await adele.desk.say("signout")
    await adele.say("help")
    first = await pressed(adele, "channel-card-action", SIGN_IN)
    link = first["value"]["buttons"][0]["value"]
    code = await complete(browser, stage, link, adele.person)
    told = await pressed(adele, "channel-login-state", SIGN_IN, code=code)
    assert "You are signed in" in actions.text_of(told["value"])
    used = await pressed(adele, "channel-login-state", SIGN_IN, code=code)
    assert used["statusCode"] == 401
    assert len(adele.messages) == 1


async def test_another_persons_code_or_token_signs_nobody_in(
    adele: Thread, stage: Stage, at_desk: Callable[[str], Desk], browser: aiohttp.ClientSession
) -> None:
    await adele.say("help")
    megan = Thread(at_desk("Megan"), adele.place)
    first = await pressed(megan, "channel-card-action", SIGN_IN)
    link = first["value"]["buttons"][0]["value"]
    code = await complete(browser, stage, link, adele.person)
    told = await pressed(megan, "channel-login-state", SIGN_IN, code=code)
    assert "somebody else" in str(told["value"])
    stolen = await pressed(
        megan,
        "channel-card-action-signed-in",
        SIGN_IN,
        exchange_id=first["value"]["tokenExchangeResource"]["id"],
        token=stage.entra.sso_token(adele.person),
    )
    assert stolen["type"] != CARD or "somebody else" in str(stolen["value"])
    made_for_adele = await pressed(
        megan,
        "channel-card-action-signed-in",
        SIGN_IN,
        exchange_id="signin~notify~x~y",
        token=stage.entra.sso_token(megan.person),
    )
    assert made_for_adele["statusCode"] == 412
    await adele.say("whoami")
    dialog = await megan.open(message=adele.message())
    assert "not signed in" in dialog.shown


async def test_a_refused_consent_is_a_failed_precondition(adele: Thread, stage: Stage) -> None:
    await adele.desk.say("signout")
    adele.person.consents.clear()
    await adele.say("help")
    first = await pressed(adele, "channel-card-action", SIGN_IN)
    told = await pressed(
        adele,
        "channel-card-action-signed-in",
        SIGN_IN,
        exchange_id=first["value"]["tokenExchangeResource"]["id"],
        token=stage.entra.sso_token(adele.person),
    )
    assert told["statusCode"] == 412


async def test_the_fallback_of_a_sign_in_posts_a_card_with_the_link(
    adele: Thread, stage: Stage
) -> None:
    await waiting_for_sign_in(adele)
    stage.teams.universal_actions = False
    before = len(adele.messages)
    sent = recorded(
        "channel-card-submit",
        stage,
        adele.person,
        adele.place,
        message__id=adele.message().id,
        data=SIGN_IN,
    )
    assert (await stage.teams.send(sent)).status == 200
    assert len(adele.messages) == before + 1
    assert adele.messages[-1].attachments("application/vnd.microsoft.card.oauth")


async def test_try_again_of_a_form_opens_ones_own_and_of_a_sign_in_signs_in(
    adele: Thread, stage: Stage
) -> None:
    await adele.say("help")
    form = await pressed(
        adele, "channel-card-action", {"verb": "identity.try_again", "then": "notify"}
    )
    [door] = actions.buttons(form["value"])
    assert door["data"]["command"] == "notify"
    await adele.desk.say("signout")
    again = {"verb": "identity.try_again", "then": "signin"}
    assert (await pressed(adele, "channel-card-action", again))["type"] == LOGIN
    assert len(adele.messages) == 1


OLD: list[dict[str, Any]] = [
    {"verb": "text.form_of_last_year", "phone_0": "2063428631"},
    {"verb": "notice.review", "preview": "The build is red"},
    {"verb": "delivery.gone", "delivery_id": "00000000000000000000000000000000"},
    {"verb": "", "x": "y"},
    {"something": "else"},
]


@pytest.mark.parametrize("data", OLD, ids=lambda data: str(data.get("verb")))
@pytest.mark.parametrize("kind", ["card-action", "card-submit"])
async def test_a_button_from_before_an_upgrade_gets_a_fresh_card(
    adele: Thread, stage: Stage, data: dict[str, Any], kind: str
) -> None:
    desk = adele.desk
    sent = recorded(
        f"personal-{kind}",
        stage,
        desk.person,
        message__id=desk.message().id,
        verb=data.get("verb", ""),
        data=data,
    )
    answer = await stage.teams.send(sent)
    assert answer.status == 200
    shown = answer.body["value"] if kind == "card-action" else desk.card
    assert actions.buttons(shown)
    assert "earlier time" in actions.text_of(shown)
    for typed in ("2063428631", "The build is red"):
        assert (typed in str(shown)) is (typed in data.values())


@pytest.mark.parametrize("data", OLD, ids=lambda data: str(data.get("verb")))
@pytest.mark.parametrize("kind", ["card-action", "card-submit"])
async def test_in_a_channel_it_gets_a_fresh_one_that_shows_nothing_of_it(
    adele: Thread, stage: Stage, data: dict[str, Any], kind: str
) -> None:
    await adele.say("help")
    before = adele.for_all
    sent = recorded(
        f"channel-{kind}",
        stage,
        adele.person,
        adele.place,
        message__id=adele.messages[-1].id,
        verb=data.get("verb", ""),
        data=data,
    )
    answer = await stage.teams.send(sent)
    assert answer.status == 200
    if kind == "card-action":
        assert adele.for_all == before
        shown = answer.body["value"]
    else:
        shown = adele.card
    assert actions.buttons(shown)
    assert all(b["data"]["msteams"]["type"] == "task/fetch" for b in actions.buttons(shown))
    assert "2063428631" not in adele.for_all
    assert "The build is red" not in adele.for_all


async def test_a_delivery_button_that_is_gone_shows_the_delivery_as_it_is(
    adele: Thread, stage: Stage
) -> None:
    await sent_text(adele)
    delivery_id = (adele.message().card() or {})["refresh"]["action"]["data"]["delivery_id"]
    data = {"verb": "delivery.of_last_year", "delivery_id": delivery_id}
    desk = adele.desk
    sent = recorded(
        "personal-card-action",
        stage,
        desk.person,
        message__id=desk.message().id,
        verb=data["verb"],
        data=data,
    )
    answer = await stage.teams.send(sent)
    assert "8631" in actions.text_of(answer.body["value"])
