"""The compose box: the same forms as dialogs, signed in by the ways that work there."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.settings import Settings
from sandbox import actions
from sandbox.stage import Stage
from tests.desk import Desk

SMS = "sendVirtualAppointmentSms"
BULK = "sendActivityNotificationToRecipients"


@pytest.fixture
async def adele(herald: Settings, at_desk: Callable[[str], Desk]) -> Desk:
    return at_desk("Adele")


async def fetch(desk: Desk, command: str, **more: Any) -> dict[str, Any]:
    value = {"commandId": command, "commandContext": "compose", **more}
    answer = await desk.teams.invoke(desk.person, "composeExtension/fetchTask", value)
    assert answer.ok
    body: dict[str, Any] = answer.body
    return body


async def submit(desk: Desk, card: dict[str, Any], title: str, **entered: str) -> dict[str, Any]:
    button = actions.button(card, title)
    assert button["type"] == "Action.Submit"
    data = {**actions.inputs(card), **entered, **button["data"]}
    value = {"commandId": "any", "commandContext": "compose", "data": data}
    answer = await desk.teams.invoke(desk.person, "composeExtension/submitAction", value)
    assert answer.ok
    body: dict[str, Any] = answer.body
    return body


def card_of(body: dict[str, Any]) -> dict[str, Any]:
    assert body["task"]["type"] == "continue"
    card: dict[str, Any] = body["task"]["value"]["card"]["content"]
    return card


async def test_silent_sign_in_comes_first_and_the_reissued_invoke_opens_the_form(
    adele: Desk, stage: Stage
) -> None:
    asked = await fetch(adele, "textAttendees")
    assert asked["composeExtension"]["type"] == "silentAuth"
    token = stage.entra.sso_token(adele.person)
    body = await fetch(adele, "textAttendees", authentication={"token": token})
    assert "message_type" in actions.inputs(card_of(body))


async def test_without_consent_the_pop_up_is_offered(adele: Desk, stage: Stage) -> None:
    adele.person.consents.clear()
    token = stage.entra.sso_token(adele.person)
    asked = await fetch(adele, "notifyTeammates", authentication={"token": token})
    assert asked["composeExtension"]["type"] == "auth"
    [action] = asked["composeExtension"]["suggestedActions"]["actions"]
    assert action["value"].startswith(f"{stage.public_url}/auth/start?")


async def test_a_text_is_sent_from_the_dialog_once(adele: Desk, stage: Stage) -> None:
    token = stage.entra.sso_token(adele.person)
    body = await fetch(adele, "textAttendees", authentication={"token": token})
    meetings = stage.world.meetings.values()
    meeting = next(m.join_url for m in meetings if m.organizer_id == adele.person.id)
    form = card_of(body)
    wrong = card_of(await submit(adele, form, "Review", meeting=meeting, phone_0="12"))
    assert actions.inputs(wrong)["phone_0"] == "12"
    review = card_of(await submit(adele, wrong, "Review", phone_0="(206) 342-8631"))
    send = next(b for b in actions.buttons(review) if b.get("data", {}).get("verb") == "text.send")
    receipt = card_of(await submit(adele, review, send["title"]))
    assert "accepted" in actions.text_of(receipt).lower()
    again = card_of(await submit(adele, review, send["title"]))
    assert "accepted" in actions.text_of(again).lower()
    assert len(stage.world.accepted(SMS)) == 1
    assert "Action.Execute" not in str(receipt)


async def test_what_needs_an_administrator_says_so_in_the_dialog(adele: Desk, stage: Stage) -> None:
    stage.world.tenant_consents.clear()
    token = stage.entra.sso_token(adele.person)
    body = await fetch(adele, "textAttendees", authentication={"token": token})
    assert "administrator" in actions.text_of(card_of(body)).lower()


@pytest.mark.parametrize("value", [{}, {"commandId": "unheard"}, {"commandId": 5}], ids=str)
async def test_an_unknown_command_gets_a_sentence(
    adele: Desk, stage: Stage, value: dict[str, Any]
) -> None:
    answer = await stage.teams.invoke(adele.person, "composeExtension/fetchTask", value)
    assert answer.ok
    assert answer.body["task"]["type"] == "message"


@pytest.mark.parametrize("data", [None, [], "x", {"verb": "text.send"}, 7], ids=str)
async def test_a_misshapen_submit_gets_a_sentence(adele: Desk, stage: Stage, data: Any) -> None:
    value = {"commandId": "textAttendees", "data": data}
    answer = await stage.teams.invoke(adele.person, "composeExtension/submitAction", value)
    assert answer.ok
    # A sentence alone would close the dialog.
    assert "no longer leads anywhere" in actions.text_of(card_of(answer.body))
