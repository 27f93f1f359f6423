"""What leaves later: scheduled, looked at, changed, held back, sent on its own."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sandbox import actions
from sandbox.stage import Stage
from sandbox.world import Meeting
from tests.conftest import Serve
from tests.desk import Desk

SMS = "sendVirtualAppointmentSms"
REMINDER = "sendVirtualAppointmentReminderSms"
BULK = "sendActivityNotificationToRecipients"
SEATTLE = "(206) 342-8631"
REDMOND = "(425) 703-6214"


def meeting_of(desk: Desk) -> Meeting:
    meetings = desk.stage.world.meetings.values()
    return next(m for m in meetings if m.organizer_id == desk.person.id)


def later(desk: Desk, **ahead: float) -> dict[str, str]:
    local = (datetime.now(UTC) + timedelta(**ahead)).astimezone(ZoneInfo(desk.person.zone))
    return {
        "when": "later",
        "when_date": local.date().isoformat(),
        "when_time": local.strftime("%H:%M"),
    }


async def reviewed(desk: Desk, **changed: str) -> None:
    await desk.say("text")
    values = {"meeting": meeting_of(desk).join_url, "phone_0": SEATTLE, "phone_1": REDMOND}
    await desk.press("Review", **{**values, **changed})


async def scheduled(desk: Desk) -> None:
    await reviewed(desk, **later(desk, hours=1))
    await desk.press("text.send")


async def make_due(stage: Stage) -> None:
    """Everything scheduled is due: its time is moved, not the clock."""
    import sqlite3

    with sqlite3.connect(stage.state_dir / "herald.sqlite3") as database:
        database.execute("UPDATE batches SET due_at_ms = 1 WHERE state = 'scheduled'")
    database.close()


async def test_a_scheduled_text_waits_and_says_when_it_leaves(adele: Desk, stage: Stage) -> None:
    await reviewed(adele, **later(adele, hours=1))
    assert "It leaves on" in adele.shown
    await adele.press("text.send")
    assert "Pacific time" in adele.shown
    assert stage.world.accepted(SMS) == []
    await adele.say("scheduled")
    assert "Confirmation text" in adele.shown
    await adele.press("delivery.look")
    assert adele.has_button("delivery.now")


async def test_send_now_sends_at_once_and_once(adele: Desk, stage: Stage) -> None:
    await scheduled(adele)
    await adele.press("delivery.now")
    assert "accepted" in adele.shown.lower()
    assert len(stage.world.accepted(SMS)) == 1


async def test_send_now_still_asks_when_the_appointment_has_changed(
    adele: Desk, stage: Stage
) -> None:
    await scheduled(adele)
    meeting_of(adele).is_cancelled = True
    await adele.press("delivery.now")
    assert "was cancelled meanwhile" in adele.shown
    assert stage.world.accepted(SMS) == []
    await adele.press("Send it anyway")
    assert len(stage.world.accepted(SMS)) == 1


async def test_another_time_cannot_be_after_the_appointment_began(adele: Desk) -> None:
    await scheduled(adele)
    await adele.press("delivery.change_time", **later(adele, days=60))
    assert "has started by then" in adele.shown
    assert adele.has_button("delivery.now")


async def test_a_cancelled_text_never_leaves(adele: Desk, stage: Stage) -> None:
    await scheduled(adele)
    await adele.press("delivery.cancel")
    assert "Nothing had left" in adele.shown
    await make_due(stage)
    await adele.say("scheduled")
    assert "Nothing of yours waits" in adele.shown
    assert stage.world.accepted(SMS) == []


async def test_another_time_is_checked_like_the_first(adele: Desk) -> None:
    meeting_of(adele).start += timedelta(days=5)
    meeting_of(adele).end += timedelta(days=5)
    await scheduled(adele)
    await adele.press("delivery.change_time", **(later(adele, hours=1) | {"when_time": ""}))
    assert "Choose the time" in adele.shown
    await adele.press("delivery.change_time", **later(adele, days=2))
    assert "It leaves on" in adele.shown or "leaves" in adele.shown
    day = later(adele, days=2)["when_date"]
    assert str(int(day[-2:])) in adele.shown


async def test_changing_what_waits_replaces_it(adele: Desk, stage: Stage) -> None:
    await scheduled(adele)
    await adele.press("delivery.change")
    assert adele.values()["phone_0"] == SEATTLE
    assert adele.values()["when"] == "later"
    await adele.press("Review", when="now", phone_1="")
    await adele.press("text.send")
    [call] = stage.world.accepted(SMS)
    assert len(call.body["attendees"]) == 1
    await adele.say("scheduled")
    assert "Nothing of yours waits" in adele.shown


async def test_a_change_of_what_has_left_meanwhile_sends_nothing(adele: Desk, stage: Stage) -> None:
    await scheduled(adele)
    first = adele.message()
    waiting = adele.card
    await adele.press("delivery.change")
    form = adele.card
    await adele.teams.press(adele.person, first.id, actions.button(waiting, "delivery.now"), {})
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1)
    inputs = {key: value for key, value in actions.inputs(form).items() if value}
    changed = adele.message(form)
    await adele.teams.press(
        adele.person, changed.id, actions.button(form, "Review"), inputs | {"when": "now"}
    )
    answer = await adele.press("text.send")
    assert "left meanwhile" in answer.body["value"]
    assert len(stage.world.accepted(SMS)) == 1


async def due_after_restart(desk: Desk, serve: Serve) -> None:
    """The app is down when the time comes, and started again."""
    await make_due(desk.stage)
    async with serve():
        await desk.stage.world.until(
            lambda: bool(desk.stage.world.accepted(SMS)) or "decision" in desk.shown.lower()
        )


@pytest.fixture
async def with_scheduled(serve: Serve, at_desk: Callable[[str], Desk]) -> Desk:
    desk = at_desk("Adele")
    async with serve():
        await desk.teams.install(desk.person)
        await scheduled(desk)
    return desk


async def test_when_it_is_due_it_leaves_even_if_the_app_was_away(
    with_scheduled: Desk, serve: Serve
) -> None:
    await due_after_restart(with_scheduled, serve)
    [call] = with_scheduled.stage.world.accepted(SMS)
    assert len(call.body["attendees"]) == 2


async def test_a_moved_meeting_holds_its_text_and_the_owner_decides(
    with_scheduled: Desk, serve: Serve
) -> None:
    world = with_scheduled.stage.world
    meeting_of(with_scheduled).start += timedelta(hours=1)
    await due_after_restart(with_scheduled, serve)
    assert "moved" in with_scheduled.shown
    assert world.accepted(SMS) == []
    async with serve():
        await with_scheduled.press("delivery.now")
        assert len(world.accepted(SMS)) == 1


async def test_a_cancelled_meeting_holds_its_text(with_scheduled: Desk, serve: Serve) -> None:
    meeting_of(with_scheduled).is_cancelled = True
    await due_after_restart(with_scheduled, serve)
    assert "cancelled" in with_scheduled.shown
    assert with_scheduled.stage.world.accepted(SMS) == []


async def test_a_lost_sign_in_is_told_at_once_and_one_tap_repairs_it(
    with_scheduled: Desk, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = with_scheduled.stage
    monkeypatch.setattr("bot.delivery.keeper._RENEW_AFTER_S", 0)
    stage.entra.revoke(with_scheduled.person)
    async with serve():
        await stage.world.until(lambda: with_scheduled.has_button("identity.sign_in"))
        assert stage.world.accepted(SMS) == []
        await with_scheduled.press("identity.sign_in")
        await with_scheduled.say("scheduled")
        assert "Confirmation text" in with_scheduled.shown


async def test_a_text_cannot_leave_after_its_appointment_began(adele: Desk) -> None:
    await reviewed(adele, **later(adele, days=60))
    assert "has started by then" in adele.shown
    assert adele.values()["phone_0"] == SEATTLE


async def test_a_scheduled_notice_leaves_when_told_to(adele: Desk, stage: Stage) -> None:
    await adele.say("notify")
    await adele.press("notice.choose_kind", activity_type="deploymentApprovalRequired")
    await adele.press(
        "Review",
        param_deploymentId="7",
        preview="Please look.",
        recipients=stage.world.named("Lee").id,
        **later(adele, days=1),
    )
    await adele.press("notice.send")
    assert stage.world.accepted(BULK) == []
    await adele.press("delivery.now")
    assert len(stage.world.accepted(BULK)) == 1


async def test_a_reminder_is_a_message_type_of_its_own(adele: Desk, stage: Stage) -> None:
    await reviewed(adele, message_type="reminder")
    await adele.press("text.send")
    [call] = stage.world.accepted(REMINDER)
    assert call.body["remindBeforeTimeInMinutesType"] == "mins15"
    assert stage.world.accepted(SMS) == []
