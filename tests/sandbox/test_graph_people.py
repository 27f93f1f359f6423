"""People, batches and installed apps at the Graph stand-in."""

from typing import Any

import pytest

from sandbox.world import World
from tests.sandbox.gets import Reader


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
