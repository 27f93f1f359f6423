"""The Bot Connector stand-in refuses what Microsoft's would."""

import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.connector import Connector
from sandbox.conversation import ADAPTIVE_CARD
from sandbox.world import Person, World

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
HELLO = {"type": "message", "text": "Hello"}


class KeyServer:
    """Entra's key document, and nothing else of it."""

    url = ""

    async def start(self) -> None:
        jwk = jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        document = {"keys": [{**jwk, "kid": "entra-1", "use": "sig"}]}

        async def keys(_: web.Request) -> web.Response:
            return web.json_response(document)

        app = web.Application()
        app.router.add_get("/{tenant}/discovery/v2.0/keys", keys)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"


class Bot:
    """Calls the Connector as a bot does."""

    def __init__(self, world: World, connector: Connector, session: aiohttp.ClientSession) -> None:
        self.world, self.connector, self.session = world, connector, session

    def token(self, key: Any = KEY, kid: str = "entra-1", **changes: Any) -> str:
        claims = {
            "iss": f"https://sts.windows.net/{self.world.tenant_id}/",
            "aud": "https://api.botframework.com",
            "appid": self.world.app_id,
            "exp": int(time.time()) + 3600,
        }
        return jwt.encode(claims | changes, key, algorithm="RS256", headers={"kid": kid})

    async def call(
        self, method: str, path: str, body: Any = None, *, bearer: str | None = None
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {bearer or self.token()}"}
        url = f"{self.connector.service_url}v3/conversations{path}"
        async with self.session.request(method, url, json=body, headers=headers) as answer:
            self.last_headers = answer.headers
            is_json = answer.content_type == "application/json"
            return answer.status, await answer.json() if is_json else None

    async def say(self, conversation_id: str, activity: Any = HELLO) -> tuple[int, Any]:
        return await self.call("POST", f"/{conversation_id}/activities", activity)


@pytest.fixture
def world() -> World:
    world = World(manifest={})
    for name in ("Ada Park", "Ben Ruiz", "Cy Moss"):
        key = f"{len(world.people):08d}-0000-4000-8000-000000000000"
        world.people[key] = Person(key, name, "p@contoso.example", "Clerk", "America/New_York")
    return world


@pytest.fixture
async def bot(world: World) -> AsyncIterator[Bot]:
    entra = KeyServer()
    await entra.start()
    connector = Connector(world, entra)
    await connector.start()
    async with aiohttp.ClientSession() as session:
        yield Bot(world, connector, session)
    await connector.stop()
    await entra.runner.cleanup()


@pytest.fixture
def chat(bot: Bot) -> str:
    return bot.connector.conversations.personal(bot.world.named("Ada")).id


async def test_a_message_is_kept_with_sender_and_recipient_filled_in(bot: Bot, chat: str) -> None:
    status, body = await bot.say(chat, HELLO | {"from": {"id": "28:somebody"}})
    kept = bot.connector.conversations.by_id[chat].messages[0]
    assert (status, body) == (201, {"id": kept.id})
    assert kept.activity["from"] == {"id": f"28:{bot.world.app_id}", "name": "Herald"}
    assert kept.activity["recipient"]["name"] == "Ada Park"
    assert kept.activity["conversation"]["conversationType"] == "personal"


async def test_a_reply_names_what_it_answers(bot: Bot, chat: str) -> None:
    status, _ = await bot.call("POST", f"/{chat}/activities/1234", HELLO)
    assert status == 201
    kept = bot.connector.conversations.by_id[chat].messages[0]
    assert kept.activity["replyToId"] == "1234"


@pytest.mark.parametrize(
    "token",
    [
        {"aud": "https://graph.microsoft.com"},
        {"appid": "00000000-0000-0000-0000-000000000000"},
        {"exp": 1},
        {"key": OTHER_KEY},
        {"kid": "nobody"},
    ],
    ids=["audience", "application", "expired", "signature", "key id"],
)
async def test_a_bearer_that_is_not_the_bots_is_refused(
    bot: Bot, chat: str, token: dict[str, Any]
) -> None:
    status, body = await bot.call("POST", f"/{chat}/activities", HELLO, bearer=bot.token(**token))
    assert (status, body["error"]["code"]) == (401, "Unauthorized")
    assert not bot.connector.conversations.by_id[chat].messages


async def test_a_call_without_a_bearer_is_refused(bot: Bot, chat: str) -> None:
    url = f"{bot.connector.service_url}v3/conversations/{chat}/activities"
    async with bot.session.post(url, json=HELLO) as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    ("activity", "status"),
    [
        ([], 400),
        ({"text": "no type"}, 400),
        ({"type": "message"}, 400),
        ({"type": "message", "attachments": [{"content": {}}]}, 400),
        ({"type": "message", "attachments": "none"}, 400),
        ({"type": "message", "attachments": [{"contentType": ADAPTIVE_CARD, "content": {}}]}, 400),
        ({"type": "message", "text": "x" * 103_000}, 413),
    ],
    ids=["a list", "no type", "empty", "no contentType", "no list", "no card", "too large"],
)
async def test_a_misshapen_activity_is_refused(
    bot: Bot, chat: str, activity: Any, status: int
) -> None:
    assert (await bot.say(chat, activity))[0] == status
    assert not bot.connector.conversations.by_id[chat].messages


async def test_a_card_over_28_kb_is_refused(bot: Bot, chat: str) -> None:
    card = {"type": "AdaptiveCard", "version": "1.5", "body": [{"text": "x" * 29_000}]}
    attachment = {"contentType": ADAPTIVE_CARD, "content": card}
    assert (await bot.say(chat, {"type": "message", "attachments": [attachment]}))[0] == 413


async def test_an_unknown_conversation_is_404(bot: Bot) -> None:
    assert (await bot.say("a:unknown"))[0] == 404


async def test_a_chat_that_the_bot_was_removed_from_is_403(bot: Bot, chat: str) -> None:
    bot.world.named("Ada").has_app = False
    status, body = await bot.say(chat)
    assert (status, body["error"]["code"]) == (403, "BotNotInConversationRoster")


async def test_an_update_replaces_the_message_and_clears_personal_views(
    bot: Bot, chat: str
) -> None:
    _, sent = await bot.say(chat)
    message = bot.connector.conversations.by_id[chat].messages[0]
    message.views["somebody"] = {"type": "AdaptiveCard"}
    path = f"/{chat}/activities/{sent['id']}"
    assert (await bot.call("PUT", path, HELLO | {"text": "Changed"}))[0] == 200
    assert (message.text, message.edited, message.views) == ("Changed", 1, {})


async def test_a_deleted_message_can_be_neither_changed_nor_deleted_again(
    bot: Bot, chat: str
) -> None:
    _, sent = await bot.say(chat)
    path = f"/{chat}/activities/{sent['id']}"
    assert (await bot.call("DELETE", path))[0] == 200
    assert (await bot.call("DELETE", path))[0] == 404
    assert (await bot.call("PUT", path, HELLO))[0] == 404


async def test_the_eighth_message_within_a_second_is_throttled(bot: Bot, chat: str) -> None:
    statuses = [(await bot.say(chat))[0] for _ in range(8)]
    assert statuses == [201] * 7 + [429]
    assert int(bot.last_headers["Retry-After"]) >= 1
    bot.connector.pace.enforced = False
    assert (await bot.say(chat))[0] == 201


async def test_faults_answer_the_next_calls_in_their_order(bot: Bot, chat: str) -> None:
    bot.connector.fail_next(429, 502, "reset", "lost", retry_after_s=3)
    assert (await bot.say(chat))[0] == 429
    assert bot.last_headers["Retry-After"] == "3"
    assert (await bot.say(chat))[0] == 502
    with pytest.raises(aiohttp.ClientConnectionError):
        await bot.say(chat)
    assert not bot.connector.conversations.by_id[chat].messages
    with pytest.raises(aiohttp.ClientConnectionError):
        await bot.say(chat)
    assert len(bot.connector.conversations.by_id[chat].messages) == 1
    assert (await bot.say(chat))[0] == 201
    assert [call.status for call in bot.connector.calls] == [429, 502, 0, 0, 201]


@pytest.mark.parametrize("status", [403, 404, 429, 502])
async def test_the_panel_of_faults_refuses_every_call_until_it_is_set_back(
    bot: Bot, chat: str, status: int
) -> None:
    bot.world.faults.connector_refuses = status
    assert [(await bot.say(chat))[0] for _ in range(2)] == [status, status]
    assert ("Retry-After" in bot.last_headers) is (status == 429)
    assert not bot.connector.conversations.by_id[chat].messages
    bot.world.faults.connector_refuses = 0
    bot.world.faults.connector_slow_s = 0.2
    began = time.monotonic()
    assert (await bot.say(chat))[0] == 201
    assert time.monotonic() - began >= 0.2


async def test_a_chat_with_one_person_is_created_once(bot: Bot, chat: str) -> None:
    ada = bot.world.named("Ada")
    wish = {"tenantId": ada.tenant_id, "members": [{"id": ada.teams_id}], "activity": HELLO}
    status, created = await bot.call("POST", "", wish)
    assert (status, created["id"]) == (201, chat)
    assert bot.connector.conversations.by_id[chat].message(created["activityId"])


@pytest.mark.parametrize(
    "wish",
    [{}, {"tenantId": "another"}, {"members": []}, {"members": [{"id": "29:nobody"}]}, "text"],
)
async def test_a_misshapen_wish_for_a_chat_is_refused(bot: Bot, wish: Any) -> None:
    base = {"tenantId": bot.world.tenant_id} if isinstance(wish, dict) else None
    body = {**base, **wish} if base else wish
    assert (await bot.call("POST", "", body))[0] == 400


async def test_a_chat_with_a_person_who_lacks_the_app_is_refused(bot: Bot) -> None:
    ada = bot.world.named("Ada")
    ada.has_app = False
    wish = {"tenantId": ada.tenant_id, "members": [{"id": ada.id}]}
    assert (await bot.call("POST", "", wish))[0] == 403


async def test_members_come_in_pages(bot: Bot) -> None:
    people = list(bot.world.people.values())
    group = bot.connector.conversations.shared("Front desk", people)
    _, page = await bot.call("GET", f"/{group.id}/pagedmembers?pageSize=2")
    assert [m["name"] for m in page["members"]] == ["Ada Park", "Ben Ruiz"]
    token = page["continuationToken"]
    _, rest = await bot.call("GET", f"/{group.id}/pagedmembers?continuationToken={token}")
    assert [m["name"] for m in rest["members"]] == ["Cy Moss"]
    assert "continuationToken" not in rest
    assert (await bot.call("GET", f"/{group.id}/members/{people[0].teams_id}"))[0] == 200
    assert (await bot.call("GET", f"/{group.id}/members/29:nobody"))[0] == 404
    assert (await bot.call("GET", f"/{group.id}/pagedmembers?pageSize=two"))[0] == 400
