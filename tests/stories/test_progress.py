"""The card of a delivery: what it shows at the end, whatever got lost or overtaken on the way."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.delivery.worker import Worker
from bot.settings import Settings
from bot.teams import progress
from bot.teams.deliveries import Deliveries
from sandbox import actions
from sandbox.conversation import Conversation
from sandbox.stage import Stage
from tests.conftest import Serve
from tests.desk import Desk
from tests.stories.test_decisions import sent_notice
from tests.stories.test_taken_over import addresses, crowd

SEATTLE = "(206) 342-8631"
SMS = "sendVirtualAppointmentSms"


def meeting_of(desk: Desk) -> str:
    meetings = desk.stage.world.meetings.values()
    return next(m.join_url for m in meetings if m.organizer_id == desk.person.id)


async def test_what_waits_for_its_lane_says_how_long_that_takes(adele: Desk, stage: Stage) -> None:
    everyone = addresses(crowd(stage, 250))
    stage.world.script += ["429:120"]
    await sent_notice(adele, recipient_list=everyone)
    await stage.world.until(lambda: "by itself" in adele.shown)
    await sent_notice(adele, recipient_list=everyone)
    assert "About 2 minutes more" in adele.shown


async def reviewed(desk: Desk) -> None:
    await desk.say("text")
    await desk.press("Review", meeting=meeting_of(desk), phone_0=SEATTLE)


async def reviewed_in_a_dialog(desk: Desk, place: Conversation | None = None) -> dict[str, Any]:
    """The compose box up to the review, whose card it returns."""
    token = desk.stage.entra.sso_token(desk.person)
    value = {"commandId": "textAttendees", "authentication": {"token": token}}
    name = "composeExtension/fetchTask"
    opened = await desk.teams.invoke(desk.person, name, value, place)
    form = opened.body["task"]["value"]["card"]["content"]
    return await submitted(desk, form, "Review", place, meeting=meeting_of(desk), phone_0=SEATTLE)


async def submitted(
    desk: Desk, card: dict[str, Any], title: str, place: Conversation | None = None, **more: str
) -> dict[str, Any]:
    button = actions.button(card, title)
    data = {**actions.inputs(card), **more, **button["data"]}
    answer = await desk.teams.invoke(
        desk.person, "composeExtension/submitAction", {"commandId": "x", "data": data}, place
    )
    shown: dict[str, Any] = answer.body["task"]["value"]["card"]["content"]
    return shown


async def test_the_answer_of_a_press_never_hides_a_newer_card(
    adele: Desk, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker settles between the answer's read of the ledger and the answer itself."""
    await reviewed(adele)
    monkeypatch.setattr("bot.teams.deliveries.FIRST_RESULTS_S", 0.0)
    real = Worker.first_results

    async def first_results(self: Any, *a: Any, **k: Any) -> Any:
        found = await real(self, *a, **k)
        await asyncio.sleep(0.5)  # a busy loop, a slow answer
        return found

    monkeypatch.setattr(Worker, "first_results", first_results)
    await adele.press("text.send")
    await stage.world.until(lambda: "accepted by microsoft" in adele.shown.lower(), timeout_s=3)
    assert len(stage.world.accepted(SMS)) == 1


async def test_the_answer_of_a_look_at_what_waited_never_hides_what_became_of_it(
    adele: Desk, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sent, from a list, between the look's read of the ledger and its answer."""
    at = (datetime.now(UTC) + timedelta(hours=1)).astimezone(ZoneInfo(adele.person.zone))
    when = {"when": "later", "when_date": at.date().isoformat(), "when_time": f"{at:%H:%M}"}
    await adele.say("text")
    await adele.press("Review", meeting=meeting_of(adele), phone_0=SEATTLE, **when)
    await adele.press("text.send")
    first, look = adele.message(), actions.button(adele.card, "delivery.now")
    await adele.say("history")
    looked = asyncio.Event()
    real = Deliveries.look

    async def slow(self: Any, *a: Any, **k: Any) -> Any:
        found = await real(self, *a, **k)
        looked.set()
        await asyncio.sleep(0.5)  # a slow answer
        return found

    monkeypatch.setattr(Deliveries, "look", slow)
    verb = {"verb": "delivery.look"}
    told = {**look, **verb, "data": look["data"] | verb}
    looking = asyncio.create_task(adele.teams.press(adele.person, first.id, told))
    await looked.wait()
    await adele.teams.press(adele.person, adele.message().id, look)
    await looking
    await stage.world.until(
        lambda: "accepted" in actions.text_of(first.card(adele.person) or {}).lower(), timeout_s=4
    )


async def test_a_card_that_could_not_be_drawn_is_drawn_later(adele: Desk, stage: Stage) -> None:
    await reviewed(adele)
    stage.world.script.append("429:1")
    await adele.press("text.send")
    await asyncio.sleep(0.3)
    stage.connector.fail_next(500, 500)
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1)
    await stage.world.until(lambda: "accepted" in adele.shown.lower(), timeout_s=6)


async def test_a_message_that_is_gone_is_not_drawn_again_and_again(
    adele: Desk, stage: Stage
) -> None:
    await reviewed(adele)
    stage.world.script.append("429:1")
    await adele.press("text.send")
    adele.message().deleted = True
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1)
    await asyncio.sleep(4)
    assert len([c for c in stage.connector.calls if c.method == "PUT" and c.status == 404]) <= 3


async def test_a_text_sent_from_the_compose_box_shows_its_end_in_the_owners_chat(
    adele: Desk, stage: Stage
) -> None:
    review = await reviewed_in_a_dialog(adele)
    stage.world.script += ["429:1", "500_after"]
    await submitted(adele, review, "Send now to 1 person")
    await stage.world.until(
        lambda: any("nobody can tell" in actions.text_of(c).lower() for c in adele.cards),
        timeout_s=6,
    )


async def test_what_was_posted_in_the_owners_chat_is_kept_up_to_date_in_place(
    adele: Desk, stage: Stage
) -> None:
    elsewhere = stage.connector.conversations.shared("Elsewhere", [adele.person])
    elsewhere.has_bot = False
    review = await reviewed_in_a_dialog(adele, elsewhere)
    before = len(adele.cards)
    stage.world.script += ["429:1", "429:3"]
    await submitted(adele, review, "Send now to 1 person", elsewhere)
    await stage.world.until(lambda: len(adele.cards) == before + 1, timeout_s=6)
    await stage.world.until(lambda: "accepted" in adele.shown.lower(), timeout_s=8)
    assert len(adele.cards) == before + 1
    assert not elsewhere.messages


async def test_a_receipt_that_the_dialog_showed_is_not_posted_too(
    adele: Desk, stage: Stage
) -> None:
    review = await reviewed_in_a_dialog(adele)
    before = len(adele.cards)
    receipt = await submitted(adele, review, "Send now to 1 person")
    assert "accepted" in actions.text_of(receipt).lower()
    await asyncio.sleep(3)
    assert len(adele.cards) == before


async def test_after_a_restart_a_receipt_that_the_dialog_showed_is_not_posted(
    stage: Stage, serve: Serve, at_desk: Callable[[str], Desk]
) -> None:
    adele = at_desk("Adele")
    async with serve():
        await adele.teams.install(adele.person)
        review = await reviewed_in_a_dialog(adele)
        receipt = await submitted(adele, review, "Send now to 1 person")
        assert "accepted" in actions.text_of(receipt).lower()
        await asyncio.sleep(0.3)
    before = len(adele.cards)
    async with serve():
        await asyncio.sleep(2.5)
    assert len(adele.cards) == before


async def test_a_card_that_waits_as_it_was_drawn_is_not_drawn_again(
    stage: Stage,
    serve: Serve,
    at_desk: Callable[[str], Desk],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "_LOOK_S", 0.3)
    adele = at_desk("Adele")
    async with serve():
        await adele.teams.install(adele.person)
        await reviewed(adele)
        stage.world.faults.throttled, stage.world.faults.retry_after_s = True, 60
        await adele.press("text.send")
        await stage.world.until(lambda: "slow down" in adele.shown, timeout_s=6)
    async with serve():
        # Once: this process knows nothing of what the one before drew.
        before = puts(stage)
        await stage.world.until(lambda: puts(stage) > before, timeout_s=6)
        await asyncio.sleep(3)
        assert puts(stage) <= before + 2


def puts(stage: Stage) -> int:
    return len([call for call in stage.connector.calls if call.method == "PUT"])


async def test_where_there_is_no_chat_with_the_owner_history_has_it(
    herald: Settings, stage: Stage, at_desk: Callable[[str], Desk]
) -> None:
    adele = at_desk("Adele")
    adele.person.has_app = False
    review = await reviewed_in_a_dialog(adele)
    stage.world.script += ["429:1", "500_after"]
    await submitted(adele, review, "Send now to 1 person")
    await asyncio.sleep(4)
    assert not adele.cards
    refused = [c for c in stage.connector.calls if c.status == 403]
    assert 1 <= len(refused) <= 2
    await adele.teams.install(adele.person)
    await adele.say("history")
    assert "confirmation" in adele.shown.lower()
