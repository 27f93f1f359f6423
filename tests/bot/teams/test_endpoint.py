"""The door, spoken to over HTTP: the real server, adapter, token checks and connector."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from botbuilder.core import InvokeResponse, TurnContext
from botbuilder.core.teams import TeamsActivityHandler, TeamsInfo
from botbuilder.schema import Activity, ActivityTypes, Attachment, Mention
from structlog.testing import capture_logs

from bot.teams.adapter import RAW
from tests.bot.teams.door import APP_ID, TENANT_ID, Door, open_door


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened


def answering(status: int, body: Any) -> Callable[[TurnContext], Awaitable[Any]]:
    async def answer(context: TurnContext) -> None:
        value = InvokeResponse(status=status, body=body)
        await context.send_activity(Activity(type=ActivityTypes.invoke_response, value=value))

    return answer


def invoke(door: Door, name: str, value: Any = None) -> dict[str, Any]:
    return door.activity(type="invoke", name=name, value=value or {"id": "1"}, text=None)


# Messages


async def test_a_signed_message_is_heard_and_answered_in_its_thread(door: Door) -> None:
    assert await door.post() == (200, "")
    ((method, path, reply, bearer),) = door.far.calls
    assert (method, bearer) == ("POST", "Bearer bot-token")
    assert path == "/amer/v3/conversations/a%3A1xyz%3Bmessageid%3D7/activities/1700000000001"
    assert reply["text"] == "You said hello"
    assert reply["from"]["id"] == f"28:{APP_ID}"
    assert reply["replyToId"] == "1700000000001"
    assert reply["conversation"]["tenantId"] == TENANT_ID


async def test_the_activity_as_it_came_is_at_hand_in_the_turn(door: Door) -> None:
    await door.post()
    (context,) = door.echo.turns
    assert context.turn_state[RAW] == door.activity()
    assert context.activity.conversation.tenant_id is None  # what the SDK's model loses


async def test_the_sdk_sees_what_its_own_reader_would_have_seen(door: Door) -> None:
    await door.post()
    (context,) = door.echo.turns
    theirs = Activity.deserialize(door.activity())
    theirs.caller_id = context.activity.caller_id  # set by the adapter
    assert context.activity.serialize() == theirs.serialize()
    assert context.activity.entities[0].additional_properties["platform"] == "Web"


async def test_a_card_and_a_mention_go_out_whole(door: Door) -> None:
    card = {"type": "AdaptiveCard", "body": [{"type": "TextBlock", "text": "Grüße 😀"}]}

    async def reply(context: TurnContext) -> None:
        kind = "application/vnd.microsoft.card.adaptive"
        person = context.activity.from_property
        mention = Mention(mentioned=person, text="<at>Adele</at>", type="mention")
        await context.send_activity(
            Activity(
                type="message",
                attachments=[Attachment(content_type=kind, content=card)],
                entities=[mention],
            )
        )

    door.echo.on["hello"] = reply
    assert await door.post() == (200, "")
    (posted,) = door.far.posted
    assert posted["attachments"][0]["content"] == card
    assert posted["entities"][0]["mentioned"]["id"] == "29:1abc"


async def test_a_message_can_be_changed_and_taken_back(door: Door) -> None:
    async def change(context: TurnContext) -> None:
        sent = await context.send_activity("first")
        await context.update_activity(Activity(type="message", id=sent.id, text="second"))
        await context.delete_activity(sent.id)

    door.echo.on["hello"] = change
    assert await door.post() == (200, "")
    assert [call[0] for call in door.far.calls] == ["POST", "PUT", "DELETE"]
    assert door.far.calls[1][1].endswith("/activities/activity-1")
    assert door.far.calls[2][1].endswith("/activities/activity-1")


async def test_the_sdks_look_up_of_members_works_over_our_connector(door: Door) -> None:
    found: list[Any] = []

    async def look(context: TurnContext) -> None:
        conversation_id = context.activity.conversation.id
        conversations = context.turn_state["ConnectorClient"].conversations
        found.append(await TeamsInfo.get_member(context, "29:1abc"))
        found.append(await conversations.get_teams_conversation_paged_members(conversation_id, 2))
        found.append(await conversations.get_conversation_paged_members(conversation_id, 2, "next"))

    person = {"id": "29:1abc", "name": "Adele", "userPrincipalName": "adele@contoso.example"}
    page = {"members": [person], "continuationToken": "next"}
    door.far.answers = [web.json_response(a) for a in (person, page, {"members": [person]})]
    door.echo.on["hello"] = look
    assert await door.post() == (200, "")
    assert found[0].user_principal_name == "adele@contoso.example"
    assert (found[1].members[0].name, found[1].continuation_token) == ("Adele", "next")
    assert found[2].members[0].id == "29:1abc"
    assert door.far.calls[2][1].endswith("/pagedmembers?pageSize=2&continuationToken=next")


async def test_a_turn_can_start_without_a_message(door: Door) -> None:
    await door.post()
    reference = TurnContext.get_conversation_reference(door.echo.turns[0].activity)

    async def remind(context: TurnContext) -> None:
        await context.send_activity("a reminder")

    await door.adapter.continue_conversation(reference, remind)
    assert door.far.posted[-1]["text"] == "a reminder"


async def test_expected_replies_come_back_in_the_answer(door: Door) -> None:
    status, answer = await door.post(door.activity(deliveryMode="expectReplies"))
    assert status == 200
    assert [reply["text"] for reply in answer["activities"]] == ["You said hello"]
    assert door.far.calls == []


# Invokes


async def test_the_body_of_an_invokes_answer_arrives(door: Door) -> None:
    body = {"task": {"type": "continue", "value": {"title": "Grüße", "height": 300}}}
    door.echo.on["task/fetch"] = answering(200, body)
    assert await door.post(invoke(door, "task/fetch")) == (200, body)


async def test_an_invoke_may_answer_with_another_status(door: Door) -> None:
    body = {"id": "1", "connectionName": "", "failureDetail": "consent is missing"}
    door.echo.on["signin/tokenExchange"] = answering(412, body)
    assert await door.post(invoke(door, "signin/tokenExchange")) == (412, body)


async def test_an_invoke_may_answer_without_a_body(door: Door) -> None:
    door.echo.on["signin/verifyState"] = answering(200, None)
    assert await door.post(invoke(door, "signin/verifyState", {"state": "1"})) == (200, "")


async def test_an_invoke_that_nobody_answers_is_501(door: Door) -> None:
    status, _ = await door.post(invoke(door, "unheard/of"))
    assert status == 501


async def test_the_sdks_models_are_written_as_json(door: Door) -> None:
    body = Attachment(content_type="text/plain", content={"a": 1})
    door.echo.on["task/fetch"] = answering(200, body)
    _, answer = await door.post(invoke(door, "task/fetch"))
    assert answer == {"contentType": "text/plain", "content": {"a": 1}}


class Handler(TeamsActivityHandler):  # type: ignore[misc]
    """The SDK's own handler, as samples use it."""

    async def on_teams_signin_token_exchange(self, turn_context: TurnContext) -> None:
        """Nothing to do."""

    async def on_teams_signin_verify_state(self, turn_context: TurnContext) -> None:
        """Nothing to do."""


@pytest.mark.parametrize("name", ["signin/tokenExchange", "signin/verifyState"])
async def test_the_sdks_sign_in_invokes_are_answered(door: Door, name: str) -> None:
    door.echo.on[name] = Handler().on_turn
    assert await door.post(invoke(door, name)) == (200, "")


async def test_the_sdks_error_objects_of_a_malformed_action_can_be_written(door: Door) -> None:
    door.echo.on["adaptiveCard/action"] = Handler().on_turn
    status, answer = await door.post(invoke(door, "adaptiveCard/action", "no object"))
    assert status == 400
    assert answer["type"] == "application/vnd.microsoft.error"
    assert answer["value"]["code"] == "BadRequest"


# When the bot fails


async def fail(context: TurnContext) -> None:
    raise KeyError("+14255550100")


async def test_a_failure_is_500_with_an_id_that_the_log_knows_and_nothing_else(door: Door) -> None:
    door.echo.on["hello"] = fail
    with capture_logs() as logged:
        status, answer = await door.post()
    (entry,) = [item for item in logged if item["event"] == "turn_failed"]
    assert status == 500
    assert answer == {"error": {"code": "ServiceError", "id": entry["error_id"]}}
    assert entry["error"] == "KeyError"
    assert "test_endpoint.py" in entry["way"][-1]
    assert "4255550100" not in json.dumps(logged) + json.dumps(answer)


async def test_the_bots_own_way_with_errors_comes_first(door: Door) -> None:
    seen: list[str] = []

    async def on_turn_error(context: TurnContext, error: Exception) -> None:
        seen.append(type(error).__name__)
        await context.send_activity("Something went wrong.")

    door.adapter.on_turn_error = on_turn_error
    door.echo.on["hello"] = fail
    assert await door.post() == (200, "")
    assert seen == ["KeyError"]
    assert door.far.posted[0]["text"] == "Something went wrong."


async def test_when_that_fails_too_it_is_500(door: Door) -> None:
    async def on_turn_error(context: TurnContext, error: Exception) -> None:
        raise RuntimeError("twice")

    door.adapter.on_turn_error = on_turn_error
    door.echo.on["hello"] = fail
    assert (await door.post())[0] == 500
    assert (await door.post(door.activity(text="again")))[0] == 200


async def test_an_answer_that_is_not_json_is_500_and_not_half_an_answer(door: Door) -> None:
    door.echo.on["task/fetch"] = answering(200, {"value": object()})
    status, answer = await door.post(invoke(door, "task/fetch"))
    assert (status, answer["error"]["code"]) == (500, "ServiceError")


async def test_no_token_and_no_text_of_a_person_is_logged(door: Door) -> None:
    bearer = door.bearer()
    with capture_logs() as logged:
        await door.post(authorization=bearer)
        await door.post(authorization=bearer + "x")
        await door.post(b'{"text": "+14255550100"', authorization=bearer)
    written = json.dumps(logged, default=str)
    assert "4255550100" not in written
    assert not re.search(r"eyJ|bot-token", written)


# Bodies that come in pieces


async def _spoken(door: Door, *parts: bytes) -> bytes:
    """What the server says to raw bytes; the connection stays open on our side."""
    host, port = door.url.removeprefix("http://").partition("/")[0].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await reader.readline()
    finally:
        writer.close()


def _head(door: Door, *more: str) -> bytes:
    lines = (
        "POST /api/messages HTTP/1.1",
        "Host: herald",
        f"Authorization: {door.bearer()}",
        "Content-Type: application/json",
        *more,
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def test_a_chunked_body_is_heard(door: Door) -> None:
    body = json.dumps(door.activity()).encode()
    chunks = [b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:100], body[100:])]
    head = _head(door, "Transfer-Encoding: chunked")
    assert b" 200 " in await _spoken(door, head, *chunks, b"0\r\n\r\n")


async def test_a_chunked_body_without_end_is_413(door: Door) -> None:
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    said = await _spoken(door, _head(door, "Transfer-Encoding: chunked"), *[chunk] * 9)
    assert b" 413 " in said


async def test_an_announced_size_that_is_too_large_is_413_before_the_body(door: Door) -> None:
    said = await _spoken(door, _head(door, "Content-Length: 1000000000"))
    assert b" 413 " in said


async def test_broken_chunks_are_400(door: Door) -> None:
    said = await _spoken(door, _head(door, "Transfer-Encoding: chunked"), b"zz\r\nhello\r\n")
    assert b" 400 " in said


async def test_a_body_that_never_comes_is_408() -> None:
    async with open_door(body_timeout_s=0.05) as door:
        said = await _spoken(door, _head(door, "Content-Length: 100"), b"{")
        assert b" 408 " in said


async def test_a_strangers_body_is_not_waited_for(door: Door) -> None:
    head = _head(door, "Content-Length: 100").replace(b"Bearer", b"Basic")
    assert b" 401 " in await _spoken(door, head)


async def test_a_caller_who_goes_away_is_no_failure_of_the_bot(door: Door) -> None:
    host, port = door.url.removeprefix("http://").partition("/")[0].split(":")
    with capture_logs() as logged:
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(_head(door, "Content-Length: 100") + b"{")
        await writer.drain()
        while door.far.key_fetches == 0:
            await asyncio.sleep(0.01)
        writer.transport.abort()
        await door.post()
    assert not [entry for entry in logged if entry["event"] == "turn_failed"]


# What is slow stays alone


async def test_a_slow_bot_token_holds_up_only_the_turn_that_needs_it() -> None:
    given = asyncio.Event()

    async def bot_token() -> str:
        await given.wait()
        return "late-token"

    async with open_door(bot_token=bot_token) as door:
        door.echo.on["task/fetch"] = answering(200, {"quick": True})
        slow = asyncio.create_task(door.post())
        while not door.echo.turns:
            await asyncio.sleep(0.01)
        assert await door.post(invoke(door, "task/fetch")) == (200, {"quick": True})
        assert not slow.done()
        given.set()
        assert await slow == (200, "")


async def test_a_throttled_reply_is_sent_again_and_the_turn_ends_well(door: Door) -> None:
    door.far.answers = [
        web.json_response(
            {"error": {"code": "Throttled"}}, status=429, headers={"Retry-After": "2"}
        ),
        web.Response(status=502),
    ]
    assert await door.post() == (200, "")
    assert len(door.far.calls) == 3
    assert 2 <= door.pauses[0] < 3


async def test_a_fault_in_the_door_itself_is_500_with_an_id(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("+14255550100")

    monkeypatch.setattr(door.auth, "authorize", broken)
    status, answer = await door.post()
    assert (status, answer["error"]["code"]) == (500, "ServiceError")
    assert len(answer["error"]["id"]) == 32
