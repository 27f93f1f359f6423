"""What is sent is what was shown, once, whatever was pressed when."""

import asyncio
import sqlite3
from datetime import timedelta
from typing import Any

import pytest

from sandbox import actions
from sandbox.stage import Stage
from sandbox.world import Person
from tests.desk import Desk

SEATTLE = "(206) 342-8631"
REDMOND = "(425) 703-6214"
SMS = "sendVirtualAppointmentSms"
BULK = "sendActivityNotificationToRecipients"


def meeting_of(desk: Desk, n: int = 0) -> str:
    meetings = desk.stage.world.meetings.values()
    return [m.join_url for m in meetings if m.organizer_id == desk.person.id][n]


async def reviewed(desk: Desk, **changed: str) -> None:
    await desk.say("text")
    values = {"meeting": meeting_of(desk), "phone_0": SEATTLE, "phone_1": REDMOND}
    await desk.press("Review", **{**values, **changed})


async def notice_reviewed(desk: Desk, *names: str, **more: str) -> None:
    await desk.say("notify")
    await desk.press("notice.choose_kind", activity_type="deploymentApprovalRequired")
    ids = ",".join(desk.stage.world.named(n).id for n in names)
    values = {"param_deploymentId": "7", "preview": "Please look.", "recipients": ids}
    await desk.press("Review", **{**values, **more})


def crowd(stage: Stage, n: int) -> list[Person]:
    people = [
        Person(
            id=f"b{i:07d}-0000-4000-8000-{i:012d}",
            name=f"Person {i}",
            mail=f"p{i}@contoso-clinic.example",
            title="Staff",
            zone="UTC",
        )
        for i in range(n)
    ]
    stage.world.people |= {p.id: p for p in people}
    return people


async def test_send_sends_what_its_own_review_showed(adele: Desk, stage: Stage) -> None:
    """Same form in two clients (or a late first Review): the last draft wins, unseen."""
    await adele.say("text")
    form, message = adele.card, adele.message()
    review = actions.button(form, "Review")
    base = {k: v for k, v in actions.inputs(form).items() if v} | {"meeting": meeting_of(adele)}
    press = adele.teams.press
    one = await press(adele.person, message.id, review, base | {"phone_0": SEATTLE})
    await press(adele.person, message.id, review, base | {"phone_0": REDMOND})
    assert SEATTLE in actions.text_of(one.body["value"])
    send = actions.button(one.body["value"], "text.send")
    await press(adele.person, message.id, send, {})
    assert set(stage.world.phones) <= {"+12063428631"}, stage.world.phones.keys()


async def test_a_late_review_does_not_replace_the_corrected_one(adele: Desk, stage: Stage) -> None:
    """Graph is slow for the first Review; the user mends the number and presses again."""
    await adele.say("text")
    form, message = adele.card, adele.message()
    review = actions.button(form, "Review")
    base = {k: v for k, v in actions.inputs(form).items() if v} | {"meeting": meeting_of(adele)}
    press = adele.teams.press
    stage.world.faults.slow_s = 2.0
    first = asyncio.create_task(
        press(adele.person, message.id, review, base | {"phone_0": REDMOND})
    )
    await asyncio.sleep(0.5)
    stage.world.faults.slow_s = 0.0
    second = await press(adele.person, message.id, review, base | {"phone_0": SEATTLE})
    await first
    send = actions.button(second.body["value"], "text.send")
    await press(adele.person, message.id, send, {})
    assert set(stage.world.phones) <= {"+12063428631"}, stage.world.phones.keys()


@pytest.mark.parametrize("entry", ["500", "reset_after", "500_after"])
async def test_an_unknown_text_does_not_advise_to_try_again(
    adele: Desk, stage: Stage, entry: str
) -> None:
    await reviewed(adele)
    stage.world.script.append(entry)
    await adele.press("text.send")
    assert "nobody can tell" in adele.shown.lower()
    assert "try again" not in adele.shown.lower()


async def test_a_notice_that_may_have_arrived_is_not_called_refused(
    adele: Desk, stage: Stage
) -> None:
    await notice_reviewed(adele, "Megan", "Lee")
    stage.world.script.append("reset_after")
    await adele.press("notice.send")
    stage.world.named("Lee").has_app = False  # removed meanwhile: the second attempt is refused
    await stage.world.until(lambda: "being sent" not in adele.shown.lower(), timeout_s=15)
    assert len(stage.world.feeds[stage.world.named("Megan").id]) == 1
    assert "None of the 2 people gets it" not in adele.shown


async def test_progress_does_not_overwrite_the_form_of_change_and_send_again(
    adele: Desk, stage: Stage
) -> None:
    people = crowd(stage, 150)
    people[0].has_app = False  # the first batch is refused, the second waits
    await notice_reviewed(adele, recipients="", recipient_list="\n".join(p.mail for p in people))
    stage.world.script += ["ok", "429:3"]
    await adele.press("notice.send")
    await stage.world.until(lambda: adele.has_button("delivery.change"))
    message = adele.message()
    await adele.press("delivery.change")
    assert "preview" in adele.values()
    await stage.world.until(lambda: len(stage.world.accepted(BULK)) == 1, timeout_s=10)
    await stage.world.until(lambda: "accepted" in str(message.card(adele.person)).lower())
    assert "preview" in adele.values()


async def test_changed_and_sent_again_a_notice_replaces_what_arrived_before(
    adele: Desk, stage: Stage
) -> None:
    people = crowd(stage, 110)
    people[-1].has_app = False
    await notice_reviewed(adele, recipients="", recipient_list="\n".join(p.mail for p in people))
    await adele.press("notice.send")
    await stage.world.until(lambda: "in part" in adele.shown)
    people[-1].has_app = True
    await adele.press("delivery.change")
    await adele.press("Review")
    await adele.press("notice.send")
    await stage.world.until(lambda: len(stage.world.accepted(BULK)) == 3, timeout_s=10)
    assert len(stage.world.feeds[people[0].id]) == 1


async def test_after_unknown_a_notice_sent_again_replaces(
    adele: Desk, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.delivery.pace.TRIES", 1)
    await notice_reviewed(adele, "Megan")
    stage.world.script.append("reset_after")
    await adele.press("notice.send")
    await adele.press("delivery.change")
    await adele.press("Review")
    await adele.press("notice.send")
    assert len(stage.world.feeds[stage.world.named("Megan").id]) == 1


async def test_a_concurrent_double_click_shows_the_delivery_both_times(
    adele: Desk, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second press reads its draft just after the first one's submit dropped it."""
    from bot.delivery.drafts import Drafts

    await reviewed(adele)
    real, reads = Drafts.read, []

    async def read(self: Any, *a: Any) -> Any:
        reads.append(a)
        if len(reads) == 2:
            await asyncio.sleep(0.2)
        return await real(self, *a)

    monkeypatch.setattr(Drafts, "read", read)
    message, button = adele.message(), actions.button(adele.card, "text.send")
    answers = await asyncio.gather(
        *(adele.teams.press(adele.person, message.id, button, {}) for _ in range(2))
    )
    said = [a.body["value"] for a in answers if isinstance(a.body["value"], str)]
    assert said == [], said


async def test_a_database_hiccup_before_the_post_loses_nothing(
    adele: Desk, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.delivery.database import StorageUnavailable
    from bot.identity.obo import Identity

    await reviewed(adele)
    real, calls = Identity.token, []

    async def once_broken(self: Any, *a: Any, **k: Any) -> Any:
        calls.append(a)
        if len(calls) == 1:
            raise StorageUnavailable
        return await real(self, *a, **k)

    monkeypatch.setattr(Identity, "token", once_broken)
    await adele.press("text.send")
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1, timeout_s=6)


async def test_review_of_a_form_that_was_sent_says_so(adele: Desk, stage: Stage) -> None:
    """The old view of the form, on another client, after the send: what is typed there is lost."""
    await adele.say("text")
    form, message = adele.card, adele.message()
    await adele.press("Review", meeting=meeting_of(adele), phone_0=SEATTLE)
    await adele.press("text.send")
    values = {k: v for k, v in actions.inputs(form).items() if v}
    values |= {"meeting": meeting_of(adele), "phone_0": REDMOND, "message_type": "reschedule"}
    answer = await adele.teams.press(
        adele.person, message.id, actions.button(form, "Review"), values
    )
    review = answer.body["value"]
    sent = await adele.teams.press(
        adele.person, message.id, actions.button(review, "text.send"), {}
    )
    # Either the second Review says that the form was sent, or Send sends what it shows.
    assert "+14257036214" in stage.world.phones, actions.text_of(sent.body["value"])[:300]


async def test_a_text_whose_review_is_old_is_checked_again(
    adele: Desk, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reviewed yesterday, the meeting was moved since: Send tells another time than was shown."""
    monkeypatch.setattr("bot.teams.texts.REVIEW_HOLDS_S", 0.0)
    await reviewed(adele)
    meeting = next(m for m in stage.world.meetings.values() if m.join_url == meeting_of(adele))
    meeting.start += timedelta(days=3)
    meeting.end += timedelta(days=3)
    await adele.press("text.send")
    assert stage.world.phones == {}, [t.body for ts in stage.world.phones.values() for t in ts][:1]
    assert "was moved" in adele.shown
    await adele.press("text.send")
    assert len(stage.world.phones) == 2


async def test_send_again_on_an_old_card_does_not_send_a_third_time(
    adele: Desk, stage: Stage
) -> None:
    """A second click, or a second client, after the second attempt ended unknown, too."""
    await reviewed(adele)
    stage.world.script += ["500_after", "500_after"]
    await adele.press("text.send")
    message, button = adele.message(), actions.button(adele.card, "Send again")
    await adele.teams.press(adele.person, message.id, button, {})
    await asyncio.sleep(1)
    await adele.teams.press(adele.person, message.id, button, {})
    await asyncio.sleep(1)
    calls = [c for c in stage.world.graph_calls if c.path.endswith(SMS)]
    assert len(calls) == 2, len(calls)


async def changed_schedule(adele: Desk, stage: Stage) -> None:
    day = (stage.world.now() + timedelta(hours=3)).astimezone()
    from zoneinfo import ZoneInfo

    local = day.astimezone(ZoneInfo(adele.person.zone))
    await reviewed(adele, when="later", when_date=f"{local:%Y-%m-%d}", when_time=f"{local:%H:%M}")
    assert adele.has_button("text.send"), adele.shown
    await adele.press("text.send")
    await adele.press("delivery.change")
    await adele.press("Review", phone_0=REDMOND, phone_1="")
    assert adele.has_button("text.send"), adele.shown


async def test_a_replacement_that_could_not_be_written_loses_nothing(
    adele: Desk, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot.delivery.database import StorageUnavailable
    from bot.delivery.ledger import Ledger

    await changed_schedule(adele, stage)
    real, calls = Ledger.submit, []

    async def once_broken(self: Any, *a: Any, **k: Any) -> Any:
        calls.append(a)
        if len(calls) == 1:
            raise StorageUnavailable
        return await real(self, *a, **k)

    monkeypatch.setattr(Ledger, "submit", once_broken)
    await adele.press("text.send")
    answer = await adele.press("text.send")
    with sqlite3.connect(stage.state_dir / "herald.sqlite3") as database:
        states = [row[0] for row in database.execute("SELECT state FROM batches")]
    database.close()
    assert "scheduled" in states, (states, answer.body)


async def test_a_double_click_on_a_replacement_says_what_became_of_it(
    adele: Desk, stage: Stage
) -> None:
    await changed_schedule(adele, stage)
    message, button = adele.message(), actions.button(adele.card, "text.send")
    answers = await asyncio.gather(
        *(adele.teams.press(adele.person, message.id, button, {}) for _ in range(2))
    )
    said = [a.body["value"] for a in answers if isinstance(a.body["value"], str)]
    assert said == [], said
