"""Calendar and online meetings at the Graph stand-in."""

from datetime import timedelta
from urllib.parse import quote

import pytest

from sandbox.world import Meeting, World
from tests.sandbox.gets import Reader


def window(world: World, days: int = 14) -> dict[str, str]:
    now = world.now()
    return {
        "startDateTime": now.isoformat(timespec="seconds"),
        "endDateTime": (now + timedelta(days=days)).isoformat(timespec="seconds"),
    }


async def test_the_calendar_has_what_one_organizes_and_attends(
    reader: Reader, world: World
) -> None:
    adele, megan = world.named("Adele"), world.named("Megan")
    other = next(m for m in world.meetings.values() if m.organizer_id == megan.id)
    other.attendee_ids = (adele.id,)

    status, body = await reader.get("/me/calendarView", **window(world))

    assert status == 200
    assert len(body["value"]) == 4
    event = next(one for one in body["value"] if one["id"] == other.event_id)
    assert event["isOrganizer"] is False
    assert event["organizer"]["emailAddress"]["address"] == megan.mail
    assert event["onlineMeeting"]["joinUrl"] == other.join_url
    assert event["start"]["timeZone"] == "UTC"


async def test_times_come_in_the_zone_that_is_preferred(reader: Reader, world: World) -> None:
    adele = world.named("Adele")
    mine = next(m for m in world.meetings.values() if m.organizer_id == adele.id)
    hour = mine.start.hour

    for zone in ("Arizona", "Etc/GMT+7", "US Mountain Standard Time"):
        status, body = await reader.get(
            "/me/calendarView",
            headers={"Prefer": f'outlook.timezone="{zone}"'},
            **window(world),
        )
        if zone == "Arizona":
            assert status == 400
            continue
        event = next(one for one in body["value"] if one["id"] == mine.event_id)
        assert event["start"]["timeZone"] == zone
        assert int(event["start"]["dateTime"][11:13]) == (hour - 7) % 24


async def test_the_calendar_comes_ordered_selected_and_in_pages(
    reader: Reader, world: World
) -> None:
    starts, address = [], "/me/calendarView"
    query = {"_orderby": "start/dateTime desc", "_top": "2", "_select": "start"} | window(world)
    while True:
        status, body = await reader.get(address, **query)
        assert status == 200
        assert all(set(one) == {"id", "start"} for one in body["value"])
        starts += [one["start"]["dateTime"] for one in body["value"]]
        if "@odata.nextLink" not in body:
            break
        address, query = body["@odata.nextLink"], {}

    assert len(starts) == 3
    assert starts == sorted(starts, reverse=True)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({}, id="no window"),
        pytest.param({"startDateTime": "2030-01-01T00:00:00Z"}, id="half a window"),
        pytest.param(
            {"startDateTime": "tomorrow", "endDateTime": "2030-01-01T00:00:00Z"}, id="not a time"
        ),
        pytest.param(
            {
                "startDateTime": "2030-01-01T00:00:00 02:00",
                "endDateTime": "2030-01-02T00:00:00Z",
            },
            id="an offset whose plus was not encoded",
        ),
        pytest.param(
            {"startDateTime": "2030-01-02T00:00:00Z", "endDateTime": "2030-01-01T00:00:00Z"},
            id="a window that ends before it starts",
        ),
        pytest.param(
            {
                "startDateTime": "2030-01-01T00:00:00Z",
                "endDateTime": "2030-01-02T00:00:00Z",
                "_filter": "isOnlineMeeting eq true",
            },
            id="a filter",
        ),
    ],
)
async def test_a_wrong_question_about_the_calendar_is_400(
    reader: Reader, query: dict[str, str]
) -> None:
    assert (await reader.get("/me/calendarView", **query))[0] == 400


async def test_a_meeting_is_found_by_either_form_of_its_link(reader: Reader, world: World) -> None:
    adele = world.named("Adele")
    mine = [m for m in world.meetings.values() if m.organizer_id == adele.id]
    assert {"/l/meetup-join/" in m.join_url for m in mine} == {True, False}

    for meeting in mine:
        status, body = await reader.get(
            "/me/onlineMeetings", _filter=f"JoinWebUrl eq '{meeting.join_url}'"
        )
        assert status == 200
        assert [one["id"] for one in body["value"]] == [meeting.id]


async def test_a_link_that_was_not_encoded_finds_nothing(reader: Reader, world: World) -> None:
    meeting = next(m for m in world.meetings.values() if "%3a" in m.join_url)
    raw = quote(f"JoinWebUrl eq '{meeting.join_url}'", safe="%:/?='")

    status, body = await reader.get(f"{reader.graph.url}/v1.0/me/onlineMeetings?$filter={raw}")

    # aiohttp sends the address as it stands, so the link's own escapes are decoded once too often.
    assert (status, body["value"]) == (200, [])


async def test_somebody_elses_meeting_is_not_found(reader: Reader, world: World) -> None:
    theirs = next(m for m in world.meetings.values() if m.organizer_id == world.named("Megan").id)

    by_link = await reader.get("/me/onlineMeetings", _filter=f"JoinWebUrl eq '{theirs.join_url}'")
    by_id = await reader.get(f"/me/onlineMeetings/{theirs.id}")

    assert (by_link[0], by_link[1]["value"]) == (200, [])
    assert by_id[0] == 404


async def test_a_meeting_is_read_by_id_with_the_attendees_link(
    reader: Reader, world: World
) -> None:
    adele = world.named("Adele")
    mine: Meeting = next(m for m in world.meetings.values() if m.organizer_id == adele.id)

    for base in ("/me", f"/users/{adele.id}", f"/users/{adele.mail}"):
        status, body = await reader.get(f"{base}/onlineMeetings/{mine.id}")
        assert (status, body["joinWebUrl"]) == (200, mine.join_url)
    link = await reader.get(f"/me/onlineMeetings/{mine.id}/getVirtualAppointmentJoinWebUrl")
    assert link[0] == 200
    assert link[1]["value"].startswith("https://visit.teams.microsoft.com/")


async def test_other_peoples_calendars_and_meetings_are_403(reader: Reader, world: World) -> None:
    megan = world.named("Megan").id

    assert (await reader.get(f"/users/{megan}/onlineMeetings", _filter="x"))[0] == 403
    assert (await reader.get(f"/users/{megan}/calendarView", **window(world)))[0] == 403
