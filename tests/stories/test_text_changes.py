"""A receipt that is looked at says whether its appointment was moved or cancelled since."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from sandbox.series import new_series
from sandbox.stage import Stage
from sandbox.world import Meeting
from tests.desk import Desk
from tests.stories.test_meetings import SEATTLE, SMS, add_meeting
from tests.stories.test_schedules import REDMOND

MOVED, CANCELLED = "Text that it was moved", "Text that it was cancelled"


@pytest.fixture
def meeting(adele: Desk, stage: Stage) -> Meeting:
    return add_meeting(stage, adele.person, 1, subject="Check-up")


async def told(desk: Desk, meeting: Meeting, **more: str) -> str:
    """A text about this meeting, accepted: its delivery's short id."""
    await desk.say("text")
    value = f"{meeting.join_url}#{meeting.start:%Y-%m-%dT%H:%M:%SZ}"
    await desk.press("Review", **{"meeting": value, "phone_0": SEATTLE, **more})
    await desk.press("text.send")
    assert "Accepted by Microsoft" in desk.shown
    return desk.shown.split("Delivery ")[1][:8]


async def told_of_the_change(desk: Desk) -> str:
    """The text that a receipt offers, sent as it stands."""
    await desk.press(MOVED)
    await desk.press("Review")
    await desk.press("text.send")
    assert "Accepted by Microsoft" in desk.shown
    return desk.shown.split("Delivery ")[1][:8]


def move(meeting: Meeting, **by: int) -> None:
    meeting.start += timedelta(**by)
    meeting.end += timedelta(**by)


async def test_what_stands_as_it_stood_offers_nothing(adele: Desk, meeting: Meeting) -> None:
    await told(adele, meeting)
    await adele.press("Look again")
    assert "has changed" not in adele.shown
    assert not adele.has_button(MOVED)


async def test_a_moved_appointment_offers_the_text_that_says_so(
    adele: Desk, stage: Stage, meeting: Meeting
) -> None:
    await told(adele, meeting)
    move(meeting, days=1, hours=2)
    await adele.press("Look again")
    assert "was moved since" in adele.shown
    there = meeting.start.astimezone(ZoneInfo(adele.person.zone))
    assert f"{there:%b} {there.day}" in adele.shown.split("moved since")[1][:60]
    await adele.press(MOVED)
    values = adele.values()
    assert values["message_type"] == "reschedule"
    assert values["meeting"].endswith(f"{meeting.start:%Y-%m-%dT%H:%M:%SZ}")
    assert values["phone_0"] == SEATTLE
    await adele.press("Review")
    await adele.press("text.send")
    types = [call.body["messageType"] for call in stage.world.accepted(SMS)]
    assert types == ["confirmation", "reschedule"]


async def test_what_was_told_already_is_not_offered_again(
    adele: Desk, stage: Stage, meeting: Meeting
) -> None:
    await told(adele, meeting)
    first = adele.message()
    move(meeting, days=1)
    await adele.press("Look again")
    await adele.press(MOVED)
    await adele.press("Review")
    await adele.press("text.send")
    await adele.say("history")
    assert "moved since" not in adele.shown
    short = str(first.card(adele.person)).split("Delivery ")[1][:8]
    await adele.say(f"status {short}")
    assert not adele.has_button(MOVED)


async def test_moved_there_and_back_people_believe_what_they_were_told_last(
    adele: Desk, stage: Stage, meeting: Meeting
) -> None:
    first = await told(adele, meeting)
    move(meeting, days=1)
    await adele.press("Look again")
    await told_of_the_change(adele)
    move(meeting, days=-1)
    await adele.press("Look again")
    assert adele.has_button(MOVED)
    await adele.say("history")
    assert adele.shown.count("moved since") == 1
    await adele.say(f"status {first}")
    assert not adele.has_button(MOVED)


async def test_what_one_patient_was_told_another_was_not(
    adele: Desk, stage: Stage, meeting: Meeting
) -> None:
    to_seattle = await told(adele, meeting)
    to_redmond = await told(adele, meeting, phone_0=REDMOND)
    move(meeting, days=1)
    await adele.say(f"status {to_seattle}")
    await told_of_the_change(adele)
    await adele.say(f"status {to_redmond}")
    assert adele.has_button(MOVED)
    await adele.say(f"status {to_seattle}")
    assert not adele.has_button(MOVED)


async def test_the_text_that_tells_of_a_change_is_for_those_who_do_not_know_yet(
    adele: Desk, stage: Stage, meeting: Meeting
) -> None:
    both = await told(adele, meeting, phone_1=REDMOND)
    move(meeting, days=1)
    await told(adele, meeting, message_type="reschedule")
    await adele.say(f"status {both}")
    await adele.press(MOVED)
    values = adele.values()
    assert (values["phone_0"], values.get("phone_1", "")) == (REDMOND, "")
    await adele.press("Review")
    await adele.press("text.send")
    await adele.say("history")
    assert "moved since" not in adele.shown


async def test_a_text_that_was_refused_told_nobody(
    adele: Desk, stage: Stage, meeting: Meeting
) -> None:
    first = await told(adele, meeting)
    move(meeting, days=1)
    await adele.press("Look again")
    adele.person.has_premium = False
    await adele.press(MOVED)
    await adele.press("Review")
    await adele.press("text.send")
    assert "Not accepted" in adele.shown
    await adele.say(f"status {first}")
    assert adele.has_button(MOVED)


async def test_a_cancelled_appointment_offers_the_cancellation(
    adele: Desk, meeting: Meeting
) -> None:
    await told(adele, meeting)
    meeting.is_cancelled = True
    await adele.press("Look again")
    assert "was cancelled since" in adele.shown
    await adele.press(CANCELLED)
    assert adele.values()["message_type"] == "cancellation"


async def test_one_that_left_the_calendar_offers_the_cancellation_in_careful_words(
    adele: Desk, stage: Stage, meeting: Meeting
) -> None:
    await told(adele, meeting)
    del stage.world.meetings[meeting.id]
    await adele.press("Look again")
    assert "no longer stands in your calendar" in adele.shown
    assert adele.has_button(CANCELLED)


async def test_history_and_status_say_it_too(adele: Desk, meeting: Meeting) -> None:
    await told(adele, meeting)
    move(meeting, hours=3)
    await adele.say("history")
    assert "was moved since" in adele.shown
    await adele.press("Open")
    assert adele.has_button(MOVED)
    short = adele.shown.split("Delivery ")[1][:8]
    await adele.say(f"status {short}")
    assert adele.has_button(MOVED)


async def test_only_the_occurrence_that_was_told_of_counts(adele: Desk, stage: Stage) -> None:
    first = stage.world.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    series = new_series(stage.world, adele.person, "Diabetes group", first, times=3)
    await told(adele, series[1])
    move(series[2], hours=1)
    await adele.press("Look again")
    assert not adele.has_button(MOVED)
    move(series[1], hours=1)
    await adele.press("Look again")
    assert adele.has_button(MOVED)
    await adele.press(MOVED)
    assert adele.values()["meeting"].endswith(f"{series[1].start:%Y-%m-%dT%H:%M:%SZ}")


async def test_a_cancellation_and_what_is_over_are_not_looked_at(
    adele: Desk, stage: Stage, meeting: Meeting
) -> None:
    await told(adele, meeting, message_type="cancellation")
    move(meeting, hours=3)
    await adele.say("history")
    assert "moved since" not in adele.shown
    now = stage.world.now().replace(microsecond=0)
    over = add_meeting(
        stage, adele.person, 2, start=now - timedelta(hours=5), end=now - timedelta(hours=4)
    )
    await told(adele, over)
    move(over, hours=-2)
    await adele.say("history")
    assert "moved since" not in adele.shown


@pytest.mark.parametrize("fault", ["offline", "unavailable", "slow"])
async def test_a_calendar_that_does_not_answer_changes_nothing_on_the_receipt(
    adele: Desk, stage: Stage, meeting: Meeting, fault: str
) -> None:
    await told(adele, meeting)
    move(meeting, hours=3)
    if fault == "slow":
        stage.world.faults.slow_s = 3
    else:
        setattr(stage.world.faults, fault, True)
    answer = await adele.press("Look again")
    assert answer.ok
    assert "Accepted by Microsoft" in adele.shown
    assert not adele.has_button(MOVED)


async def told_by_link(desk: Desk, meeting: Meeting) -> None:
    """A text about a pasted link, by somebody whose calendar Herald may not read; then it may."""
    desk.person.consents -= {"Calendars.Read"}
    await desk.say("signout")
    await desk.say("text")
    await desk.press("Review", join_link=meeting.join_url, phone_0=SEATTLE)
    await desk.press("text.send")
    assert "Accepted by Microsoft" in desk.shown
    desk.person.consents |= {"Calendars.Read"}


async def test_what_was_sent_by_its_link_is_found_in_the_calendar_once_that_can_be_read(
    adele: Desk, stage: Stage, meeting: Meeting
) -> None:
    await told_by_link(adele, meeting)
    await adele.press("Look again")
    assert "since" not in adele.shown
    move(meeting, days=1)
    await adele.press("Look again")
    assert "was moved since" in adele.shown
    first = adele.message()
    await told_of_the_change(adele)
    [_, moved] = stage.world.accepted(SMS)
    assert moved.body["messageType"] == "reschedule"
    assert first != adele.message()
    await adele.say("history")
    assert "was moved since" not in adele.shown


async def test_of_a_series_sent_by_its_link_nobody_can_tell_which_was_meant(
    adele: Desk, stage: Stage, meeting: Meeting
) -> None:
    await told_by_link(adele, meeting)
    again = add_meeting(stage, adele.person, 3, subject="Check-up")
    again.join_url = meeting.join_url
    move(meeting, hours=1)
    await adele.press("Look again")
    assert "since" not in adele.shown


async def test_many_in_the_history_are_read_in_one_question(adele: Desk, stage: Stage) -> None:
    meetings = [add_meeting(stage, adele.person, n) for n in range(4)]
    for meeting in meetings:
        await told(adele, meeting)
    move(meetings[2], hours=3)
    before = len(stage.world.graph_calls)
    await adele.say("history")
    assert adele.shown.count("was moved since") == 1
    assert [call.path for call in stage.world.graph_calls[before:]] == ["/v1.0/$batch"]
