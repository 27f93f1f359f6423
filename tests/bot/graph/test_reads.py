from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from bot.graph.client import PersonFound
from bot.graph.errors import (
    GraphRefused,
    GraphSilent,
    GraphThrottled,
    GraphUnavailable,
    PermissionMissing,
    TokenRejected,
)
from bot.graph.records import meeting_event
from bot.graph.routes import PEOPLE
from bot.identity.permissions import NOTIFY
from tests.bot.graph.conftest import Desk, Serve


def soon() -> tuple[datetime, datetime]:
    now = datetime.now(UTC)
    return now, now + timedelta(days=14)


async def test_upcoming_meetings_are_the_users_own_in_the_users_zone(desk: Desk) -> None:
    adele = desk.person("Adele")
    found = await desk.graph.upcoming_meetings(desk.token("Adele"), *soon(), adele.zone)
    mine = [m for m in desk.world.meetings.values() if m.organizer_id == adele.id]
    assert [one.join_url for one in found] == [
        m.join_url for m in sorted(mine, key=lambda m: m.start)
    ]
    assert [one.start for one in found] == sorted(m.start for m in mine)
    assert {one.start.tzinfo for one in found} == {ZoneInfo(adele.zone)}
    assert all(one.is_organizer and not one.is_cancelled for one in found)


async def test_meetings_of_others_and_those_that_are_not_online_are_left_out(desk: Desk) -> None:
    adele, megan = desk.person("Adele"), desk.person("Megan")
    mine = [m for m in desk.world.meetings.values() if m.organizer_id == adele.id]
    mine[0].is_online = False
    mine[1].is_cancelled = True
    hers = next(m for m in desk.world.meetings.values() if m.organizer_id == megan.id)
    hers.attendee_ids = (adele.id,)
    found = await desk.graph.upcoming_meetings(desk.token("Adele"), *soon(), "UTC")
    urls = {one.join_url: one.is_cancelled for one in found}
    assert urls == {m.join_url: m.is_cancelled for m in mine[1:]}


async def test_both_forms_of_a_join_link_find_the_meeting(desk: Desk) -> None:
    adele = desk.person("Adele")
    mine = [m for m in desk.world.meetings.values() if m.organizer_id == adele.id]
    assert {"meetup-join" in m.join_url for m in mine} == {True, False}
    for meeting in mine:
        found = await desk.graph.meeting_by_join_url(desk.token("Adele"), meeting.join_url)
        assert found is not None
        assert (found.id, found.subject, found.start) == (
            meeting.id,
            meeting.subject,
            meeting.start,
        )


async def test_somebody_elses_meeting_is_not_found(desk: Desk) -> None:
    megan = desk.person("Megan")
    hers = next(m for m in desk.world.meetings.values() if m.organizer_id == megan.id)
    assert await desk.graph.meeting_by_join_url(desk.token("Adele"), hers.join_url) is None


@pytest.mark.parametrize("status", [403, 404])
async def test_a_refused_look_at_a_meeting_means_not_the_organizer(
    serve: Serve, status: int
) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"error": {"code": "Forbidden", "message": "3003"}}, status=status)

    async with serve(answer) as graph:
        assert await graph.meeting_by_join_url("t", "https://teams.microsoft.com/meet/1") is None


async def test_quotes_and_signs_in_what_is_looked_for_are_data(serve: Serve) -> None:
    came: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        came.append(request.raw_path)
        return web.json_response({"value": []})

    nasty = "https://x/?a='b'&c=%3a#d e+f/é"
    async with serve(answer) as graph:
        await graph.meeting_by_join_url("t", nasty)
        await graph.catalogue_id("t", "o'clock")
    assert came[0] == (
        "/v1.0/me/onlineMeetings?$filter=JoinWebUrl%20eq%20%27https%3A%2F%2Fx%2F%3Fa%3D%27%27b%27"
        "%27%26c%3D%253a%23d%20e%2Bf%2F%C3%A9%27"
    )
    assert came[1].endswith("teamsApp%2FexternalId%20eq%20%27o%27%27clock%27")


async def test_a_meeting_id_with_signs_stays_one_part_of_the_path(serve: Serve) -> None:
    came: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        came.append(request.raw_path)
        return web.Response(status=202)

    async with serve(answer) as graph:
        await graph.send_appointment_text("t", "a/../b?c=*%2F", {}, client_request_id="c")
    [path] = came
    assert path == "/v1.0/me/onlineMeetings/a%2F..%2Fb%3Fc%3D%2A%252F/sendVirtualAppointmentSms"


async def test_the_catalogue_knows_the_app_by_its_manifest_id(desk: Desk) -> None:
    token = desk.token("Adele")
    found = await desk.graph.catalogue_id(token, desk.world.teams_app_id)
    assert found == desk.world.catalog_app_id
    assert await desk.graph.catalogue_id(token, "00000000-0000-4000-8000-000000000000") is None


async def test_people_are_found_by_address_and_the_rest_are_told(desk: Desk) -> None:
    megan = desk.person("Megan")
    found = await desk.graph.people_by_address(
        desk.token("Adele"), [megan.mail.upper(), "nobody@contoso-clinic.example", "o'x", ""]
    )
    assert found == {
        megan.mail.upper(): PersonFound(megan.id, megan.name, megan.mail),
        "nobody@contoso-clinic.example": None,
        "o'x": None,
        "": None,
    }


async def test_many_people_are_asked_for_twenty_at_a_time(desk: Desk) -> None:
    everybody = [person.id for person in desk.world.people.values()]
    strangers = [f"00000000-0000-4000-8000-{number:012d}" for number in range(40)]
    found = await desk.graph.people_by_id(desk.token("Adele"), strangers + everybody + strangers)
    assert list(found) == strangers + everybody
    assert {key for key, person in found.items() if person} == set(everybody)
    batches = [len(call.body["requests"]) for call in desk.world.graph_calls]
    assert sum(batches) == len(found)
    assert max(batches) == 20


async def test_asking_for_nobody_asks_nobody(desk: Desk) -> None:
    assert await desk.graph.people_by_id(desk.token("Adele"), []) == {}
    assert desk.world.graph_calls == []


async def test_people_cannot_be_read_without_the_permission(desk: Desk) -> None:
    with pytest.raises(PermissionMissing):
        await desk.graph.people_by_id(desk.token("Adele", NOTIFY[:1]), [desk.person("Lee").id])


async def test_throttled_parts_of_a_batch_are_asked_again(serve: Serve) -> None:
    rounds: list[list[str]] = []

    async def answer(request: web.Request) -> web.Response:
        asked = [one["id"] for one in (await request.json())["requests"]]
        rounds.append(asked)
        responses: list[dict[str, Any]] = []
        for one in asked:
            if one == "1" and len(rounds) == 1:
                responses.append({"id": one, "status": 429, "headers": {"retry-after": "0"}})
            elif one != "2" or len(rounds) > 1:  # the third is left out of the first answer
                responses.append({"id": one, "status": 200, "body": {"id": f"P{one}"}})
        return web.json_response({"responses": responses})

    async with serve(answer) as graph:
        found = await graph.people_by_id("t", ["a", "b", "c"])
    assert rounds == [["0", "1", "2"], ["1", "2"]]
    assert {key: person and person.id for key, person in found.items()} == {
        "a": "p0",
        "b": "p1",
        "c": "p2",
    }


async def test_a_batch_that_stays_throttled_is_given_up(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        asked = (await request.json())["requests"]
        parts = [{"id": one["id"], "status": 429, "headers": {"Retry-After": "0"}} for one in asked]
        return web.json_response({"responses": parts})

    async with serve(answer) as graph:
        with pytest.raises(GraphUnavailable):
            await graph.people_by_id("t", ["a"])


async def test_two_accounts_with_one_address_are_nobody_unless_one_signs_in_with_it(
    serve: Serve,
) -> None:
    def user(number: int, name: str) -> dict[str, str]:
        return {"id": f"U{number}", "mail": "shared@x.example", "userPrincipalName": name}

    both = [user(1, "one@x.example"), user(2, "two@x.example")]
    named = [user(1, "one@x.example"), user(2, "Shared@x.example")]

    async def answer(_request: web.Request) -> web.Response:
        parts = [
            {"id": "0", "status": 200, "body": {"value": both}},
            {"id": "1", "status": 200, "body": {"value": named}},
        ]
        return web.json_response({"responses": parts})

    async with serve(answer) as graph:
        found = await graph.people_by_address("t", ["shared@x.example", "SHARED@x.example"])
    assert found["shared@x.example"] is None
    assert found["SHARED@x.example"] == PersonFound("u2", "shared@x.example", "shared@x.example")


async def test_pages_are_followed_to_the_end(desk: Desk) -> None:
    token = desk.token("Adele")
    query = {"$top": "2", "$select": "id"}
    found = [user["id"] async for user in desk.graph.pages(PEOPLE, token, query=query)]
    assert sorted(found) == sorted(desk.world.people)
    assert len(desk.world.graph_calls) == -(-len(desk.world.people) // 2)


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1.0/users?$skiptoken=1",
        "http://127.0.0.1:1/v1.0/users",
        "http://127.0.0.1@evil.example/",
    ],
)
async def test_a_page_elsewhere_is_never_asked_for(serve: Serve, link: str) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.json_response({"value": [{"id": "1"}], "@odata.nextLink": link})

    async with serve(answer) as graph:
        with pytest.raises(GraphRefused):
            [one async for one in graph.pages(PEOPLE, "t")]


@pytest.mark.parametrize("status", [429, 503, 504])
async def test_a_read_waits_and_goes_again(serve: Serve, status: int) -> None:
    count = 0

    async def answer(_request: web.Request) -> web.Response:
        nonlocal count
        count += 1
        if count < 3:
            return web.Response(status=status, headers={"Retry-After": "0"})
        return web.json_response({"value": []})

    async with serve(answer) as graph:
        assert await graph.catalogue_id("t", "x") is None
    assert count == 3


@pytest.mark.parametrize(
    ("status", "error"), [(500, GraphUnavailable), (400, GraphRefused), (401, TokenRejected)]
)
async def test_other_failures_of_a_read_are_told_at_once(
    serve: Serve, status: int, error: type[Exception]
) -> None:
    count = 0

    async def answer(_request: web.Request) -> web.Response:
        nonlocal count
        count += 1
        return web.Response(status=status)

    async with serve(answer) as graph:
        with pytest.raises(error):
            await graph.catalogue_id("t", "x")
    assert count == 1


async def test_a_read_does_not_wait_longer_than_its_patience(serve: Serve) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "60"})

    async with serve(answer) as graph:
        with pytest.raises(GraphThrottled) as caught:
            await graph.catalogue_id("t", "x")
    assert caught.value.retry_after_s == 60


async def test_a_read_gives_up_in_the_end(serve: Serve) -> None:
    count = 0

    async def answer(_request: web.Request) -> web.Response:
        nonlocal count
        count += 1
        return web.Response(status=503, headers={"Retry-After": "0"})

    async with serve(answer) as graph:
        with pytest.raises(GraphUnavailable):
            await graph.catalogue_id("t", "x")
    assert count == 4


async def test_a_read_that_was_cut_off_goes_again(serve: Serve) -> None:
    count = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal count
        count += 1
        if count == 1:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"value": []})

    async with serve(answer) as graph:
        assert await graph.catalogue_id("t", "x") is None
    assert count == 2


async def test_an_answer_that_is_no_json_is_no_answer(serve: Serve) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text="<html>a proxy's page</html>")

    async with serve(answer) as graph:
        graph.patience_s = 0
        with pytest.raises(GraphSilent):
            await graph.catalogue_id("t", "x")


@pytest.mark.parametrize(
    "start",
    [
        None,
        {},
        {"dateTime": "soon", "timeZone": "UTC"},
        {"dateTime": "2026-01-05T10:00:00.0000000", "timeZone": "Atlantis Standard Time"},
    ],
)
def test_an_event_whose_time_cannot_be_read_is_left_out(start: Any) -> None:
    event = {
        "isOrganizer": True,
        "onlineMeeting": {"joinUrl": "https://x"},
        "start": start,
        "end": {"dateTime": "2026-01-05T10:00:00.0000000", "timeZone": "UTC"},
    }
    assert meeting_event(event, UTC) is None


def test_times_have_seven_decimals_and_their_zone_beside_them() -> None:
    moment = {"dateTime": "2026-01-05T10:00:00.0000000", "timeZone": "Europe/Berlin"}
    event = {
        "subject": None,
        "isOrganizer": True,
        "onlineMeeting": {"joinUrl": "https://x"},
        "start": moment,
        "end": moment,
    }
    found = meeting_event(event, UTC)
    assert found is not None
    assert found.start == datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert found.subject == ""
