"""At Graph's door: tokens, headers, throttling, and everything that can go wrong on the way."""

import asyncio
import re
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.graph_faults import read
from sandbox.graph_limits import FeedLimit, Limits
from sandbox.world import World
from tests.sandbox.posts import NOTICES, Poster

NOTIFY = ["TeamsActivity.Send"]


def forged(poster: Poster, **changes: Any) -> str:
    """Adele's claims, signed with a key that is not Entra's."""
    good = poster.entra.tokens.graph_token(poster.world.named("Adele"), NOTIFY)
    claims = jwt.decode(good, options={"verify_signature": False}) | changes
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(claims, key, algorithm="RS256", headers={"kid": "sandbox-entra-1"})


def unsigned(poster: Poster) -> str:
    good = poster.entra.tokens.graph_token(poster.world.named("Adele"), NOTIFY)
    claims = jwt.decode(good, options={"verify_signature": False})
    return jwt.encode(claims, None, algorithm="none")


def of_adele(poster: Poster, **claims: Any) -> str:
    return poster.entra.tokens.graph_token(poster.world.named("Adele"), NOTIFY, **claims)


TOKENS = [
    pytest.param(lambda _: "", id="an empty token"),
    pytest.param(lambda _: "abc", id="something else"),
    pytest.param(forged, id="a token with another signature"),
    pytest.param(unsigned, id="a token without a signature"),
    pytest.param(lambda p: of_adele(p, life_s=-3600), id="an expired token"),
    pytest.param(lambda p: of_adele(p, nbf=2**33), id="a token of the future"),
    pytest.param(lambda p: of_adele(p, aud=p.world.app_id), id="a token for the app itself"),
    pytest.param(lambda p: of_adele(p, aud=None), id="a token for nobody"),
    pytest.param(lambda p: of_adele(p, iss="https://localhost/x/v2.0"), id="another issuer"),
    pytest.param(lambda p: of_adele(p, oid="nobody"), id="a token of nobody"),
    pytest.param(
        lambda p: p.entra.sso_token(p.world.named("Adele")), id="the Teams client's own token"
    ),
]


@pytest.mark.parametrize("token", TOKENS)
async def test_a_wrong_token_is_401(poster: Poster, world: World, token: Any) -> None:
    reply = await poster.post(NOTICES, poster.notice(), token=token(poster))

    assert (reply.status, reply.code) == (401, "InvalidAuthenticationToken")
    assert reply.headers["WWW-Authenticate"].startswith("Bearer")
    assert not any(world.feeds.values())
    assert world.graph_calls[-1].actor_id == ""


async def test_no_token_is_401(poster: Poster) -> None:
    reply = await poster.post(NOTICES, poster.notice(), headers={"Authorization": ""})

    assert reply.status == 401


async def test_an_applications_own_token_is_403(poster: Poster, world: World) -> None:
    token = poster.entra.tokens.app_token(world.tenant_id, "https://graph.microsoft.com")

    assert (await poster.post(NOTICES, poster.notice(), token=token)).status == 403


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 202),
        ("application/json; charset=utf-8", 202),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
    ],
)
async def test_a_body_is_json_and_says_so(poster: Poster, content_type: str, status: int) -> None:
    reply = await poster.post(NOTICES, poster.notice(), headers={"Content-Type": content_type})

    assert reply.status == status


async def test_every_answer_tells_its_request_and_the_callers(poster: Poster) -> None:
    good = await poster.post(NOTICES, poster.notice(), headers={"client-request-id": "mine"})
    bad = await poster.post(NOTICES, {}, headers={"client-request-id": "mine"})

    for reply in (good, bad):
        assert re.fullmatch(r"[0-9a-f-]{36}", reply.headers["request-id"])
        assert reply.headers["client-request-id"] == "mine"
        assert parsedate_to_datetime(reply.headers["Date"])
    error = bad.body["error"]
    assert set(error) == {"code", "message", "innerError"}
    assert error["innerError"]["request-id"] == bad.headers["request-id"]
    assert error["innerError"]["client-request-id"] == "mine"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", error["innerError"]["date"])


async def test_a_third_bulk_request_in_a_second_is_throttled(poster: Poster, world: World) -> None:
    now = 100.0
    poster.graph.limits = Limits(clock=lambda: now)
    world.limits_enforced = True

    first = [(await poster.post(NOTICES, poster.notice("Lee"))).status for _ in range(2)]
    third = await poster.post(NOTICES, poster.notice("Lee"))
    now = 100.6
    later = await poster.post(NOTICES, poster.notice("Lee"))

    assert first == [202, 202]
    assert (third.status, third.code) == (429, "TooManyRequests")
    assert int(third.headers["Retry-After"]) == 1
    assert later.status == 202
    assert len(world.accepted("sendActivityNotificationToRecipients")) == 3


async def test_texts_and_notices_are_throttled_apart(poster: Poster, world: World) -> None:
    poster.graph.limits = Limits(clock=lambda: 100.0)
    world.limits_enforced = True
    for _ in range(3):
        await poster.post(NOTICES, poster.notice("Lee"))

    statuses = [(await poster.post(poster.texts, poster.text())).status for _ in range(6)]

    assert statuses == [202] * 5 + [429]


def test_a_caller_that_keeps_to_the_rate_is_never_throttled() -> None:
    now = 0.0
    limits = Limits(clock=lambda: now)
    for _ in range(500):
        assert limits.retry_after_s("bulk", "t") == 0
        now += 0.5


def test_all_tenants_together_have_a_limit_too() -> None:
    limits = Limits(clock=lambda: 0.0)

    passed = [limits.retry_after_s("bulk", str(n // 2)) == 0 for n in range(22)]

    assert passed == [True] * 20 + [False] * 2


def test_the_feeds_limit_forgets_after_a_minute() -> None:
    now = 0.0
    limit = FeedLimit(clock=lambda: now)
    assert [limit.drops("lee") for _ in range(11)] == [False] * 10 + [True]
    assert not limit.drops("megan")

    now = 60.0
    assert not limit.drops("lee")


SCRIPT = [
    ("500", 500, None, False),
    ("503", 503, None, False),
    ("502_after", 502, None, True),
    ("429", 429, "1", False),
    ("429:7", 429, "7", False),
    ("429:none", 429, None, False),
    ("ok", 202, None, True),
]


@pytest.mark.parametrize(("entry", "status", "retry_after", "took_effect"), SCRIPT)
async def test_a_script_answers_the_next_send(
    poster: Poster,
    world: World,
    entry: str,
    status: int,
    retry_after: str | None,
    took_effect: bool,
) -> None:
    world.script = [entry]

    scripted = await poster.post(poster.texts, poster.text())
    after = await poster.post(poster.texts, poster.text())

    assert (scripted.status, scripted.headers.get("Retry-After")) == (status, retry_after)
    assert world.graph_calls[0].took_effect is took_effect
    assert after.status == 202
    assert sum(map(len, world.phones.values())) == (4 if took_effect else 2)


async def test_retry_after_may_be_a_date(poster: Poster, world: World) -> None:
    world.script = ["429:date"]

    reply = await poster.post(poster.texts, poster.text())

    wait = parsedate_to_datetime(reply.headers["Retry-After"]) - world.now()
    assert 0 < wait.total_seconds() <= 3


@pytest.mark.parametrize(
    ("entry", "took_effect"), [("reset_before", False), ("reset_after", True), ("cut_body", True)]
)
async def test_a_cut_connection_tells_nothing_of_what_happened(
    poster: Poster, world: World, entry: str, took_effect: bool
) -> None:
    world.script = [entry]

    with pytest.raises(aiohttp.ClientError):
        await poster.post(poster.texts, poster.text())

    call = world.graph_calls[-1]
    assert (call.answered, call.took_effect) == (False, took_effect)
    assert call.body == poster.text()
    assert bool(world.phones) is took_effect


async def test_an_answer_may_never_come(poster: Poster, world: World) -> None:
    world.faults.hang = True

    with pytest.raises(TimeoutError):
        await poster.post(poster.texts, poster.text(), timeout_s=0.2)

    assert world.phones
    assert not world.graph_calls[-1].answered


def test_a_word_that_no_script_knows_is_an_error(world: World) -> None:
    with pytest.raises(ValueError, match="means nothing"):
        read("explode", world.now())


async def test_offline_answers_nobody(poster: Poster, world: World) -> None:
    world.faults.offline = True

    with pytest.raises(aiohttp.ClientError):
        await poster.post(poster.texts, poster.text())

    assert not world.phones
    assert world.graph_calls[-1].code == "ConnectionCut"


async def test_unavailable_is_503_for_reads_too(poster: Poster, world: World) -> None:
    world.faults.unavailable = True
    token = poster.entra.tokens.graph_token(world.named("Adele"), ["User.Read"])

    async with poster.session.get(
        f"{poster.graph.url}/v1.0/me", headers={"Authorization": f"Bearer {token}"}
    ) as answer:
        body = await answer.json()

    assert (answer.status, body["error"]["code"]) == (503, "ServiceUnavailable")


@pytest.mark.parametrize("retry_after_s", [2, None])
async def test_the_panel_throttles_sends_alone(
    poster: Poster, world: World, retry_after_s: int | None
) -> None:
    world.faults.throttled, world.faults.retry_after_s = True, retry_after_s
    token = poster.entra.tokens.graph_token(world.named("Adele"), ["User.Read"])

    sent = await poster.post(poster.texts, poster.text())
    async with poster.session.get(
        f"{poster.graph.url}/v1.0/me", headers={"Authorization": f"Bearer {token}"}
    ) as answer:
        assert answer.status == 200

    assert sent.status == 429
    assert sent.headers.get("Retry-After") == (str(retry_after_s) if retry_after_s else None)


async def test_slow_answers_come_after_the_effect(poster: Poster, world: World) -> None:
    world.faults.slow_s = 5

    waiting = asyncio.create_task(poster.post(poster.texts, poster.text()))
    await world.until(lambda: bool(world.phones))
    assert not waiting.done()
    waiting.cancel()


async def test_a_method_that_is_not_there_is_405(poster: Poster) -> None:
    assert (await poster.post("/me/calendarView", {})).status == 405
