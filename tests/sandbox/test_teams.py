"""The Teams client behaves as Teams does, against a small bot that only answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import jwt
import pytest
from aiohttp import web

from sandbox.actions import button, buttons, inputs, text_of
from sandbox.connector import Connector
from sandbox.conversation import ADAPTIVE_CARD, OAUTH_CARD, Message
from sandbox.teams import TeamsClient
from sandbox.world import Person, World

CARD: dict[str, Any] = {
    "type": "AdaptiveCard",
    "version": "1.5",
    "body": [{"type": "Input.Text", "id": "name", "label": "Name", "value": "Ada"}],
    "actions": [
        {
            "type": "Action.Execute",
            "title": "Save",
            "verb": "save",
            "data": {"form_id": "f1"},
            "fallback": {"type": "Action.Submit", "title": "Save", "data": {"verb": "save"}},
        },
        {
            "type": "Action.Submit",
            "title": "Open",
            "data": {"msteams": {"type": "task/fetch"}, "verb": "open"},
        },
    ],
}
Answerer = Callable[[dict[str, Any]], Awaitable[tuple[int, Any]]]


class Echo:
    """A bot that keeps what it hears and answers as it is told."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.answer: Answerer = self.nothing

    async def nothing(self, _: dict[str, Any]) -> tuple[int, Any]:
        return 200, None

    async def handle(self, request: web.Request) -> web.Response:
        activity = await request.json()
        self.heard.append(activity)
        self.tokens.append(request.headers.get("Authorization", ""))
        status, body = await self.answer(activity)
        return web.json_response(body, status=status) if body else web.Response(status=status)


class Tokens:
    """The part of Entra that the client needs."""

    url = ""

    def sso_token(self, person: Person) -> str:
        return f"token of {person.name}"


@pytest.fixture
def world() -> World:
    world = World(manifest={})
    for number, name in enumerate(("Ada Park", "Ben Ruiz")):
        key = f"{number:08d}-0000-4000-8000-000000000000"
        world.people[key] = Person(key, name, "p@contoso.example", "Clerk", "America/New_York")
    return world


@pytest.fixture
def ada(world: World) -> Person:
    return world.named("Ada")


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def teams(world: World, echo: Echo) -> AsyncIterator[TeamsClient]:
    app = web.Application()
    app.router.add_post("/api/messages", echo.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    connector = Connector(world, Tokens())
    await connector.start()
    teams = TeamsClient(world, Tokens(), connector)
    teams.endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}/api/messages"
    yield teams
    await teams.stop()
    await connector.stop()
    await runner.cleanup()


def arrive(teams: TeamsClient, person: Person, content: Any, kind: str = ADAPTIVE_CARD) -> Message:
    """A message of the bot, as the Connector would add it."""
    conversations = teams.connector.conversations
    activity = {"type": "message", "attachments": [{"contentType": kind, "content": content}]}
    message = Message(conversations.new_id(), activity, from_bot=True)
    message.sign_in = "waiting" if kind == OAUTH_CARD else ""
    return conversations.add(teams.chat(person), message)


def sign_in_card(world: World, **resource: str) -> dict[str, Any]:
    exchange = {"id": "x1", "uri": f"api://localhost:8700/botid-{world.app_id}", **resource}
    button = {"type": "signin", "title": "Sign in", "value": "http://localhost/auth/start"}
    return {"connectionName": "graph", "tokenExchangeResource": exchange, "buttons": [button]}


async def test_a_message_looks_like_one_of_teams(
    teams: TeamsClient, echo: Echo, ada: Person
) -> None:
    assert await teams.say(ada, "help") == 200
    heard = echo.heard[0]
    assert heard["text"] == "help"
    assert heard["from"] == {"id": ada.teams_id, "name": "Ada Park", "aadObjectId": ada.id}
    assert heard["recipient"]["id"] == f"28:{teams.world.app_id}"
    assert heard["channelData"]["tenant"] == {"id": ada.tenant_id}
    assert (heard["localTimezone"], heard["locale"]) == ("America/New_York", "en-US")
    assert heard["serviceUrl"] == teams.connector.service_url


async def test_a_call_is_signed_for_the_bot_with_the_published_key(
    teams: TeamsClient, echo: Echo, ada: Person
) -> None:
    await teams.say(ada, "help")
    token = echo.tokens[0].removeprefix("Bearer ")
    key = jwt.PyJWK(teams.connector.channel.document()["keys"][0], algorithm="RS256")
    claims = jwt.decode(token, key, algorithms=["RS256"], audience=teams.world.app_id)
    assert claims["iss"] == "https://api.botframework.com"
    assert claims["serviceurl"] == teams.connector.service_url
    assert "msteams" in teams.connector.channel.document()["keys"][0]["endorsements"]


async def test_a_rolled_key_signs_and_the_old_one_is_no_longer_listed(
    teams: TeamsClient,
) -> None:
    old = teams.connector.channel.current
    new = teams.connector.roll_key()
    listed = [key["kid"] for key in teams.connector.channel.document()["keys"]]
    assert new.kid in listed
    assert old.kid not in listed
    assert jwt.get_unverified_header(teams.connector.sign())["kid"] == new.kid
    assert jwt.get_unverified_header(teams.connector.sign(key=old))["kid"] == old.kid


@pytest.mark.parametrize(
    "options",
    [
        {"expires_in_s": -600},
        {"audience": "another"},
        {"issuer": "https://evil.example"},
        {"spoiled": True},
        {"algorithm": "HS256"},
        {"algorithm": "none"},
        {"algorithm": "RS512"},
        {"claims": {"exp": None}},
        {"key": "unknown"},
    ],
    ids=str,
)
async def test_every_bad_token_can_be_made(teams: TeamsClient, options: dict[str, Any]) -> None:
    token = teams.connector.sign(**options)
    keys = {
        key["kid"]: jwt.PyJWK(key, algorithm="RS256")
        for key in teams.connector.channel.document()["keys"]
    }
    with pytest.raises((jwt.PyJWTError, KeyError)):
        jwt.decode(
            token,
            keys[jwt.get_unverified_header(token)["kid"]],
            algorithms=["RS256"],
            audience=teams.world.app_id,
            issuer="https://api.botframework.com",
            options={"require": ["exp"]},
        )


async def test_a_raw_authorization_header_can_be_sent(teams: TeamsClient, echo: Echo) -> None:
    await teams.send({"type": "message"}, authorization="Bearer garbage")
    await teams.send({"type": "message"}, authorization="")
    assert echo.tokens == ["Bearer garbage", ""]


async def test_installation_is_told_in_teams_order(
    teams: TeamsClient, echo: Echo, ada: Person
) -> None:
    ada.has_app = False
    conversation = await teams.install(ada)
    assert [a["type"] for a in echo.heard] == ["conversationUpdate", "installationUpdate"]
    assert echo.heard[0]["membersAdded"][1]["id"] == f"28:{teams.world.app_id}"
    assert echo.heard[1]["action"] == "add"
    assert ada.has_app
    assert conversation is teams.chat(ada)
    await teams.uninstall(ada)
    assert echo.heard[2]["action"] == "remove"
    assert not ada.has_app


async def test_execute_merges_inputs_and_shows_the_card_that_comes_back(
    teams: TeamsClient, echo: Echo, ada: Person
) -> None:
    after = {"type": "AdaptiveCard", "version": "1.5", "body": []}

    async def saved(_: dict[str, Any]) -> tuple[int, Any]:
        return 200, {"statusCode": 200, "type": ADAPTIVE_CARD, "value": after}

    echo.answer = saved
    message = arrive(teams, ada, CARD)
    answer = await teams.press(ada, message.id, button(CARD, "Save"), inputs(CARD))
    sent = echo.heard[0]
    assert (sent["name"], sent["replyToId"]) == ("adaptiveCard/action", message.id)
    data = {"form_id": "f1", "name": "Ada"}
    action = {"type": "Action.Execute", "verb": "save", "data": data}
    assert sent["value"] == {"action": action, "trigger": "manual"}
    assert answer.ok
    assert teams.last_card(ada) == after
    assert message.card() == CARD, "for everybody else the message is as it was"


async def test_a_client_without_universal_actions_uses_the_fallback(
    teams: TeamsClient, echo: Echo, ada: Person
) -> None:
    teams.universal_actions = False
    message = arrive(teams, ada, CARD)
    await teams.press(ada, message.id, button(CARD, "Save"), {"name": "Ada"})
    sent = echo.heard[0]
    assert sent["type"] == "message"
    assert sent["value"] == {"verb": "save", "name": "Ada"}
    assert "text" not in sent
    with pytest.raises(LookupError):
        await teams.press(ada, message.id, {"type": "Action.Execute", "verb": "x"})


async def test_task_fetch_opens_a_dialog_by_an_invoke(
    teams: TeamsClient, echo: Echo, ada: Person
) -> None:
    message = arrive(teams, ada, CARD)
    await teams.press(ada, message.id, button(CARD, "Open"))
    await teams.submit_dialog(ada, {"name": "Ada"})
    assert [a["name"] for a in echo.heard] == ["task/fetch", "task/submit"]
    assert echo.heard[0]["value"]["data"]["verb"] == "open"


async def test_an_invoke_is_waited_for_only_so_long_but_not_cut_off(
    teams: TeamsClient, echo: Echo, ada: Person
) -> None:
    finished = asyncio.Event()
    gate = asyncio.Event()

    async def slow(_: dict[str, Any]) -> tuple[int, Any]:
        await gate.wait()
        finished.set()
        return 200, {}

    echo.answer = slow
    teams.invoke_patience_s = 0.05
    answer = await teams.invoke(ada, "composeExtension/query", {})
    assert (answer.status, answer.late, len(echo.heard)) == (0, True, 1)
    gate.set()
    await asyncio.wait_for(finished.wait(), 5)


async def test_a_late_compose_submit_is_sent_twice_more(
    teams: TeamsClient, echo: Echo, ada: Person
) -> None:
    gate = asyncio.Event()

    async def slow(_: dict[str, Any]) -> tuple[int, Any]:
        await gate.wait()
        return 200, {}

    echo.answer = slow
    teams.invoke_patience_s = 0.2
    answer = await teams.invoke(ada, "composeExtension/submitAction", {})
    gate.set()
    assert answer.late
    assert len({a["id"] for a in echo.heard}) == 1
    assert len(echo.heard) == 3


async def test_each_open_client_exchanges_a_sign_in_card_silently(
    teams: TeamsClient, echo: Echo, ada: Person
) -> None:
    teams.clients = 3
    message = arrive(teams, ada, sign_in_card(teams.world), OAUTH_CARD)
    await teams.settled()
    assert [a["name"] for a in echo.heard] == ["signin/tokenExchange"] * 3
    value = {"id": "x1", "connectionName": "graph", "token": "token of Ada Park"}
    assert echo.heard[0]["value"] == value
    assert message.sign_in == "done"


async def test_a_refused_exchange_shows_the_button_until_the_code_came_back(
    teams: TeamsClient, echo: Echo, ada: Person
) -> None:
    async def refuse(activity: dict[str, Any]) -> tuple[int, Any]:
        return (412, {"id": "x1"}) if activity["name"] == "signin/tokenExchange" else (200, None)

    echo.answer = refuse
    message = arrive(teams, ada, sign_in_card(teams.world), OAUTH_CARD)
    await teams.settled()
    assert message.sign_in == "shown"
    assert (await teams.verify_state(ada, "123456")).ok
    assert echo.heard[-1]["value"] == {"state": "123456"}
    assert message.sign_in == "done"


async def test_silent_sign_in_for_another_resource_fails_with_a_code(
    teams: TeamsClient, echo: Echo, ada: Person
) -> None:
    arrive(teams, ada, sign_in_card(teams.world, uri="api://elsewhere"), OAUTH_CARD)
    await teams.settled()
    assert echo.heard[0]["name"] == "signin/failure"
    assert echo.heard[0]["value"]["code"] == "resourcematchfailed"


async def test_a_mute_client_exchanges_nothing(teams: TeamsClient, echo: Echo, ada: Person) -> None:
    teams.world.faults.exchange_mute = True
    message = arrive(teams, ada, sign_in_card(teams.world), OAUTH_CARD)
    await teams.settled()
    assert (echo.heard, message.sign_in) == ([], "waiting")


async def test_a_login_request_is_answered_with_a_token(
    teams: TeamsClient, echo: Echo, ada: Person
) -> None:
    login = {
        "statusCode": 401,
        "type": "application/vnd.microsoft.activity.loginRequest",
        "value": sign_in_card(teams.world),
    }

    async def ask(activity: dict[str, Any]) -> tuple[int, Any]:
        signed_in = "authentication" in activity["value"]
        return 200, {"type": "application/vnd.microsoft.activity.message"} if signed_in else login

    echo.answer = ask
    message = arrive(teams, ada, CARD)
    answer = await teams.press(ada, message.id, button(CARD, "Save"))
    assert answer.body["type"].endswith("activity.message")
    assert echo.heard[1]["value"]["authentication"]["token"] == "token of Ada Park"


async def test_a_group_chat_message_mentions_the_bot(
    teams: TeamsClient, echo: Echo, ada: Person
) -> None:
    people = list(teams.world.people.values())
    group = teams.connector.conversations.shared("Front desk", people)
    await teams.say(ada, "help", group)
    heard = echo.heard[0]
    assert heard["text"] == "<at>Herald</at> help"
    assert heard["conversation"]["isGroup"] is True
    assert heard["entities"][1]["mentioned"]["id"] == f"28:{teams.world.app_id}"


async def test_no_answer_at_all_is_status_0(teams: TeamsClient, ada: Person) -> None:
    teams.endpoint = "http://127.0.0.1:9/api/messages"
    assert await teams.say(ada, "help") == 0


def test_buttons_are_found_by_title_or_verb() -> None:
    assert button(CARD, "save") is button(CARD, "Save")
    assert [b["title"] for b in buttons(CARD)] == ["Save", "Open"]
    with pytest.raises(LookupError, match="Save"):
        button(CARD, "Send")
    assert "Name" in text_of(CARD)
