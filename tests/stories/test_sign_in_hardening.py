"""Signing in when Entra hangs, in company, after a restart; and what waits for it goes on."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from bot.identity.entra import Entra
from sandbox import actions
from sandbox.conversation import Conversation
from sandbox.stage import Stage
from sandbox.world import Person
from tests.conftest import Serve
from tests.desk import Desk

SEATTLE = "(206) 342-8631"
SMS = "sendVirtualAppointmentSms"
BULK = "sendActivityNotificationToRecipients"
SMS_SCOPE = "VirtualAppointmentNotification.Send"
OAUTH = "application/vnd.microsoft.card.oauth"


async def asked(
    stage: Stage, person: Person, word: str, place: Conversation | None = None
) -> dict[str, Any]:
    """What a client would send for the sign-in that this word asks for, and has not sent yet."""
    stage.world.faults.exchange_mute = True
    await stage.teams.say(person, word, place)
    stage.world.faults.exchange_mute = False
    chat = place or stage.teams.chat(person)
    [card] = chat.messages[-1].attachments(OAUTH)
    return {
        "id": card["tokenExchangeResource"]["id"],
        "connectionName": card["connectionName"],
        "token": stage.entra.sso_token(person),
    }


async def reviewed(desk: Desk) -> None:
    await desk.say("text")
    meetings = desk.stage.world.meetings.values()
    mine = next(m.join_url for m in meetings if m.organizer_id == desk.person.id)
    await desk.press("Review", meeting=mine, phone_0=SEATTLE)


async def notice_reviewed(desk: Desk) -> None:
    await desk.say("notify")
    await desk.press("notice.choose_kind", activity_type="deploymentApprovalRequired")
    who = desk.stage.world.named("Megan").id
    values = {"param_deploymentId": "7", "preview": "Please look.", "recipients": who}
    await desk.press("Review", **values)


async def pressed_on(desk: Desk, verb: str) -> None:
    """Press a button of an earlier card."""
    card = next(c for c in reversed(desk.cards) if verb in str(c))
    button = actions.button(card, verb)
    await desk.teams.press(desk.person, desk.message(card).id, button, {})
    await desk.teams.settled()


# What waits for a sign-in -------------------------------------------------------------------------


async def test_after_the_administrator_approved_sign_in_wakes_the_text(
    adele: Desk, stage: Stage
) -> None:
    await reviewed(adele)
    stage.world.tenant_consents -= {SMS_SCOPE}
    stage.entra.token_life_s = 200
    # The token of the form is still good; make it old, so that it must be renewed.
    await adele.say("signout")
    stage.entra.token_life_s = 4500
    await adele.say("signin")
    await pressed_on(adele, "text.send")
    waiting = next(c for c in adele.cards if "identity.sign_in" in str(c))
    assert "Waiting until you sign in" in actions.text_of(waiting)
    stage.world.tenant_consents |= {SMS_SCOPE}
    await pressed_on(adele, "identity.sign_in")
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1, timeout_s=3)


async def test_while_the_administrator_has_not_approved_sign_in_shows_the_link_to_forward(
    adele: Desk, stage: Stage
) -> None:
    await reviewed(adele)
    stage.world.tenant_consents -= {SMS_SCOPE}
    await adele.say("signout")
    await adele.say("signin")
    await pressed_on(adele, "text.send")
    await pressed_on(adele, "identity.sign_in")
    assert "adminconsent" in str(adele.card)
    stage.world.tenant_consents |= {SMS_SCOPE}
    await adele.press("Try again")
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1, timeout_s=3)


async def test_a_sign_in_in_the_compose_box_wakes_what_waits(adele: Desk, stage: Stage) -> None:
    await notice_reviewed(adele)
    await adele.say("signout")
    await pressed_on(adele, "notice.send")
    assert not stage.world.accepted(BULK)
    token = stage.entra.sso_token(adele.person)
    value = {"commandId": "notifyTeammates", "authentication": {"token": token}}
    await stage.teams.invoke(adele.person, "composeExtension/fetchTask", value)
    await stage.world.until(lambda: len(stage.world.accepted(BULK)) == 1, timeout_s=3)


async def test_signin_wakes_what_waits_though_one_is_signed_in_already(
    adele: Desk, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await notice_reviewed(adele)
    await adele.say("signout")
    await pressed_on(adele, "notice.send")

    async def lost(*_: Any) -> None:
        """Nobody hears of the sign-in, as when the process ends just then."""

    monkeypatch.setattr("bot.identity.obo.Identity._told", lost)
    await adele.say("signin")
    await adele.say("signin")
    await stage.world.until(lambda: len(stage.world.accepted(BULK)) == 1, timeout_s=3)


async def test_the_sign_in_button_of_whoami_signs_in(adele: Desk) -> None:
    await adele.say("whoami")
    await adele.press("Sign in")
    assert "Adele Vance" in adele.shown


# Five seconds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["signin/tokenExchange", "composeExtension/fetchTask"])
async def test_a_sign_in_is_answered_in_five_seconds_when_entra_hangs(
    adele: Desk, stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    value = await asked(stage, adele.person, "text")
    real = Entra.on_behalf_of

    async def slow(*passed: Any) -> Any:
        await asyncio.sleep(6)
        return await real(*passed)

    monkeypatch.setattr(Entra, "on_behalf_of", slow)
    if name.startswith("compose"):
        value = {"commandId": "textAttendees", "authentication": {"token": value["token"]}}
    answer = await stage.teams.invoke(adele.person, name, value)
    assert not answer.late
    if name == "signin/tokenExchange":
        assert answer.status == 412
        assert "did not answer" in answer.body["failureDetail"]
        # The work goes on, and ends with the form.
        await stage.world.until(lambda: "message_type" in adele.values(), timeout_s=6)
    else:
        card = answer.body["task"]["value"]["card"]["content"]
        assert actions.button(card, "Try again")


async def test_an_exchange_is_answered_in_five_seconds_when_the_connector_throttles(
    adele: Desk, stage: Stage
) -> None:
    value = await asked(stage, adele.person, "signin")
    stage.connector.fail_next(429, retry_after_s=6)
    answer = await stage.teams.invoke(adele.person, "signin/tokenExchange", value)
    assert not answer.late
    assert answer.status == 200
    await stage.world.until(lambda: "Adele Vance" in adele.shown, timeout_s=8)


async def test_an_exchange_is_answered_in_five_seconds_when_graph_is_slow(
    adele: Desk, stage: Stage
) -> None:
    value = await asked(stage, adele.person, "text")
    stage.world.faults.slow_s = 6
    answer = await stage.teams.invoke(adele.person, "signin/tokenExchange", value)
    assert not answer.late


# In company ---------------------------------------------------------------------------------------


@pytest.fixture
def group(adele: Desk, stage: Stage) -> Conversation:
    people = [adele.person, stage.world.named("Megan")]
    group = stage.connector.conversations.shared("Team", people)
    group.has_bot = True
    return group


async def test_in_a_group_chat_only_the_asker_is_signed_in(
    adele: Desk, stage: Stage, group: Conversation
) -> None:
    megan = stage.world.named("Megan")
    value = await asked(stage, adele.person, "signin", group)
    before = len(group.messages)
    hers = {**value, "token": stage.entra.sso_token(megan)}
    await stage.teams.invoke(megan, "signin/tokenExchange", hers, group)
    assert len(group.messages) == before, "Megan, who asked for nothing, was signed in"
    assert not [r for r in stage.entra.requests if r.grant == "on_behalf_of"]
    await stage.teams.invoke(adele.person, "signin/tokenExchange", value, group)
    assert len([r for r in stage.entra.requests if r.grant == "on_behalf_of"]) == 1


@pytest.mark.parametrize("made_up", ["notify~notify~abc", "a", "~~~", "text~other~x~y~z"])
async def test_an_exchange_that_nobody_asked_for_does_nothing(
    adele: Desk, stage: Stage, made_up: str
) -> None:
    value = {"id": made_up, "connectionName": "herald"}
    value["token"] = stage.entra.sso_token(adele.person)
    answer = await stage.teams.invoke(adele.person, "signin/tokenExchange", value)
    assert answer.status == 200
    assert not [r for r in stage.entra.requests if r.grant == "on_behalf_of"]


@pytest.mark.parametrize("word", ["whoami", "signin"])
@pytest.mark.parametrize("kind", ["channel", "groupChat"])
async def test_others_do_not_read_whose_address_it_is_and_what_was_allowed(
    adele: Desk, stage: Stage, word: str, kind: str
) -> None:
    await adele.say("signin")
    people = list(stage.world.people.values())
    place = stage.connector.conversations.shared("General", people, kind)
    place.has_bot = True
    await stage.teams.say(adele.person, word, place)
    shown = actions.text_of(place.messages[-1].card() or {})
    assert ("You are signed in" in shown) is (word == "signin")
    assert adele.person.mail not in shown
    assert "TeamsActivity" not in shown


# Once, and again ----------------------------------------------------------------------------------


async def test_an_exchange_that_failed_is_not_answered_200_after_a_restart(
    stage: Stage, serve: Serve, at_desk: Callable[[str], Desk]
) -> None:
    adele = at_desk("Adele")
    async with serve():
        await adele.teams.install(adele.person)
        value = await asked(stage, adele.person, "notify")
        stage.world.faults.entra_down = True
        first = await stage.teams.invoke(adele.person, "signin/tokenExchange", value)
        assert first.status == 412
    stage.world.faults.entra_down = False
    async with serve():
        await stage.teams.invoke(adele.person, "signin/tokenExchange", value)
        await adele.say("whoami")
        assert "Adele Vance" in adele.shown


async def test_an_exchange_that_succeeded_is_not_done_again_after_a_restart(
    stage: Stage, serve: Serve, at_desk: Callable[[str], Desk]
) -> None:
    adele = at_desk("Adele")
    for _ in range(2):
        async with serve():
            if not adele.cards:
                await adele.teams.install(adele.person)
                value = await asked(stage, adele.person, "notify")
            answer = await stage.teams.invoke(adele.person, "signin/tokenExchange", value)
            assert answer.status == 200
    assert len([r for r in stage.entra.requests if r.grant == "on_behalf_of"]) == 1


async def test_a_sign_in_that_does_not_help_is_not_asked_for_again_and_again(
    adele: Desk, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.errors import SignInNeeded
    from bot.identity.obo import Identity

    async def never(*_: Any, **__: Any) -> Any:
        raise SignInNeeded

    monkeypatch.setattr(Identity, "token", never)
    await adele.say("notify")
    assert len([r for r in stage.entra.requests if r.grant == "on_behalf_of"]) == 1
    assert actions.button(adele.card, "Sign in")


# Buttons that lead somewhere ----------------------------------------------------------------------


async def test_the_dialogs_try_again_leads_to_the_form(adele: Desk, stage: Stage) -> None:
    stage.world.tenant_consents.clear()
    token = stage.entra.sso_token(adele.person)
    value = {"commandId": "textAttendees", "authentication": {"token": token}}
    opened = await stage.teams.invoke(adele.person, "composeExtension/fetchTask", value)
    card = opened.body["task"]["value"]["card"]["content"]
    stage.world.tenant_consents |= {SMS_SCOPE, "openid", "profile"}
    button = actions.button(card, "Try again")
    posted = len(adele.cards)
    answer = await stage.teams.invoke(
        adele.person,
        "composeExtension/submitAction",
        {"commandId": "textAttendees", "data": button["data"]},
    )
    assert "no longer leads" not in json.dumps(answer.body)
    shown = answer.body["task"]["value"]["card"]["content"]
    # Nobody is signed in yet, for Entra refused: the dialog has the link; or it has the form.
    assert "message_type" in actions.inputs(shown) or "/auth/start" in json.dumps(shown)
    assert len(adele.cards) == posted


async def test_the_link_card_after_a_review_has_no_dead_button(
    adele: Desk, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.teams.sign_in.PATIENCE_S", 0.1)
    await adele.say("text")
    form, message = adele.card, adele.message()
    values = {k: v for k, v in actions.inputs(form).items() if v}
    meetings = stage.world.meetings.values()
    mine = next(m.join_url for m in meetings if m.organizer_id == adele.person.id)
    values |= {"meeting": mine, "phone_0": SEATTLE}
    await adele.say("signout")
    stage.world.faults.exchange_mute = True
    await adele.teams.press(adele.person, message.id, actions.button(form, "Review"), values)
    await stage.world.until(lambda: "by itself" in adele.shown)
    assert adele.has_button("Sign in")
    assert not adele.has_button("Try again")
