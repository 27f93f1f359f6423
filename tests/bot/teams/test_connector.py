"""How we call back, over HTTP: retries, refusals, tokens and addresses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from botbuilder.schema import Activity, ConversationParameters

from bot.teams import connector as connector_module
from bot.teams.connector import ATTEMPTS, PATIENCE_S, Connector
from bot.teams.connector_errors import (
    ConnectorRefused,
    ConnectorThrottled,
    ConnectorUnavailable,
    ConversationGone,
)
from tests.bot.teams.door import APP_ID, TENANT_ID, Door, open_door, settings_for

MESSAGE = {"type": "message", "text": "hello"}


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened


async def send(door: Door) -> str:
    return await door.connector.send(door.far.service_url, "a:1", MESSAGE)


def refusal(status: int, code: str = "", **headers: str) -> web.Response:
    body = {"error": {"code": code, "message": "no"}}
    return web.json_response(body, status=status, headers=headers)


# The plain interface


async def test_a_dict_is_posted_and_its_id_comes_back(door: Door) -> None:
    assert await send(door) == "activity-1"
    ((method, path, body, bearer),) = door.far.calls
    assert (method, path) == ("POST", "/amer/v3/conversations/a%3A1/activities")
    assert (body, bearer) == (MESSAGE, "Bearer bot-token")


async def test_an_sdk_activity_is_posted_just_as_well(door: Door) -> None:
    activity = Activity(type="message", text="hello")
    await door.connector.send(door.far.service_url, "a:1", activity)
    assert door.far.posted == [MESSAGE]


async def test_a_reply_names_what_it_replies_to(door: Door) -> None:
    await door.connector.reply(door.far.service_url, "a:1", "m/1", MESSAGE)
    assert door.far.calls[0][1] == "/amer/v3/conversations/a%3A1/activities/m%2F1"


async def test_an_update_keeps_its_id_when_the_answer_has_none(door: Door) -> None:
    door.far.answers = [web.Response(status=202)]
    assert await door.connector.update(door.far.service_url, "a:1", "m1", MESSAGE) == "m1"
    assert door.far.calls[0][:2] == ("PUT", "/amer/v3/conversations/a%3A1/activities/m1")


async def test_a_message_is_deleted(door: Door) -> None:
    await door.connector.delete(door.far.service_url, "a:1", "m1")
    assert door.far.calls[0][:3] == ("DELETE", "/amer/v3/conversations/a%3A1/activities/m1", None)


async def test_a_conversation_with_one_person_is_created(door: Door) -> None:
    made = await door.connector.create(door.far.service_url, TENANT_ID, "29:1abc")
    assert made == "activity-1"
    assert door.far.calls[0][:2] == ("POST", "/amer/v3/conversations")
    assert door.far.posted[0] == {
        "bot": {"id": f"28:{APP_ID}"},
        "members": [{"id": "29:1abc"}],
        "tenantId": TENANT_ID,
        "channelData": {"tenant": {"id": TENANT_ID}},
        "isGroup": False,
    }


async def test_the_sdk_creates_conversations_through_it(door: Door) -> None:
    made: list[Any] = []
    door.far.answers = [web.json_response({"id": "a:2", "activityId": "m1"}, status=201)]

    async def note(context: Any) -> None:
        made.append(context.activity)

    await door.adapter.create_conversation(
        APP_ID,
        note,
        ConversationParameters(is_group=False, tenant_id=TENANT_ID),
        "msteams",
        door.far.service_url,
    )
    assert (made[0].conversation.id, made[0].id) == ("a:2", "m1")


async def test_members_come_page_by_page(door: Door) -> None:
    door.far.answers = [web.json_response({"members": [], "continuationToken": "a&b"})]
    page = await door.connector.members(door.far.service_url, "a:1")
    assert page["continuationToken"] == "a&b"
    await door.connector.members(door.far.service_url, "a:1", 10, "a&b")
    await door.connector.member(door.far.service_url, "a:1", "29:1")
    assert [call[1].partition("a%3A1/")[2] for call in door.far.calls] == [
        "pagedmembers?pageSize=500",
        "pagedmembers?pageSize=10&continuationToken=a%26b",
        "members/29%3A1",
    ]


# Again, and no more


@pytest.mark.parametrize("status", [412, 429, 502, 504])
async def test_what_passes_is_tried_again(door: Door, status: int) -> None:
    door.far.answers = [refusal(status), refusal(status)]
    assert await send(door) == "activity-3"
    assert len(door.pauses) == 2
    assert all(0 <= pause <= connector_module.LONGEST_PAUSE_S for pause in door.pauses)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (412, ConnectorRefused),
        (429, ConnectorThrottled),
        (502, ConnectorUnavailable),
        (504, ConnectorUnavailable),
    ],
)
async def test_what_does_not_pass_is_given_up(
    door: Door, status: int, error: type[Exception]
) -> None:
    door.far.answers = [refusal(status) for _ in range(ATTEMPTS + 1)]
    with pytest.raises(error):
        await send(door)
    assert len(door.far.calls) == ATTEMPTS


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ConnectorRefused),
        (401, ConnectorRefused),
        (403, ConversationGone),
        (404, ConversationGone),
        (405, ConnectorRefused),
        (413, ConnectorRefused),
        (302, ConnectorRefused),
        (500, ConnectorUnavailable),
        (503, ConnectorUnavailable),
    ],
)
async def test_what_will_not_pass_is_not_tried_again(
    door: Door, status: int, error: type[Exception]
) -> None:
    door.far.answers = [refusal(status, "NoWay", Location="/elsewhere")]
    with pytest.raises(error) as raised:
        await send(door)
    assert len(door.far.calls) == 1
    assert str(raised.value) == f"{status} NoWay"


async def test_retry_after_is_kept_to(door: Door) -> None:
    door.far.answers = [refusal(429, **{"Retry-After": "3"})]
    await send(door)
    assert 3 <= door.pauses[0] < 4


async def test_retry_after_may_be_a_date(door: Door) -> None:
    door.far.answers = [
        refusal(429, **{"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        refusal(429, **{"Retry-After": "soon"}),
    ]
    assert await send(door) == "activity-3"


async def test_a_retry_after_beyond_our_patience_is_told_to_the_caller(door: Door) -> None:
    door.far.answers = [refusal(429, "Throttled", **{"Retry-After": str(PATIENCE_S + 1)[:2]})]
    with pytest.raises(ConnectorThrottled) as raised:
        await send(door)
    assert raised.value.retry_after_s == PATIENCE_S + 1
    assert len(door.far.calls) == 1


async def _break(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def test_a_lost_connection_is_tried_again(door: Door) -> None:
    door.far.answers = [_break, _break]
    assert await send(door) == "activity-3"


async def test_nobody_listening_is_unavailable(door: Door) -> None:
    with pytest.raises(ConnectorUnavailable):
        await door.connector.send("http://127.0.0.1:1/", "a:1", MESSAGE)
    assert len(door.pauses) == ATTEMPTS - 1


def _hang(event: asyncio.Event) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def hang(_: web.Request) -> web.StreamResponse:
        await event.wait()
        return web.Response()

    return hang


async def test_a_post_that_timed_out_is_not_done_again_but_an_update_is(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector_module, "_TIMEOUT", aiohttp.ClientTimeout(total=0.1))
    over = asyncio.Event()
    door.far.answers = [_hang(over), _hang(over)]
    with pytest.raises(ConnectorUnavailable):
        await send(door)
    assert await door.connector.update(door.far.service_url, "a:1", "m1", MESSAGE)
    assert [call[0] for call in door.far.calls] == ["POST", "PUT", "PUT"]
    over.set()


# Tokens, addresses, and odd answers


async def test_a_refused_token_is_renewed_once(door: Door) -> None:
    door.bot_tokens[:] = ["old", "new"]
    door.far.answers = [refusal(401)]
    assert await send(door) == "activity-2"
    assert [call[3] for call in door.far.calls] == ["Bearer old", "Bearer new"]


async def test_a_token_that_stays_refused_is_not_shown_for_ever(door: Door) -> None:
    door.bot_tokens[:] = ["old", "new", "newer"]
    door.far.answers = [refusal(401), refusal(401)]
    with pytest.raises(ConnectorRefused) as raised:
        await send(door)
    assert (raised.value.status, len(door.far.calls)) == (401, 2)


async def test_a_token_is_renewed_by_what_renews_it(door: Door) -> None:
    async def renew() -> str:
        return "renewed"

    async def kept() -> str:
        return "kept"

    settings = settings_for(door.far.url)
    connector = Connector(settings, door.session, kept, renew_token=renew)
    door.far.answers = [refusal(401)]
    await connector.send(door.far.service_url, "a:1", MESSAGE)
    assert [call[3] for call in door.far.calls] == ["Bearer kept", "Bearer renewed"]


async def test_plain_http_is_for_the_sandbox_alone(door: Door) -> None:
    settings = settings_for("https://herald.example", environment="production")
    connector = Connector(settings, door.session, door.connector._bot_token)
    with pytest.raises(ConnectorRefused, match="ServiceUrlNotHttps"):
        await connector.send(door.far.service_url, "a:1", MESSAGE)
    assert door.far.calls == []


@pytest.mark.parametrize("bad", ["", ".", ".."])
async def test_an_id_that_would_lead_elsewhere_is_refused(door: Door, bad: str) -> None:
    with pytest.raises(ConnectorRefused, match="BadId"):
        await door.connector.send(door.far.service_url, bad, MESSAGE)


async def test_answers_that_are_not_json_are_borne(door: Door) -> None:
    door.far.answers = [web.Response(text="<html>"), web.Response(text="[1]"), web.Response()]
    assert [await send(door) for _ in range(3)] == ["", "", ""]


async def test_a_refusal_without_json_still_has_its_status(door: Door) -> None:
    door.far.answers = [web.Response(status=403, text="<html>no</html>")]
    with pytest.raises(ConversationGone) as raised:
        await send(door)
    assert (raised.value.status, raised.value.code) == (403, "")


async def test_an_answer_without_end_is_cut_off(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connector_module, "_LARGEST_ANSWER", 100)
    door.far.answers = [web.Response(text="x" * 1000) for _ in range(ATTEMPTS)]
    with pytest.raises(ConnectorUnavailable):
        await send(door)


def test_one_client_for_each_address_is_kept_and_their_number_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = settings_for("http://127.0.0.1:1")
    connector = Connector(settings, None, None)  # type: ignore[arg-type]
    assert connector.client("http://a/") is connector.client("http://a/")
    for number in range(100):
        connector.client(f"http://{number}/")
    assert len(connector._clients) == 64


def test_no_error_of_the_connector_speaks_of_tokens() -> None:
    for error in (ConnectorRefused(401), ConversationGone(404), ConnectorThrottled(429)):
        assert "oken" not in error.sentence + str(error)
