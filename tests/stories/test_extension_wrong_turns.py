"""The extension's wrong turns: late answers, other people's forms, places without the bot."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from bot.delivery.database import StorageUnavailable
from bot.delivery.ledger import Ledger
from bot.identity.entra import Entra
from bot.settings import Settings
from bot.teams import answers, belated, deliveries
from bot.teams.notice_views import NoticeCards
from sandbox import actions
from sandbox.answers import problem_of
from sandbox.conversation import Conversation
from sandbox.stage import Stage
from tests.desk import Desk
from tests.recorded import recorded
from tests.stories.test_sign_in import complete

BULK = "sendActivityNotificationToRecipients"
SMS = "sendVirtualAppointmentSms"
SEATTLE = "(206) 342-8631"
FETCH = "composeExtension/fetchTask"
SUBMIT = "composeExtension/submitAction"
COMMANDS = ("textAttendees", "notifyTeammates")


@pytest.fixture
def anew(herald: Settings, at_desk: Callable[[str], Desk]) -> Desk:
    """Adele, who has not signed in, and has no chat with the bot."""
    return at_desk("Adele")


@pytest.fixture
async def adele(anew: Desk) -> Desk:
    await anew.teams.install(anew.person)
    await anew.say("signin")
    return anew


@pytest.fixture
def elsewhere(stage: Stage) -> Conversation:
    """A group chat that the bot is no member of."""
    place = stage.teams.group("Elsewhere", [stage.world.named("Adele"), stage.world.named("Lee")])
    place.has_bot = False
    return place


async def told(desk: Desk, place: Conversation, name: str, **given: Any) -> dict[str, Any]:
    """What the extension answers to a recorded activity; Teams would take it."""
    activity = recorded(name, desk.stage, desk.person, place, **given)
    answer = await desk.teams.send(activity)
    assert problem_of(activity["name"], answer.status, answer.body) == ""
    body: dict[str, Any] = answer.body
    return body


def card_of(body: dict[str, Any]) -> dict[str, Any]:
    card: dict[str, Any] = body["task"]["value"]["card"]["content"]
    return card


async def opened(desk: Desk, place: Conversation, command: str) -> dict[str, Any]:
    """The form of a command, signed in silently."""
    token = desk.stage.entra.sso_token(desk.person)
    return card_of(await told(desk, place, "compose-fetch-signed-in", command=command, token=token))


def data_of(card: dict[str, Any], name: str, **entered: str) -> dict[str, Any]:
    known = actions.buttons(card)
    button = next(b for b in known if name in {b["title"], b.get("data", {}).get("verb")})
    return {**actions.inputs(card), **entered, **button["data"]}


async def pressed(
    desk: Desk, place: Conversation, card: dict[str, Any], name: str, **entered: str
) -> dict[str, Any]:
    """The card after a button of the dialog."""
    data = data_of(card, name, **entered)
    return card_of(await told(desk, place, "compose-submit", command="x", data=data))


def meeting_of(desk: Desk) -> str:
    meetings = desk.stage.world.meetings.values()
    return next(m.join_url for m in meetings if m.organizer_id == desk.person.id)


async def reviewed(desk: Desk, place: Conversation) -> dict[str, Any]:
    form = await opened(desk, place, "textAttendees")
    return await pressed(desk, place, form, "Review", meeting=meeting_of(desk), phone_0=SEATTLE)


# Signing in ---------------------------------------------------------------------------------------


async def test_silently_then_by_the_pop_up_whose_code_opens_the_form(
    anew: Desk, stage: Stage, elsewhere: Conversation, browser: aiohttp.ClientSession
) -> None:
    anew.person.consents.clear()
    given: dict[str, Any] = {"command": "notifyTeammates"}
    asked = await told(anew, elsewhere, "compose-fetch", **given)
    assert asked["composeExtension"]["type"] == "silentAuth"
    token = stage.entra.sso_token(anew.person)
    asked = await told(anew, elsewhere, "compose-fetch-signed-in", token=token, **given)
    assert asked["composeExtension"]["type"] == "auth"
    link = asked["composeExtension"]["suggestedActions"]["actions"][0]["value"]
    code = await complete(browser, stage, link, anew.person)
    body = await told(anew, elsewhere, "compose-fetch-state", state=code, **given)
    assert "preview" in actions.inputs(card_of(body))
    # Teams may send the same code again.
    again = await told(anew, elsewhere, "compose-fetch-state", state=code, **given)
    assert "preview" in actions.inputs(card_of(again))


async def test_consent_refused_leaves_a_sign_in_to_try_again(
    anew: Desk, elsewhere: Conversation
) -> None:
    body = await told(
        anew, elsewhere, "compose-fetch-state", command="notifyTeammates", state="CancelledByUser"
    )
    assert "expired or was already used" in actions.text_of(card_of(body))
    assert actions.button(card_of(body), "Try again")


async def test_somebody_elses_token_opens_nothing_and_nothing_of_it_is_kept(
    anew: Desk, stage: Stage, elsewhere: Conversation
) -> None:
    token = stage.entra.sso_token(stage.world.named("Lee"))
    body = await told(
        anew, elsewhere, "compose-fetch-signed-in", command="notifyTeammates", token=token
    )
    assert "somebody else" in actions.text_of(card_of(body))
    after = await told(anew, elsewhere, "compose-fetch", command="notifyTeammates")
    assert after["composeExtension"]["type"] == "silentAuth"


async def test_somebody_else_completing_the_pop_up_signs_nobody_in(
    anew: Desk, stage: Stage, elsewhere: Conversation, browser: aiohttp.ClientSession
) -> None:
    anew.person.consents.clear()
    token = stage.entra.sso_token(anew.person)
    asked = await told(
        anew, elsewhere, "compose-fetch-signed-in", command="notifyTeammates", token=token
    )
    link = asked["composeExtension"]["suggestedActions"]["actions"][0]["value"]
    code = await complete(browser, stage, link, stage.world.named("Lee"))
    body = await told(anew, elsewhere, "compose-fetch-state", command="notifyTeammates", state=code)
    assert "somebody else" in actions.text_of(card_of(body))


@pytest.mark.parametrize("command", COMMANDS)
async def test_entra_away_is_said_with_a_way_on(
    anew: Desk, stage: Stage, elsewhere: Conversation, command: str
) -> None:
    stage.world.faults.entra_down = True
    token = stage.entra.sso_token(anew.person)
    body = await told(anew, elsewhere, "compose-fetch-signed-in", command=command, token=token)
    assert "did not answer" in actions.text_of(card_of(body))
    stage.world.faults.entra_down = False
    button = actions.button(card_of(body), "Try again")
    body = await told(anew, elsewhere, "compose-submit", command=command, data=button["data"])
    assert "Sign in" in actions.text_of(card_of(body)) or actions.inputs(card_of(body))


async def test_a_message_outlives_the_trouble_with_the_sign_in(anew: Desk, stage: Stage) -> None:
    place = stage.teams.channel(stage.teams.team("Ward", stage.world.people.values()))
    place.has_bot = False
    stage.world.faults.entra_down = True
    given = {"message__id": "1700000000001", "token": stage.entra.sso_token(anew.person)}
    body = await told(anew, place, "compose-about-message-signed-in", **given)
    stage.world.faults.entra_down = False
    await anew.teams.install(anew.person)
    await anew.say("signin")
    form = await pressed(anew, place, card_of(body), "Try again")
    assert actions.inputs(form)["preview"].startswith("Please see Lee Gu")


# Whose form it is ---------------------------------------------------------------------------------


async def test_a_form_opened_twice_is_two_forms(adele: Desk, elsewhere: Conversation) -> None:
    forms = [await opened(adele, elsewhere, "textAttendees") for _ in range(2)]
    ids = {actions.button(form, "Review")["data"]["form_id"] for form in forms}
    assert len(ids) == 2


async def test_another_persons_form_is_refused_and_sends_nothing(
    adele: Desk, stage: Stage, elsewhere: Conversation, at_desk: Callable[[str], Desk]
) -> None:
    review = await reviewed(adele, elsewhere)
    lee = at_desk("Lee")
    shown = await pressed(lee, elsewhere, review, "text.send")
    assert "somebody else" in actions.text_of(shown)
    assert "8631" not in json.dumps(shown)
    assert not stage.world.accepted(SMS)


async def test_the_same_person_in_another_tenant_is_somebody_else(
    adele: Desk, stage: Stage, elsewhere: Conversation
) -> None:
    review = await reviewed(adele, elsewhere)
    data = data_of(review, "text.send")
    activity = recorded("compose-submit", stage, adele.person, elsewhere, command="x", data=data)
    other = "99999999-6c1f-4f4e-9d3d-0c4b3b1a7e01"
    activity["channelData"]["tenant"]["id"] = other
    activity["conversation"]["tenantId"] = other
    answer = await stage.teams.send(activity)
    assert answer.status == 403
    assert not stage.world.accepted(SMS)


# Late answers and Teams' own retries --------------------------------------------------------------


async def test_a_late_submit_that_teams_sends_twice_more_sends_once(
    adele: Desk, stage: Stage, elsewhere: Conversation
) -> None:
    review = await reviewed(adele, elsewhere)
    stage.world.faults.slow_s = 0.5
    stage.teams.invoke_patience_s = 0.0
    value = {"commandId": "textAttendees", "data": data_of(review, "text.send")}
    answer = await stage.teams.invoke(adele.person, SUBMIT, value, elsewhere)
    assert answer.late
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1)
    stage.teams.invoke_patience_s = 5.0
    stage.world.faults.slow_s = 0.0
    shown = await pressed(adele, elsewhere, review, "text.send")
    assert "sent before" in actions.text_of(shown)
    assert len([call for call in stage.world.graph_calls if call.path.endswith(SMS)]) == 1


async def test_three_submits_at_the_same_moment_send_once(
    adele: Desk, stage: Stage, elsewhere: Conversation
) -> None:
    review = await reviewed(adele, elsewhere)
    shown = await asyncio.gather(
        *(pressed(adele, elsewhere, review, "text.send") for _ in range(3))
    )
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1)
    assert any("accepted" in actions.text_of(card).lower() for card in shown)
    assert not any("text.send" in json.dumps(card) for card in shown)
    assert len([call for call in stage.world.graph_calls if call.path.endswith(SMS)]) == 1


async def test_closing_the_receipt_inserts_nothing(
    adele: Desk, stage: Stage, elsewhere: Conversation
) -> None:
    receipt = await pressed(adele, elsewhere, await reviewed(adele, elsewhere), "text.send")
    assert "Accepted by Microsoft" in actions.text_of(receipt)
    data = actions.button(receipt, "Close")["data"]
    activity = recorded("compose-submit", stage, adele.person, elsewhere, command="x", data=data)
    answer = await stage.teams.send(activity)
    assert answer.ok
    assert not answer.body
    assert not elsewhere.messages


# Where the bot is not a member --------------------------------------------------------------------


async def slowly_sent(desk: Desk, place: Conversation, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text whose result the dialog's answer does not wait for."""
    review = await reviewed(desk, place)
    monkeypatch.setattr(deliveries, "FIRST_RESULTS_S", 0.0)
    desk.stage.world.faults.slow_s = 0.3
    await pressed(desk, place, review, "text.send")


async def test_its_owner_gets_the_card_in_a_chat_that_is_made_for_it(
    anew: Desk, stage: Stage, elsewhere: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    await slowly_sent(anew, elsewhere, monkeypatch)
    await stage.world.until(lambda: bool(anew.cards) and "Accepted by" in anew.shown)
    assert not elsewhere.messages


async def test_where_that_is_refused_history_has_it(
    anew: Desk, stage: Stage, elsewhere: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    anew.person.has_app = False
    await slowly_sent(anew, elsewhere, monkeypatch)
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1)
    await stage.world.until(
        lambda: any(call.status == 403 for call in stage.connector.calls), timeout_s=20
    )
    assert not anew.cards
    results = await told(anew, elsewhere, "compose-query", words="text accepted")
    assert "Confirmation text" in json.dumps(results)
    await anew.teams.install(anew.person)
    await anew.say("history")
    assert "Accepted by Microsoft" in anew.shown


# What nobody asked for ----------------------------------------------------------------------------


@pytest.mark.parametrize("preview_action", ["edit", "send", "whatever"])
async def test_a_preview_that_herald_never_made_is_answered_and_sends_nothing(
    adele: Desk, stage: Stage, elsewhere: Conversation, preview_action: str
) -> None:
    body = await told(
        adele,
        elsewhere,
        "compose-submit-preview",
        command="textAttendees",
        preview_action=preview_action,
    )
    assert "Nothing was sent" in actions.text_of(card_of(body))
    assert not elsewhere.messages


ODD: tuple[Any, ...] = (
    None,
    0,
    -1.5,
    True,
    "",
    "x" * 5_000,
    [],
    [[]],
    {},
    {"a": {"b": None}},
    "\t",
)
_FIELDS = (
    *("commandId", "commandContext", "context", "data", "authentication", "state", "parameters"),
    *("messagePayload", "botMessagePreviewAction", "botActivityPreview", "queryOptions"),
)


@pytest.mark.parametrize("field", _FIELDS)
async def test_whatever_stands_in_a_field_there_is_an_answer(
    adele: Desk, stage: Stage, elsewhere: Conversation, field: str
) -> None:
    names = ("compose-fetch", "compose-about-chat-message", "compose-query-first")
    given = {"command": "notifyTeammates", "message__id": "1", "words": "x"}
    for odd in ODD:
        for name in names:
            activity = recorded(name, stage, adele.person, elsewhere, **given)
            activity["value"][field] = odd
            answer = await stage.teams.send(activity)
            assert problem_of(activity["name"], answer.status, answer.body) == "", (name, odd)


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("name", [FETCH, SUBMIT, "composeExtension/query"])
async def test_a_value_that_is_none_gets_an_answer(
    adele: Desk, elsewhere: Conversation, name: str, value: Any
) -> None:
    answer = await adele.teams.invoke(adele.person, name, value, elsewhere)
    assert problem_of(name, answer.status, answer.body) == ""


async def test_a_slow_exchange_goes_on_after_the_answer_and_the_next_try_finds_it(
    anew: Desk, stage: Stage, elsewhere: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.teams.message_extension.ANSWER_S", 0.2)
    real, may_go = Entra.on_behalf_of, asyncio.Event()

    async def slow(*passed: Any) -> Any:
        await may_go.wait()
        return await real(*passed)

    monkeypatch.setattr(Entra, "on_behalf_of", slow)
    token = stage.entra.sso_token(anew.person)
    given = {"command": "notifyTeammates", "token": token}
    body = await told(anew, elsewhere, "compose-fetch-signed-in", **given)
    assert "took too long" in actions.text_of(card_of(body))
    may_go.set()
    monkeypatch.setattr("bot.teams.message_extension.ANSWER_S", 4.0)
    button = actions.button(card_of(body), "Try again")

    async def tried() -> dict[str, Any]:
        return card_of(
            await told(anew, elsewhere, "compose-submit", command="x", data=button["data"])
        )

    for _ in range(50):
        shown = await tried()
        if "preview" in actions.inputs(shown):
            return
        await asyncio.sleep(0.05)
    raise AssertionError(actions.text_of(shown))


async def test_a_late_calendar_is_listed_at_the_next_press_with_everything_kept(
    anew: Desk, elsewhere: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "WITHIN_S", 0.0)
    monkeypatch.setattr(belated, "GRACE_S", 0.0)
    form = await opened(anew, elsewhere, "textAttendees")
    assert "has not answered yet" in actions.text_of(form)
    assert "meeting" not in actions.inputs(form)
    monkeypatch.setattr(answers, "WITHIN_S", 3.0)
    form = await pressed(anew, elsewhere, form, "List my meetings", phone_0=SEATTLE)
    assert "meeting" in actions.inputs(form)
    assert actions.inputs(form)["phone_0"] == SEATTLE
    # What is known is better than nothing.
    monkeypatch.setattr(answers, "WITHIN_S", 0.0)
    monkeypatch.setattr(belated, "GRACE_S", 0.0)
    form = await pressed(anew, elsewhere, form, "text.add_attendee")
    assert "meeting" in actions.inputs(form)


async def test_a_form_that_takes_long_is_announced_and_comes(
    adele: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await adele.say("help")
    monkeypatch.setattr(answers, "WITHIN_S", 0.0)
    monkeypatch.setattr(belated, "GRACE_S", 0.0)
    answer = await adele.press("text.open")
    assert answer.body["value"] == "It is coming, below in the chat."
    await adele.stage.world.until(lambda: "message_type" in adele.values())


@pytest.mark.parametrize(
    "error", [StorageUnavailable, RuntimeError], ids=lambda kind: kind.__name__
)
async def test_what_nobody_expected_is_a_sentence_and_not_an_outage(
    adele: Desk,
    elsewhere: Conversation,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
) -> None:
    async def broken(*_: Any, **__: Any) -> Any:
        raise error("what somebody wrote")

    monkeypatch.setattr(NoticeCards, "form", broken)
    monkeypatch.setattr(Ledger, "newest", broken)
    body = await told(adele, elsewhere, "compose-fetch", command="notifyTeammates")
    assert "did not work" in actions.text_of(card_of(body))
    found = await told(adele, elsewhere, "compose-query-first")
    assert found["composeExtension"]["type"] == "message"
    assert "somebody wrote" not in json.dumps([body, found])
