import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime

import aiohttp
import pytest
import trustme
from aiohttp import web

from bot.errors import HeraldError
from bot.graph import errors
from bot.graph.bodies import app_topic, appointment_text_body, notification_body, text_topic
from bot.graph.client import Accepted, Graph, open_session
from bot.graph.errors import (
    AppAmbiguous,
    AppNotInGroup,
    AppNotInstalled,
    GraphError,
    GraphRefused,
    GraphSilent,
    GraphThrottled,
    GraphUnavailable,
    GraphUnreachable,
    GroupMissing,
    NotInGroup,
    NotOrganizer,
    PermissionMissing,
    PremiumMissing,
    TokenRejected,
    TokenTooOld,
    error_of,
    retry_after_s,
    scrubbed,
)
from bot.graph.routes import ROUTES, SEND_NOTIFICATION
from bot.identity.permissions import MEETINGS, NOTIFY, TEXT
from tests.bot.graph.conftest import Desk, Serve

NUMBER = "+13129224122"


async def text(desk: Desk, name: str = "Adele", token: str | None = None) -> Accepted:
    person = desk.person(name)
    meeting = next(m for m in desk.world.meetings.values() if m.organizer_id == person.id)
    return await desk.graph.send_appointment_text(
        token or desk.token(name),
        meeting.id,
        appointment_text_body([(NUMBER, "Pacific Standard Time")], "confirmation"),
        client_request_id="c",
    )


async def notify(desk: Desk, *names: str, token: str | None = None) -> Accepted:
    body = notification_body(
        text_topic("Here", "https://teams.microsoft.com/l/chat/0/0"),
        "deploymentApprovalRequired",
        "Hello",
        {"deploymentId": "7"},
        [desk.person(name).id for name in names],
    )
    return await desk.graph.send_notification(token or desk.token("Adele"), body, "c")


async def test_a_sender_without_premium_is_told_so(desk: Desk) -> None:
    with pytest.raises(PremiumMissing) as caught:
        await text(desk, "Isaiah")
    assert caught.value.status == 403
    assert caught.value.request_id == desk.world.graph_calls[-1].request_id


async def test_somebody_elses_meeting_is_told_so(desk: Desk) -> None:
    with pytest.raises(NotOrganizer):
        await text(desk, "Megan", token=desk.token("Adele"))


async def test_recipients_without_the_app_are_told_so(desk: Desk) -> None:
    desk.person("Lee").has_app = False
    with pytest.raises(AppNotInstalled):
        await notify(desk, "Megan", "Lee")


async def test_an_ambiguous_app_is_told_so(desk: Desk) -> None:
    desk.world.faults.duplicate_app = True
    with pytest.raises(AppAmbiguous):
        await notify(desk, "Megan")


async def test_a_token_too_old_for_a_bulk_request_is_told_so(desk: Desk) -> None:
    old = desk.stage.entra.tokens.graph_token(desk.person("Adele"), NOTIFY, life_s=44 * 60)
    with pytest.raises(TokenTooOld):
        await notify(desk, "Megan", token=old)
    fresh = desk.stage.entra.tokens.graph_token(
        desk.person("Adele"), NOTIFY, life_s=SEND_NOTIFICATION.min_token_life_s + 1
    )
    assert (await notify(desk, "Megan", token=fresh)).status == 202


async def test_a_token_without_the_permission_is_told_so(desk: Desk) -> None:
    with pytest.raises(PermissionMissing):
        await notify(desk, "Megan", token=desk.token("Adele", TEXT))
    with pytest.raises(PermissionMissing):
        await text(desk, token=desk.token("Adele", NOTIFY))


async def test_a_refused_token_is_told_so(desk: Desk) -> None:
    with pytest.raises(TokenRejected) as caught:
        await notify(desk, "Megan", token="ey.no.token")
    assert caught.value.claims == ""


async def test_what_graph_finds_wrong_is_a_refusal_without_the_number(desk: Desk) -> None:
    desk.world.faults.throttled = False
    body = appointment_text_body([("+1242421412", "Eastern Standard Time")], "confirmation")
    meeting = next(iter(desk.world.meetings))
    with pytest.raises(GraphRefused) as caught:
        await desk.graph.send_appointment_text(
            desk.token("Adele"), meeting, body, client_request_id="c"
        )
    assert caught.value.status == 400
    assert "1242421412" not in str(caught.value) + caught.value.message + repr(caught.value)


@pytest.mark.parametrize("seconds", [2, None])
async def test_throttling_says_how_long_to_wait(desk: Desk, seconds: int | None) -> None:
    desk.world.faults.throttled = True
    desk.world.faults.retry_after_s = seconds
    with pytest.raises(GraphThrottled) as caught:
        await text(desk)
    assert caught.value.retry_after_s == seconds
    assert len(desk.world.graph_calls) == 1


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ("500", GraphUnavailable),
        ("502_after", GraphUnavailable),
        ("503", GraphUnavailable),
        ("504", GraphUnavailable),
        ("429:7", GraphThrottled),
        ("429:date", GraphThrottled),
        ("reset_before", GraphSilent),
        ("reset_after", GraphSilent),
    ],
)
async def test_a_send_is_attempted_once_whatever_happens(
    desk: Desk, entry: str, error: type[GraphError]
) -> None:
    desk.world.script.append(entry)
    with pytest.raises(error):
        await text(desk)
    assert len(desk.world.graph_calls) == 1


async def test_an_answer_cut_off_after_its_status_is_still_an_acceptance(desk: Desk) -> None:
    desk.world.script.append("cut_body")
    assert (await text(desk)).status == 202
    assert len(desk.world.phones[NUMBER]) == 1


async def test_an_answer_that_never_comes_is_silence(
    desk: Desk, session: aiohttp.ClientSession
) -> None:
    desk.graph = Graph(desk.stage.graph.url, session, timeout_s=0.3)
    desk.world.script.append("hang")
    with pytest.raises(GraphSilent):
        await text(desk)


async def test_a_closed_port_was_never_reached(desk: Desk) -> None:
    await desk.stage.graph.stop()
    with pytest.raises(GraphUnreachable):
        await text(desk)


async def test_a_name_that_does_not_exist_was_never_reached(
    session: aiohttp.ClientSession,
) -> None:
    graph = Graph("http://nowhere.invalid", session)
    with pytest.raises(GraphUnreachable):
        await graph.send_notification("t", {}, "c")


async def test_a_certificate_that_is_not_trusted_was_never_reached(
    session: aiohttp.ClientSession,
) -> None:
    async def answer(_request: web.Request) -> web.Response:
        raise AssertionError("nothing may arrive")

    async with over_tls(answer) as port:
        graph = Graph(f"https://localhost:{port}", session)
        with pytest.raises(GraphUnreachable):
            await graph.send_notification("t", {}, "c")


@asynccontextmanager
async def over_tls(answer: object) -> AsyncIterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)  # type: ignore[arg-type]
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    yield runner.addresses[0][1]
    await runner.cleanup()


async def test_a_connection_that_is_never_made_was_never_reached(
    session: aiohttp.ClientSession,
) -> None:
    # TLS to a server that takes connections and says nothing: the time-out is the connection's.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        graph = Graph(f"https://127.0.0.1:{port}", session, timeout_s=2, connect_s=0.2)
        with pytest.raises(GraphUnreachable):
            await graph.send_notification("t", {}, "c")


async def test_a_connection_that_was_closed_meanwhile_sends_nothing_twice(serve: Serve) -> None:
    count = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal count
        count += 1
        response = web.Response(status=202)
        response.force_close()
        return response

    async with serve(answer) as graph:
        for _ in range(3):
            assert (await graph.send_notification("t", {}, "c")).status == 202
    assert count == 3


async def test_redirects_are_not_followed(serve: Serve) -> None:
    paths: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(status=307, headers={"Location": "/v1.0/elsewhere"})

    async with serve(answer) as graph:
        with pytest.raises(GraphRefused) as caught:
            await graph.send_notification("t", {}, "c")
    assert caught.value.status == 307
    assert paths == ["/v1.0/teamwork/sendActivityNotificationToRecipients"]


async def test_every_request_names_itself_and_its_caller(serve: Serve) -> None:
    came: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        came.append({name.lower(): value for name, value in request.headers.items()})
        return web.json_response({"value": []}, headers={"Set-Cookie": "a=b"})

    async with serve(answer) as graph:
        await graph.send_appointment_text("tok", "m", {}, language="de-DE", client_request_id="x1")
        await graph.catalogue_id("tok", "x")
        await graph.catalogue_id("tok", "x")
    assert came[0]["client-request-id"] == "x1"
    assert came[0]["accept-language"] == "de-DE"
    assert came[1]["client-request-id"] != came[2]["client-request-id"]
    assert {one["authorization"] for one in came} == {"Bearer tok"}
    assert all("cookie" not in one for one in came)


async def test_a_cancelled_send_stays_cancelled(serve: Serve) -> None:
    async def answer(_request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        raise AssertionError

    async with serve(answer) as graph:
        sending = asyncio.create_task(graph.send_notification("t", {}, "c"))
        await asyncio.sleep(0.05)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending


async def test_the_session_has_limits() -> None:
    async with open_session() as session:
        connector = session.connector
        assert isinstance(connector, aiohttp.TCPConnector)
        assert 0 < connector.limit <= 100
        assert 0 < connector.limit_per_host <= 100


SMS = "/v1.0/me/onlineMeetings/x/sendVirtualAppointmentSms"
BULK = "/v1.0/teamwork/sendActivityNotificationToRecipients"
TEAM = "/v1.0/teams/t/sendActivityNotification"
CHAT = "/v1.0/chats/19%3Ax%40thread.v2/sendActivityNotification"
# Graph's words as people reported them, and what they mean.
SAID = [
    (400, "BadRequest", "Invalid phone number", SMS, GraphRefused),
    (401, "InvalidAuthenticationToken", "Lifetime validation failed", BULK, TokenRejected),
    (403, "Forbidden", "Missing scope permissions on the request.", BULK, PermissionMissing),
    (403, "Forbidden", "Missing scope permissions on the request.", SMS, PermissionMissing),
    (403, "Authorization_RequestDenied", "Insufficient privileges", BULK, PermissionMissing),
    (403, "ErrorAccessDenied", "Access is denied.", "/v1.0/me/calendarView", PermissionMissing),
    (403, "Forbidden", "Teams Premium license is required", SMS, PremiumMissing),
    (403, "Forbidden", "3003: User does not have access to lookup meeting.", SMS, NotOrganizer),
    (404, "NotFound", "Meeting not found", SMS, NotOrganizer),
    (404, "NotFound", "User not found", BULK, GraphRefused),
    (
        403,
        "Forbidden",
        "Application with AAD App Id 'x' is not authorized to generate custom text notifications "
        "about 'chat' to the recipient. Ensure that the expected Teams app is installed in the "
        "target scope (user, team, or chat).",
        BULK,
        AppNotInstalled,
    ),
    (403, "Forbidden", "The sender cannot be among the recipients.", BULK, GraphRefused),
    (403, "Forbidden", "Missing scope permissions on the request.", TEAM, PermissionMissing),
    (
        403,
        "Forbidden",
        "Ensure that the expected Teams app is installed in the target scope.",
        TEAM,
        AppNotInGroup,
    ),
    (403, "Forbidden", "The caller is not a member of the group.", CHAT, NotInGroup),
    (404, "NotFound", "No team found with Group Id", TEAM, GroupMissing),
    (404, "NotFound", "The chat was not found.", CHAT, GroupMissing),
    (409, "Conflict", "Found multiple applications with the same AAD App ID", CHAT, AppAmbiguous),
    (412, "PreconditionFailed", "The token expires too soon", TEAM, TokenTooOld),
    (429, "TooManyRequests", "", CHAT, GraphThrottled),
    (504, "UnknownError", "", TEAM, GraphUnavailable),
    (409, "Conflict", "Found multiple applications with the same AAD App ID", BULK, AppAmbiguous),
    (409, "Conflict", "Something else", BULK, GraphRefused),
    (412, "PreconditionFailed", "The token expires too soon", BULK, TokenTooOld),
    (413, "", "", BULK, GraphRefused),
    (302, "", "", BULK, GraphRefused),
    (408, "", "", SMS, GraphUnavailable),
    (429, "TooManyRequests", "", BULK, GraphThrottled),
    (500, "InternalServerError", "", BULK, GraphUnavailable),
    (504, "UnknownError", "", SMS, GraphUnavailable),
]


@pytest.mark.parametrize(("status", "code", "message", "path", "meaning"), SAID)
def test_each_answer_means_one_thing(
    status: int, code: str, message: str, path: str, meaning: type[GraphError]
) -> None:
    body = {"error": {"code": code, "message": message, "innerError": {"request-id": "r-1"}}}
    error = error_of(status, {}, body, path)
    assert type(error) is meaning
    assert (error.status, error.code, error.request_id) == (status, code, "r-1")


@pytest.mark.parametrize("body", [None, [], "text", {"error": None}, {"error": "x"}, {"error": {}}])
def test_an_answer_without_graphs_words_has_a_meaning_too(body: object) -> None:
    assert type(error_of(400, {}, body, BULK)) is GraphRefused
    assert str(error_of(400, {}, body, BULK)) == "400"


def test_the_claims_challenge_of_a_refused_token_is_kept() -> None:
    challenge = 'Bearer realm="", error="insufficient_claims", claims="eyJhIjoxfQ=="'
    error = error_of(401, {"WWW-Authenticate": challenge}, None, BULK)
    assert isinstance(error, TokenRejected)
    assert error.claims == "eyJhIjoxfQ=="


NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("", None),
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Mon, 05 Jan 2026 12:00:30 GMT", 30.0),
        (format_datetime(NOW, usegmt=True), 0.0),
        ("Mon, 05 Jan 2026 11:00:00 GMT", 0.0),
        ("Mon, 05 Jan 2026 12:00:30 -0000", 30.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(said: str, seconds: float | None) -> None:
    assert retry_after_s({"Retry-After": said} if said else {}, NOW) == seconds


@pytest.mark.parametrize(
    "private",
    [
        "+13129224122",
        "(312) 922-4122",
        "312.922.4122",
        "eyJhbGciOi.eyJzdWIi.c2ln",
        "adele@contoso.example",
    ],
)
def test_numbers_addresses_and_tokens_are_taken_out_of_graphs_words(private: str) -> None:
    error = error_of(400, {}, {"error": {"code": private, "message": f"bad {private}!"}}, BULK)
    for shown in (str(error), repr(error), error.message, error.code, scrubbed(private)):
        assert private not in shown
        assert "9224122" not in shown


def every(kind: type[HeraldError]) -> list[type[HeraldError]]:
    return [kind, *(below for sub in kind.__subclasses__() for below in every(sub))]


@pytest.mark.parametrize("kind", every(GraphError))
def test_every_error_has_a_sentence_advice_and_a_place_in_the_tree(
    kind: type[GraphError],
) -> None:
    error = kind(400, "Code", "words", "r")
    assert error.sentence.endswith(".")
    assert len(error.sentence) <= 100
    assert error.advice.endswith(".")
    assert kind.__name__ in str(errors.__doc__)


def test_every_route_asks_for_a_permission_that_people_are_asked_for() -> None:
    asked = {*NOTIFY, *TEXT, *MEETINGS}
    for name, route in ROUTES.items():
        assert route.name == name
        assert set(route.scopes) <= asked
        assert route.path.startswith("/")
    assert {route.lane for route in ROUTES.values()} == {"", "bulk", "single"}


def test_a_topic_in_the_catalogue_has_graphs_own_name_for_it() -> None:
    assert app_topic("x")["value"] == "https://graph.microsoft.com/v1.0/appCatalogs/teamsApps/x"
