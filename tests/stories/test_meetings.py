"""Which appointment a text is about: series, many meetings, past and cancelled ones, zones."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sandbox import actions
from sandbox.stage import Stage
from sandbox.world import Meeting, Person
from tests.conftest import Serve
from tests.desk import Desk
from tests.stories.test_schedules import make_due

SEATTLE = "(206) 342-8631"
SMS = "sendVirtualAppointmentSms"


def add_meeting(stage: Stage, person: Person, n: int, **more: Any) -> Meeting:
    start = stage.world.now().replace(microsecond=0) + timedelta(days=1, minutes=n)
    context = f"%7b%22Tid%22%3a%22{stage.world.tenant_id}%22%2c%22Oid%22%3a%22{person.id}%22%7d"
    thread = f"19%3ameeting_{n:048d}%40thread.v2"
    values = {
        "id": f"MSoX{n:04d}",
        "event_id": f"AAMkX{n:04d}=",
        "organizer_id": person.id,
        "subject": f"Visit {n}",
        "start": start,
        "end": start + timedelta(minutes=30),
        "join_url": f"https://teams.microsoft.com/l/meetup-join/{thread}/0?context={context}",
    }
    meeting = Meeting(**(values | more))
    stage.world.meetings[meeting.id] = meeting
    return meeting


def add_series(stage: Stage, person: Person) -> tuple[Meeting, Meeting]:
    """A weekly group since long ago: its first day is what onlineMeetings tells."""
    first = add_meeting(stage, person, 1, subject="Weekly group")
    ago = timedelta(days=200)
    begun = dataclasses.replace(first, id="MSoX0000", start=first.start - ago, end=first.end - ago)
    stage.world.meetings = {begun.id: begun, **stage.world.meetings}
    week = timedelta(days=7)
    again = {"start": first.start + week, "end": first.end + week, "join_url": first.join_url}
    return first, add_meeting(stage, person, 2, subject="Weekly group", **again)


def choices(card: dict[str, Any]) -> list[dict[str, str]]:
    [found] = [part for part in actions.elements(card) if part.get("id") == "meeting"]
    return list(found["choices"])


async def test_more_meetings_than_are_listed_are_mentioned(adele: Desk, stage: Stage) -> None:
    for n in range(40):
        add_meeting(stage, adele.person, n)
    await adele.say("text")
    listed = len(choices(adele.card))
    assert listed >= 25
    assert f"{listed} of 43 are listed" in adele.shown


async def test_more_meetings_than_are_read_are_not_counted_to_the_end(
    adele: Desk, stage: Stage
) -> None:
    for n in range(120):
        add_meeting(stage, adele.person, n)
    await adele.say("text")
    assert "of 100 or more are listed" in adele.shown


async def test_what_is_over_stands_last_and_says_so(adele: Desk, stage: Stage) -> None:
    now = stage.world.now()
    hours = timedelta(hours=5), timedelta(hours=4)
    add_meeting(stage, adele.person, 1, start=now - hours[0], end=now - hours[1])
    await adele.say("text")
    titles = [choice["title"] for choice in choices(adele.card)]
    assert [title for title in titles if "(over)" in title] == titles[-1:]


async def test_each_occurrence_of_a_series_is_a_choice_of_its_own(
    adele: Desk, stage: Stage
) -> None:
    first, second = add_series(stage, adele.person)
    await adele.say("text")
    offered = choices(adele.card)
    values = [choice["value"] for choice in offered]
    assert len(set(values)) == len(values)
    same = [choice for choice in offered if choice["value"].startswith(first.join_url)]
    assert len({choice["title"] for choice in same}) == 2

    await adele.press("Review", meeting=same[1]["value"], phone_0=SEATTLE)
    there = second.start.astimezone(ZoneInfo(adele.person.zone))
    assert f"{there:%b} {there.day}" in adele.shown
    await adele.press("text.edit")
    assert adele.values()["meeting"] == same[1]["value"]


async def test_the_review_of_a_series_does_not_show_its_first_day(
    adele: Desk, stage: Stage
) -> None:
    first, _ = add_series(stage, adele.person)
    begun = stage.world.meetings["MSoX0000"]
    await adele.say("text")
    await adele.press("Review", join_link=first.join_url, phone_0=SEATTLE)
    assert f"{begun.start:%b}" not in adele.shown.split("When")[1][:120]
    assert "Several appointments" in adele.shown


async def test_a_series_whose_calendar_cannot_be_read_has_no_time_instead_of_a_wrong_one(
    adele: Desk, stage: Stage
) -> None:
    first, _ = add_series(stage, adele.person)
    adele.person.consents -= {"Calendars.Read"}
    await adele.say("text")
    await adele.press("Review", join_link=first.join_url, phone_0=SEATTLE)
    assert adele.has_button("text.send"), adele.shown
    assert "doesn't tell when" in adele.shown


async def test_a_text_for_an_occurrence_leaves_later_without_being_held(
    stage: Stage, serve: Serve, at_desk: Callable[[str], Desk]
) -> None:
    adele = at_desk("Adele")
    _, second = add_series(stage, adele.person)
    async with serve():
        await adele.teams.install(adele.person)
        await adele.say("text")
        ending = f"{second.start:%Y-%m-%dT%H:%M:%SZ}"
        values = [choice["value"] for choice in choices(adele.card)]
        day = f"{stage.world.now() + timedelta(days=2):%Y-%m-%d}"
        when = {"when": "later", "when_date": day, "when_time": "12:00"}
        chosen = next(value for value in values if value.endswith(ending))
        await adele.press("Review", meeting=chosen, phone_0=SEATTLE, **when)
        await adele.press("text.send")
    await make_due(stage)
    async with serve():
        await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1)


async def test_an_occurrence_that_left_the_calendar_is_chosen_again(
    adele: Desk, stage: Stage
) -> None:
    add_series(stage, adele.person)
    await adele.say("text")
    chosen = next(c["value"] for c in choices(adele.card) if "Weekly" in c["title"])
    for meeting in stage.world.meetings.values():
        if meeting.subject == "Weekly group" and meeting.id != "MSoX0000":
            meeting.start += timedelta(hours=3)
            meeting.end += timedelta(hours=3)
    await adele.press("Review", meeting=chosen, phone_0=SEATTLE)
    assert "moved or taken out" in adele.shown
    assert not adele.has_button("text.send")
    assert adele.values()["phone_0"] == SEATTLE


@pytest.mark.parametrize("value", ["#2026-13-01T00:00:00Z", "#now", "#2026-01-01T00:00:00Z#"])
async def test_a_time_that_is_none_is_refused(adele: Desk, stage: Stage, value: str) -> None:
    meeting = next(m for m in stage.world.meetings.values() if m.organizer_id == adele.person.id)
    await adele.say("text")
    answer = await adele.press("Review", meeting=meeting.join_url + value, phone_0=SEATTLE)
    assert answer.ok
    assert not adele.has_button("text.send")


@pytest.mark.parametrize(
    ("message_type", "is_warned"), [("confirmation", True), ("cancellation", False)]
)
async def test_a_cancelled_meeting_is_pointed_out_where_the_text_says_otherwise(
    adele: Desk, stage: Stage, message_type: str, is_warned: bool
) -> None:
    meeting = add_meeting(stage, adele.person, 1, is_cancelled=True)
    await adele.say("text")
    await adele.press(
        "Review", meeting=meeting.join_url, phone_0=SEATTLE, message_type=message_type
    )
    assert ("appointment is cancelled" in adele.shown) == is_warned


async def test_a_confirmation_of_a_past_or_cancelled_meeting_is_pointed_out(
    adele: Desk, stage: Stage
) -> None:
    now = stage.world.now()
    past = add_meeting(
        stage,
        adele.person,
        1,
        start=now - timedelta(hours=5),
        end=now - timedelta(hours=4),
        is_cancelled=True,
    )
    await adele.say("text")
    await adele.press("Review", meeting=past.join_url, phone_0=SEATTLE)
    assert "cancelled" in adele.shown.lower()
    assert "over" in adele.shown.lower()
    assert "⚠️" in adele.shown


async def test_a_meeting_that_was_over_long_ago_is_pointed_out(adele: Desk, stage: Stage) -> None:
    ago = stage.world.now() - timedelta(days=40)
    past = add_meeting(stage, adele.person, 1, start=ago, end=ago + timedelta(hours=1))
    await adele.say("text")
    await adele.press("Review", join_link=past.join_url, phone_0=SEATTLE)
    assert "is over" in adele.shown


@pytest.mark.parametrize("zone", ["GMT", "EST5EDT", "UTC", "Etc/GMT+5", "Antarctica/Troll"])
async def test_every_zone_of_a_client_opens_the_form_and_has_a_name(adele: Desk, zone: str) -> None:
    adele.person.zone = zone
    await adele.say("text")
    assert "phone_0" in adele.values(), adele.shown
    assert "Unknown Region" not in str(adele.card)


async def test_without_the_calendars_permission_the_form_offers_to_give_it(
    adele: Desk, stage: Stage
) -> None:
    adele.person.consents -= {"Calendars.Read"}
    await adele.say("text")
    form = adele.message()
    button = actions.button(adele.card, "text.allow_calendar")
    assert "calendar" in adele.shown
    assert "join link" in adele.shown
    typed = {key: value for key, value in adele.values().items() if value} | {"phone_0": SEATTLE}
    await adele.teams.press(adele.person, form.id, button, typed)
    await adele.teams.settled()
    assert "auth/start" in str(adele.card)
    assert actions.inputs(form.card(adele.person) or {})["phone_0"] == ""  # as it was

    adele.person.consents |= {"Calendars.Read"}
    await adele.teams.press(adele.person, form.id, button, typed)
    shown = form.card(adele.person)
    assert shown
    assert choices(shown)
    assert actions.inputs(shown)["phone_0"] == SEATTLE


async def test_in_a_dialog_the_calendars_sign_in_stands_above_the_form(
    adele: Desk, stage: Stage
) -> None:
    adele.person.consents -= {"Calendars.Read"}
    await adele.say("signin")
    opened = await stage.teams.invoke(
        adele.person, "composeExtension/fetchTask", {"commandId": "textAttendees"}
    )
    form = opened.body["task"]["value"]["card"]["content"]
    button = actions.button(form, "Sign in to list my meetings")
    data = {**actions.inputs(form), "phone_0": SEATTLE, **button["data"]}
    answer = await stage.teams.invoke(
        adele.person, "composeExtension/submitAction", {"commandId": "textAttendees", "data": data}
    )
    card = answer.body["task"]["value"]["card"]["content"]
    assert "auth/start" in str(card)
    assert actions.inputs(card)["phone_0"] == SEATTLE
