"""Meetings are searched by typing, and every occurrence, day and clock is told apart."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.settings import Settings
from sandbox import actions
from sandbox.series import new_series
from sandbox.stage import Stage
from sandbox.teams import Conversation
from tests.desk import Desk
from tests.recorded import recorded
from tests.stories.test_meetings import SEATTLE, SMS, add_meeting

RESPONSE = "application/vnd.microsoft.search.searchResponse"


@pytest.fixture
async def adele(herald: Settings, at_desk: Callable[[str], Desk]) -> Desk:
    desk = at_desk("Adele")
    await desk.teams.install(desk.person)
    await desk.say("text")
    return desk


def field(card: dict[str, Any]) -> dict[str, Any]:
    [found] = [part for part in actions.elements(card) if part.get("id") == "meeting"]
    return found


async def searched(
    desk: Desk, words: str, name: str = "search-meetings", place: Conversation | None = None
) -> list[dict[str, str]]:
    """What the recorded search finds for these words."""
    activity = recorded(name, desk.stage, desk.person, place, text=words, message__id="1700")
    answer = await desk.teams.send(activity)
    assert answer.status == 200
    assert not answer.problem
    assert answer.body["type"] == RESPONSE
    assert answer.body["statusCode"] == 200
    results: list[dict[str, str]] = answer.body["value"]["results"]
    return results


def titles(results: list[dict[str, str]]) -> str:
    return "\n".join(result["title"] for result in results)


# Search -------------------------------------------------------------------------------------------


async def test_the_field_is_searched_by_typing_and_lists_the_first_without(adele: Desk) -> None:
    await adele.say("text")
    entry = field(adele.card)
    assert entry["style"] == "filtered"
    assert entry["choices.data"] == {"type": "Data.Query", "dataset": "meetings"}
    assert len(entry["choices"]) == 3


@pytest.mark.parametrize(
    "name", ["search-meetings", "search-meetings-kind", "search-meetings-dialog"]
)
async def test_what_is_typed_finds_meetings_by_all_its_words(
    adele: Desk, stage: Stage, name: str
) -> None:
    for n in range(120):
        add_meeting(stage, adele.person, n)
    assert titles(await searched(adele, "VISIT 117", name)).endswith("· Visit 117")
    assert await searched(adele, "Visit 117 nowhere", name) == []


async def test_in_a_channel_it_is_the_one_who_types_whose_meetings_are_found(
    adele: Desk, stage: Stage
) -> None:
    team = stage.teams.team("Care team", [adele.person, stage.world.named("Megan")])
    place = stage.teams.channel(team, "General")
    add_meeting(stage, stage.world.named("Megan"), 7)
    add_meeting(stage, adele.person, 8)
    found = titles(await searched(adele, "visit", "search-meetings-channel", place))
    assert "Visit 8" in found
    assert "Visit 7" not in found


async def test_results_come_fifteen_at_a_time(adele: Desk, stage: Stage) -> None:
    for n in range(20):
        add_meeting(stage, adele.person, n, subject=f"Group {n}")
    first = await searched(adele, "group")
    second = await searched(adele, "group", "search-meetings-page")
    assert (len(first), len(second)) == (15, 5)
    assert not {one["value"] for one in first} & {one["value"] for one in second}


async def test_nothing_typed_finds_the_next_ones(adele: Desk) -> None:
    assert len(await searched(adele, "")) == 3


async def test_what_was_found_months_ahead_is_reviewed_sent_and_edited(
    adele: Desk, stage: Stage
) -> None:
    soon = stage.world.now().replace(microsecond=0)
    far = add_meeting(
        stage,
        adele.person,
        1,
        subject="Surgery",
        start=soon + timedelta(days=120),
        end=soon + timedelta(days=120, hours=1),
    )
    await adele.say("text")
    assert "Surgery" not in str(field(adele.card)["choices"])
    [found] = await searched(adele, "surg")
    await adele.press("text.add_attendee", meeting=found["value"])
    assert adele.values()["meeting"] == found["value"]
    assert "Surgery" in str(field(adele.card)["choices"])
    await adele.press("Review", meeting=found["value"], phone_0=SEATTLE)
    assert f"{far.start.astimezone(ZoneInfo(adele.person.zone)):%b}" in adele.shown
    await adele.press("text.edit")
    assert adele.values()["meeting"] == found["value"]
    await adele.press("Review", phone_0=SEATTLE)
    await adele.press("text.send")
    assert len(stage.world.accepted(SMS)) == 1


@pytest.mark.parametrize("what", ["dataset", "query", "kind", "options", "no-query", "value"])
async def test_a_search_of_another_shape_is_answered_400_with_an_error(
    adele: Desk, stage: Stage, what: str
) -> None:
    activity = recorded(
        f"search-wrong-{what}", stage, adele.person, text="visit", message__id="1700"
    )
    answer = await stage.teams.send(activity)
    assert answer.status == 400
    assert answer.body["statusCode"] == 400
    assert answer.body["type"] == "application/vnd.microsoft.error"
    assert answer.body["value"]["code"] == "BadRequest"
    assert "visit" not in str(answer.body)


async def test_a_calendar_that_cannot_be_read_finds_nothing_and_the_link_still_works(
    herald: Settings, at_desk: Callable[[str], Desk], stage: Stage
) -> None:
    adele = at_desk("Adele")
    adele.person.consents -= {"Calendars.Read"}
    await adele.teams.install(adele.person)
    await adele.say("signin")
    meeting = add_meeting(stage, adele.person, 1)
    assert await searched(adele, "visit") == []
    await adele.say("text")
    await adele.press("Review", join_link=meeting.join_url, phone_0=SEATTLE)
    assert adele.has_button("text.send")


async def test_whoever_is_not_signed_in_finds_nothing(
    herald: Settings, at_desk: Callable[[str], Desk], stage: Stage
) -> None:
    megan = at_desk("Megan")
    await megan.teams.install(megan.person)
    assert await searched(megan, "visit") == []


async def test_the_letters_of_a_word_read_the_calendar_once(adele: Desk, stage: Stage) -> None:
    before = len(stage.world.graph_calls)
    for words in ("f", "fo", "fol", "foll"):
        assert "Follow-up" in titles(await searched(adele, words))
    read = [c for c in stage.world.graph_calls[before:] if c.path.endswith("calendarView")]
    assert len(read) == 1


async def test_words_that_are_no_meeting_are_asked_for_again(adele: Desk) -> None:
    await adele.say("text")
    await adele.press("Review", meeting="Foll", phone_0=SEATTLE)
    assert not adele.has_button("text.send")
    assert "Choose one of your meetings" in adele.shown


# Days and clocks ----------------------------------------------------------------------------------


async def test_each_occurrence_of_a_series_keeps_its_hour_where_clocks_are_changed(
    adele: Desk, stage: Stage
) -> None:
    zone = ZoneInfo(adele.person.zone)
    first = datetime(2027, 2, 22, 9, tzinfo=zone).astimezone(UTC)
    stage.world.now = lambda: datetime(2027, 2, 20, tzinfo=UTC)
    made = new_series(stage.world, adele.person, "Diabetes group", first, times=5)
    assert len({meeting.start.hour for meeting in made}) == 2
    shown = [meeting.start.astimezone(zone).strftime("%H:%M") for meeting in made]
    assert set(shown) == {"09:00"}


async def test_a_series_is_listed_by_occurrence_and_reviewed_at_the_chosen_one(
    adele: Desk, stage: Stage
) -> None:
    first = stage.world.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
    series = new_series(stage.world, adele.person, "Diabetes group", first, times=4)
    found = await searched(adele, "diabetes")
    assert len({one["title"] for one in found}) == len({one["value"] for one in found}) == 4
    await adele.say("text")
    third = next(one for one in found if one["value"].endswith(f"{series[2].start:%dT%H:%M:%SZ}"))
    await adele.press("Review", meeting=third["value"], phone_0=SEATTLE)
    day = series[2].start.astimezone(ZoneInfo(adele.person.zone))
    assert f"{day:%b} {day.day}" in adele.shown


async def test_an_all_day_meeting_has_its_day_and_no_hour(adele: Desk, stage: Stage) -> None:
    day = (stage.world.now() + timedelta(days=3)).replace(hour=0, minute=0, second=0, microsecond=0)
    times = {"start": day, "end": day + timedelta(days=1)}
    add_meeting(stage, adele.person, 1, subject="Flu shots", is_all_day=True, **times)
    [found] = await searched(adele, "flu")
    assert found["title"] == f"{day:%a, %b} {day.day}, all day · Flu shots"
    await adele.say("text")
    await adele.press("Review", meeting=found["value"], phone_0=SEATTLE)
    assert f"{day:%b} {day.day}, all day" in adele.shown
    assert "AM" not in adele.shown.split("Leaves")[0].split("When it leaves")[0]
    await adele.press("text.send")
    assert "all day" in adele.shown


async def test_a_private_and_a_cancelled_meeting_say_so(adele: Desk, stage: Stage) -> None:
    add_meeting(stage, adele.person, 1, subject="Biopsy", is_private=True)
    add_meeting(stage, adele.person, 2, subject="Check", is_cancelled=True)
    assert titles(await searched(adele, "biopsy")).endswith("(private)")
    assert titles(await searched(adele, "check")).endswith("(cancelled)")


async def test_meetings_one_only_attends_are_not_found(adele: Desk, stage: Stage) -> None:
    add_meeting(stage, stage.world.named("Lee"), 1, attendee_ids=(adele.person.id,))
    assert await searched(adele, "visit 1") == []


async def test_each_attendee_has_a_clock_and_a_date_across_midnight(
    adele: Desk, stage: Stage
) -> None:
    zone = ZoneInfo(adele.person.zone)
    tomorrow = stage.world.now().astimezone(zone) + timedelta(days=2)
    late = tomorrow.replace(hour=22, minute=30, second=0, microsecond=0)
    early = tomorrow.replace(hour=1, minute=0, second=0, microsecond=0)
    for n, start, subject in ((1, late, "Dusk"), (2, early, "Dawn")):
        utc = start.astimezone(UTC)
        end = utc + timedelta(minutes=30)
        add_meeting(stage, adele.person, n, subject=subject, start=utc, end=end)
    everybody = {
        "phone_0": SEATTLE,
        "zone_0": "Pacific Standard Time",
        "phone_1": "(425) 703-6214",
        "zone_1": "Eastern Standard Time",
        "attendee_list": "(808) 586-0220, Hawaii",
    }
    for words, where, day in (
        ("dusk", "Eastern time", "the day after yours"),
        ("dawn", "Hawaii time", "the day before yours"),
    ):
        [found] = await searched(adele, words)
        await adele.say("text")
        await adele.press("Review", meeting=found["value"], **everybody)
        lines = [line for line in adele.shown.splitlines() if "there" in line]
        assert len(lines) == 3
        [theirs] = [line for line in lines if where in line]
        assert theirs.endswith(day)
        assert sum("yours" in line for line in lines) == 1
