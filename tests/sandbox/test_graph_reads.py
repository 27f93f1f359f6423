"""What the Graph stand-in lets a signed-in user read."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from sandbox.entra import Entra
from sandbox.graph import Graph
from sandbox.world import Meeting, World

READ = {"User.ReadBasic.All", "Calendars.Read", "OnlineMeetings.Read"}


class Reader:
    """GETs in one person's name."""

    def __init__(self, graph: Graph, entra: Entra, session: aiohttp.ClientSession) -> None:
        self.graph, self.entra, self.session = graph, entra, session

    async def get(
        self,
        path: str,
        *,
        who: str = "Adele",
        scopes: set[str] = READ,
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> tuple[int, Any]:
        token = self.entra.tokens.graph_token(self.graph.world.named(who), scopes)
        address = path if path.startswith("http") else f"{self.graph.url}/v1.0{path}"
        async with self.session.get(
            address,
            params={name.replace("_", "$", 1): value for name, value in query.items()} or None,
            headers={"Authorization": f"Bearer {token}"} | (headers or {}),
        ) as answer:
            return answer.status, await answer.json()

    async def batch(self, body: Any) -> tuple[int, Any]:
        token = self.entra.tokens.graph_token(self.graph.world.named("Adele"), READ)
        async with self.session.post(
            f"{self.graph.url}/v1.0/$batch",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
        ) as answer:
            return answer.status, await answer.json()


@pytest.fixture
def reader(graph: Graph, entra: Entra, session: aiohttp.ClientSession) -> Reader:
    return Reader(graph, entra, session)


def window(world: World, days: int = 14) -> dict[str, str]:
    now = world.now()
    return {
        "startDateTime": now.isoformat(timespec="seconds"),
        "endDateTime": (now + timedelta(days=days)).isoformat(timespec="seconds"),
    }


async def test_me_is_the_tokens_owner(reader: Reader, world: World) -> None:
    status, body = await reader.get("/me")

    assert status == 200
    assert body["id"] == world.named("Adele").id
    assert body["userPrincipalName"] == "adele.vance@contoso-clinic.example"


async def test_a_colleague_is_found_by_id_and_by_principal_name(
    reader: Reader, world: World
) -> None:
    megan = world.named("Megan")

    assert (await reader.get(f"/users/{megan.id}"))[1]["displayName"] == "Megan Bowen"
    assert (await reader.get(f"/users/{megan.mail.upper()}"))[1]["id"] == megan.id


async def test_an_unknown_person_is_404(reader: Reader) -> None:
    status, body = await reader.get("/users/nobody@contoso-clinic.example")

    assert status == 404
    assert body["error"]["code"] == "Request_ResourceNotFound"


async def test_addresses_are_looked_up_by_filter(reader: Reader, world: World) -> None:
    address = world.named("Lee").mail

    status, body = await reader.get(
        "/users",
        _filter=f"mail eq '{address}' or userPrincipalName eq '{address}'",
        _select="id,displayName",
    )

    assert status == 200
    assert body["value"] == [{"id": world.named("Lee").id, "displayName": "Lee Gu"}]


async def test_an_apostrophe_is_doubled_in_a_filter(reader: Reader, world: World) -> None:
    world.named("Lee").mail = "o'lee@contoso-clinic.example"

    status, body = await reader.get("/users", _filter="mail eq 'o''lee@contoso-clinic.example'")

    assert (status, len(body["value"])) == (200, 1)
    assert (await reader.get("/users", _filter="mail eq 'o'lee'"))[0] == 400


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"_filter": "mail = 'x'"}, id="a filter that is not OData"),
        pytest.param({"_filter": "jobTitle eq 'Nurse'"}, id="a filter by another property"),
        pytest.param(
            {"_filter": " or ".join(["mail eq 'x'"] * 16)}, id="more than fifteen clauses"
        ),
        pytest.param({"_top": "0"}, id="a page of nothing"),
        pytest.param({"_top": "1000"}, id="a page too large"),
        pytest.param({"_search": '"x"'}, id="an unknown option"),
        pytest.param({"_select": "id,nickname"}, id="an unknown property"),
    ],
)
async def test_a_wrong_question_about_people_is_400(reader: Reader, query: dict[str, str]) -> None:
    assert (await reader.get("/users", **query))[0] == 400


async def test_what_basic_reading_does_not_show_is_403(reader: Reader) -> None:
    status, body = await reader.get("/users", _select="id,jobTitle")

    assert status == 403
    assert body["error"]["code"] == "Authorization_RequestDenied"


async def test_people_come_in_pages_that_link_to_the_next(reader: Reader, world: World) -> None:
    found, address, query = [], "/users", {"_top": "4"}
    while True:
        status, body = await reader.get(address, **query)
        assert status == 200
        found += [one["id"] for one in body["value"]]
        if "@odata.nextLink" not in body:
            break
        address, query = body["@odata.nextLink"], {}

    assert sorted(found) == sorted(world.people)


async def test_a_batch_answers_every_request_in_any_order(reader: Reader, world: World) -> None:
    lee = world.named("Lee")
    status, body = await reader.batch(
        {
            "requests": [
                {"id": "1", "method": "GET", "url": f"/users/{lee.id}?$select=id"},
                {"id": "2", "method": "GET", "url": "/users/nobody%40x.example"},
            ]
        }
    )

    answers = {one["id"]: one for one in body["responses"]}
    assert status == 200
    assert answers["1"]["body"]["id"] == lee.id
    assert answers["2"]["status"] == 404
    assert answers["2"]["body"]["error"]["code"] == "Request_ResourceNotFound"
    assert [one["id"] for one in body["responses"]] == ["2", "1"]


@pytest.mark.parametrize(
    "requests",
    [
        pytest.param([], id="none"),
        pytest.param(
            [{"id": str(n), "method": "GET", "url": "/me"} for n in range(21)], id="21 of them"
        ),
        pytest.param([{"id": "1", "method": "GET", "url": "/me"}] * 2, id="one id twice"),
        pytest.param([{"method": "GET", "url": "/me"}], id="no id"),
        pytest.param([{"id": "1", "method": "POST", "url": "/me"}], id="not a read"),
        pytest.param(
            [{"id": "1", "method": "GET", "url": "https://x.example/me"}], id="an absolute url"
        ),
        pytest.param("all", id="not a list"),
    ],
)
async def test_a_wrong_batch_is_400(reader: Reader, requests: Any) -> None:
    assert (await reader.batch({"requests": requests}))[0] == 400


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


async def test_the_installed_app_tells_its_catalogue_id(reader: Reader, world: World) -> None:
    scopes = {"TeamsAppInstallation.ReadForUser"}
    query = {
        "_expand": "teamsApp",
        "_filter": f"teamsApp/externalId eq '{world.teams_app_id}'",
    }

    status, body = await reader.get("/me/teamwork/installedApps", scopes=scopes, **query)
    world.named("Adele").has_app = False
    _, without = await reader.get("/me/teamwork/installedApps", scopes=scopes, **query)

    assert status == 200
    assert body["value"][0]["teamsApp"]["id"] == world.catalog_app_id
    assert without["value"] == []


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/me", "User.Read"),
        ("/users", "User.ReadBasic.All"),
        ("/me/calendarView", "Calendars.Read"),
        ("/me/onlineMeetings", "OnlineMeetings.Read"),
        ("/me/teamwork/installedApps", "TeamsAppInstallation.ReadForUser"),
    ],
)
async def test_a_read_without_its_permission_is_403_and_names_it(
    reader: Reader, path: str, scope: str
) -> None:
    status, body = await reader.get(path, scopes={"TeamsActivity.Send"})

    assert status == 403
    assert scope in body["error"]["message"]


async def test_an_address_that_graph_does_not_have_is_400(reader: Reader) -> None:
    assert (await reader.get("/me/weather"))[0] == 400
    assert (await reader.get(f"{reader.graph.url}/beta/me"))[0] == 400
