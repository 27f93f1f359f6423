"""The page's server: live snapshots, what people do on it, and the tunnel to the app."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from sandbox.page import Page
from sandbox.stage import Stage
from sandbox.world import FeedItem, Person, PhoneText


class App:
    """Stands where app.py would: keeps what it hears, and answers with what a tunnel must keep."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str, bytes]] = []

    async def messages(self, request: web.Request) -> web.Response:
        self.heard.append(await request.json())
        return web.Response(status=200)

    async def auth(self, request: web.Request) -> web.Response:
        self.requests.append((request.method, request.raw_path, await request.read()))
        answer = web.Response(status=302, headers={"Location": request.query["to"]})
        answer.set_cookie("a", "1")
        answer.set_cookie("b", "2")
        return answer


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with Stage() as stage:
        yield stage


@pytest.fixture
async def app(stage: Stage) -> AsyncIterator[App]:
    app = App()
    server = web.Application()
    server.router.add_post("/api/messages", app.messages)
    server.router.add_route("*", "/auth/{tail:.*}", app.auth)
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", stage.app_port).start()
    yield app
    await runner.cleanup()


@pytest.fixture
async def page(stage: Stage) -> AsyncIterator[Page]:
    page = Page(stage)
    await page.start()
    yield page
    await page.stop()


@pytest.fixture
async def session(page: Page) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(page.url, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield session


@pytest.fixture
def adele(stage: Stage) -> Person:
    return stage.world.named("Adele")


def path(person: Person, what: str) -> str:
    return f"/sandbox/people/{person.id}/{what}"


async def snapshot(stream: aiohttp.ClientResponse) -> dict[str, Any]:
    line = b""
    while not line.startswith(b"data: "):
        line = await stream.content.readline()
    found: dict[str, Any] = json.loads(line.removeprefix(b"data: "))
    return found


async def test_the_page_and_its_parts_are_served_without_foreign_addresses(
    session: aiohttp.ClientSession,
) -> None:
    async with session.get("/") as answer:
        policy = answer.headers["Content-Security-Policy"]
        html = await answer.text()
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "http" not in html
    for part in ("static/js/main.js", "vendor/adaptivecards.js", "vendor/teams-dark.json"):
        assert f"/{part}" in html or part.endswith(".json")
        async with session.get(f"/{part}") as answer:
            assert answer.status == 200


@pytest.mark.parametrize("wanted", ["/static/%2e%2e/page.py", "/vendor/none.js", "/static/none"])
async def test_nothing_but_the_page_is_served(session: aiohttp.ClientSession, wanted: str) -> None:
    async with session.get(wanted) as answer:
        assert answer.status == 404


async def test_a_first_opening_installs_the_bot_once(
    session: aiohttp.ClientSession, app: App, adele: Person
) -> None:
    for _ in range(2):
        async with session.post(path(adele, "open"), json={}) as answer:
            assert answer.status == 200
    assert [a["type"] for a in app.heard] == ["conversationUpdate", "installationUpdate"]


async def test_what_is_typed_reaches_the_bot_and_every_open_page(
    session: aiohttp.ClientSession, app: App, adele: Person
) -> None:
    async with session.get(path(adele, "events")) as stream:
        assert (await snapshot(stream))["places"][0]["messages"] == []
        async with session.post(path(adele, "say"), json={"text": "help"}) as answer:
            assert await answer.json() == {"status": 200, "heard": True}
        first = (await snapshot(stream))["places"][0]["messages"]
        assert [m["text"] for m in first] == ["help"]
        async with session.post(path(adele, "say"), json={"text": "again"}) as answer:
            assert answer.status == 200
        second = (await snapshot(stream))["places"][0]["messages"]
    assert second[0] == {"id": first[0]["id"]}, "what did not change is not sent again"
    assert second[1]["text"] == "again"
    assert [a["text"] for a in app.heard] == ["help", "again"]


async def test_feeds_and_phones_are_unread_until_somebody_looks(
    stage: Stage, page: Page, adele: Person
) -> None:
    world, now = stage.world, stage.world.now()
    item = FeedItem(now - timedelta(seconds=1), adele.id, "t", "Text", "Preview", "T", "", 2**62)
    world.feeds[adele.id].append(item)
    text = PhoneText(now, "+12063428631", "confirmation", "Visit", now, "UTC", "en-US", "A", "Hi")
    world.phones["+12063428631"].append(text)
    drawn = page.snapshots.draw(adele)
    assert (drawn["people"][0]["unread"], drawn["phones"][0]["unread"]) == (1, 1)
    assert drawn["people"][0]["feed"][0]["chain_id"] == str(2**62)
    page.snapshots.read_feed(adele)
    page.snapshots.read_phone("+12063428631")
    drawn = page.snapshots.draw(adele)
    assert (drawn["people"][0]["unread"], drawn["phones"][0]["unread"]) == (0, 0)
    json.dumps(drawn)


async def test_settings_change_the_world(
    session: aiohttp.ClientSession, stage: Stage, app: App, adele: Person
) -> None:
    wish = {"has_app": False, "has_premium": False, "consents": ["Calendars.Read"]}
    async with session.post(path(adele, "settings"), json=wish) as answer:
        assert answer.status == 200
    assert (adele.has_app, adele.has_premium) == (False, False)
    assert adele.consents == {"Calendars.Read", "offline_access"}
    assert app.heard[0]["action"] == "remove"
    async with session.post("/sandbox/faults", json={"throttled": True, "slow_s": 1.5}) as answer:
        assert answer.status == 200
    assert (stage.world.faults.throttled, stage.world.faults.slow_s) == (True, 1.5)
    async with session.post("/sandbox/consents", json={"consents": []}) as answer:
        assert answer.status == 200
    assert stage.world.tenant_consents == {"openid", "profile"}


@pytest.mark.parametrize(
    ("where", "body"),
    [("say", {"text": " "}), ("press", {"message_id": "1", "action": {}}), ("press", {})],
)
async def test_nonsense_from_the_page_is_refused(
    session: aiohttp.ClientSession, adele: Person, where: str, body: dict[str, Any]
) -> None:
    async with session.post(path(adele, where), json=body) as answer:
        assert answer.status == 400


async def test_a_form_of_another_site_can_do_nothing(
    session: aiohttp.ClientSession, adele: Person
) -> None:
    async with session.post(path(adele, "say"), data={"text": "help"}) as answer:
        assert answer.status == 415


async def test_unknown_people_and_faults_are_refused(session: aiohttp.ClientSession) -> None:
    async with session.post("/sandbox/people/nobody/open", json={}) as answer:
        assert answer.status == 404
    async with session.post("/sandbox/faults", json={"none": True}) as answer:
        assert answer.status == 400


async def test_a_team_is_renamed_and_deleted_by_those_who_are_in_it(
    session: aiohttp.ClientSession, stage: Stage, app: App, adele: Person
) -> None:
    [team] = stage.world.teams.values()

    async def asks(**what: Any) -> int:
        async with session.post(f"/sandbox/teams/{team.id}", json=what) as answer:
            return answer.status

    assert await asks(person=adele.id, name=" Reception ") == 200
    assert (team.name, team.deleted) == ("Reception", False)
    assert await asks(person=adele.id, name="x" * 51) == 400
    team.member_ids.remove(adele.id)
    assert await asks(person=adele.id, deleted=True) == 400
    team.member_ids.append(adele.id)
    assert await asks(person=adele.id, deleted=True) == 200
    assert team.deleted
    assert await asks(person=adele.id, name="Again") == 400
    events = [activity["channelData"]["eventType"] for activity in app.heard]
    assert events == ["teamRenamed", "teamDeleted"]
    async with session.post("/sandbox/reset", json={}) as answer:
        assert answer.status == 200
    assert [one.name for one in stage.world.teams.values()] == ["Front desk"]


async def test_the_tunnel_keeps_method_query_cookies_and_redirects(
    session: aiohttp.ClientSession, app: App
) -> None:
    address = "/auth/end?to=https%3A%2F%2Felsewhere.example%2F%3Fa%3D1"
    url = URL(address, encoded=True)
    async with session.post(url, data=b"x", allow_redirects=False) as answer:
        assert answer.status == 302
        assert answer.headers["Location"] == "https://elsewhere.example/?a=1"
        assert len(answer.headers.getall("Set-Cookie")) == 2
    assert app.requests == [("POST", address, b"x")]


async def test_entra_is_reached_through_the_page(
    session: aiohttp.ClientSession, stage: Stage, app: App
) -> None:
    tenant = stage.world.tenant_id
    async with session.get(f"/{tenant}/discovery/v2.0/keys") as answer:
        assert (await answer.json())["keys"]
    address = f"/auth/start?to={stage.entra.url}/{tenant}/oauth2/v2.0/authorize"
    async with session.get(address, allow_redirects=False) as answer:
        assert answer.headers["Location"] == f"/{tenant}/oauth2/v2.0/authorize"


async def test_an_app_that_is_not_there_is_502(session: aiohttp.ClientSession) -> None:
    async with session.post("/api/messages", json={}) as answer:
        assert answer.status == 502
