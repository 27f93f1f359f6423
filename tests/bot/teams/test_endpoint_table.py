"""What comes to the door, and the exact status of each. No refusal is a 5xx or reaches the bot."""

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.teams import wire
from tests.bot.teams.door import Door, open_door


@dataclass(frozen=True)
class Case:
    sentence: str
    status: int
    signing: dict[str, Any] = field(default_factory=dict)
    activity: dict[str, Any] = field(default_factory=dict)  # changes to a good one
    raw: bytes | Callable[[str], bytes] | None = None  # the body as it is, or made from good JSON
    headers: dict[str, str] = field(default_factory=dict)
    authorization: Callable[[str], str | None] | None = None  # made from the good header


def without(name: str) -> dict[str, Any]:
    return {"claims": {name: None}}


def claim(**claims: Any) -> dict[str, Any]:
    return {"claims": claims}


def head(**header: Any) -> dict[str, Any]:
    return {"header": header}


def in_json(old: str, new: str) -> Callable[[str], bytes]:
    return lambda good: good.replace(old, new, 1).encode()


NESTED = "[" * 3000 + "]" * 3000
OTHER_APP = "00000000-0000-4000-8000-000000000000"
LARGEST = 256 * 1024

NO_TOKEN = [
    Case("no Authorization header", 401, authorization=lambda _: None),
    Case("an empty Authorization header", 401, authorization=lambda _: ""),
    Case(
        "another scheme than Bearer",
        401,
        authorization=lambda good: good.replace("Bearer", "Basic"),
    ),
    Case("the scheme without a token", 401, authorization=lambda _: "Bearer"),
    Case("the token without a scheme", 401, authorization=lambda good: good.split()[1]),
    Case("two tokens in one header", 401, authorization=lambda good: f"{good}, {good}"),
    Case("garbage for a token", 401, authorization=lambda _: "Bearer garbage"),
    Case("garbage in three parts", 401, authorization=lambda _: "Bearer a.b.c"),
    Case("empty parts", 401, authorization=lambda _: "Bearer .."),
    Case("bytes that are not ASCII", 401, authorization=lambda good: good + "\u00e9"),
    Case(
        "a header part of deep nesting",
        401,
        authorization=lambda _: "Bearer W1tb" + "W1tb" * 1200 + ".e30.x",
    ),
    Case("a token cut in half", 401, authorization=lambda good: good[: len(good) // 2]),
    Case(
        "a token without its signature",
        401,
        authorization=lambda good: good.rpartition(".")[0] + ".",
    ),
]
BAD_TOKENS = [
    Case("a changed signature", 401, {"spoiled": True}),
    Case("no signature, alg none", 401, {"algorithm": "none"}),
    Case("HS256 with the public key as its secret", 401, {"algorithm": "HS256"}),
    Case("RS512 with the right key", 401, {"algorithm": "RS512"}),
    Case(
        "a header that says RS256 over an RS512 signature",
        401,
        {"algorithm": "RS512", **head(alg="RS256")},
    ),
    Case("a key that brings itself along", 401, head(jwk={"kty": "RSA", "n": "AQAB", "e": "AQAB"})),
    Case("a header that says where its key is", 401, head(jku="http://127.0.0.1:1/keys")),
    Case("a certificate chain in the header", 401, head(x5c=["MIIB"])),
    Case("rules that we do not know, in crit", 401, head(crit=["exp"])),
    Case("no key id", 401, head(kid=None)),
    Case("a key id that is a number", 401, head(kid=7)),
    Case("a key id of a thousand letters", 401, head(kid="k" * 1000)),
    Case("a key that the channel does not publish", 401, {"key": "unknown"}),
    Case("another key's id", 401, {"key": "unknown", **head(kid="the current one")}),
    Case("an expired token", 401, {"expires_in_s": -301}),
    Case("an expired token within the leeway", 200, {"expires_in_s": -290}),
    Case("a token of the future", 401, {"valid_from_s": 330}),
    Case("a token of the future within the leeway", 200, {"valid_from_s": 290}),
    Case("no expiry", 401, without("exp")),
    Case("an expiry in words", 401, claim(exp="tomorrow")),
    Case("an expiry that is not a number", 401, claim(exp=float("nan"))),
    Case("an expiry at infinity", 401, claim(exp=float("inf"))),
    Case("an expiry beyond every float", 401, claim(exp=10**400)),
    Case("an expiry of true", 401, claim(exp=True)),
    Case("a start in words", 401, claim(nbf="yesterday")),
    Case("no start, which is optional", 200, without("nbf")),
    Case("another app's token", 401, {"audience": OTHER_APP}),
    Case(
        "a list of audiences", 401, claim(aud=[OTHER_APP, "7b1f6a52-3d0e-4c19-8a54-2f2c9f0b6d11"])
    ),
    Case("no audience", 401, without("aud")),
    Case("the app's id in capitals", 200, {"audience": "7B1F6A52-3D0E-4C19-8A54-2F2C9F0B6D11"}),
    Case("another issuer", 401, {"issuer": "https://sts.windows.net/contoso"}),
    Case("an issuer with a slash", 401, {"issuer": "https://api.botframework.com/"}),
    Case("no issuer", 401, without("iss")),
    Case("no service address", 401, without("serviceurl")),
    Case("a service address that is a list", 401, claim(serviceurl=["http://127.0.0.1"])),
]
NOT_FOR_THIS = [
    Case("a token for another service address", 403, {"service_url": "https://evil.example/"}),
    Case(
        "an activity with another service address",
        403,
        activity={"serviceUrl": "https://evil.example/"},
    ),
    Case(
        "a service address with another path",
        403,
        activity={"serviceUrl": "http://127.0.0.1/emea/"},
    ),
    Case("a key that is not endorsed for Teams", 403, {"key": "unendorsed"}),
    Case("another channel", 403, activity={"channelId": "webchat"}),
    Case("another channel with its own key", 403, {"key": "unendorsed"}, {"channelId": "webchat"}),
    Case("the emulator", 403, activity={"channelId": "emulator"}),
    Case("the channel in capitals", 403, activity={"channelId": "MSTEAMS"}),
]
BAD_BODIES = [
    Case("an empty body", 400, raw=b""),
    Case("no JSON", 400, raw=b"hello"),
    Case("half of a body", 400, raw=lambda good: good[:-20].encode()),
    Case("something after the JSON", 400, raw=lambda good: good.encode() + b"{}"),
    Case("a list", 400, raw=lambda good: f"[{good}]".encode()),
    Case("null", 400, raw=b"null"),
    Case("a string", 400, raw=b'"message"'),
    Case("an empty object", 400, raw=b"{}"),
    Case("no type", 400, activity={"type": None}),
    Case("an empty type", 400, activity={"type": ""}),
    Case("a type that is a number", 400, activity={"type": 5}),
    Case("no service address", 400, activity={"serviceUrl": None}),
    Case("a service address that is no address", 400, activity={"serviceUrl": "teams"}),
    Case("a service address that is a file", 400, activity={"serviceUrl": "file:///etc/passwd"}),
    Case(
        "a service address with half of an IPv6 host", 400, activity={"serviceUrl": "http://[::1/"}
    ),
    Case("no channel", 400, activity={"channelId": None}),
    Case("a channel that is an object", 400, activity={"channelId": {}}),
    Case("no conversation", 400, activity={"conversation": None}),
    Case("a conversation that is a list", 400, activity={"conversation": []}),
    Case("a conversation that is a string", 400, activity={"conversation": "a:1"}),
    Case("a conversation without an id", 400, activity={"conversation": {}}),
    Case("a conversation with an empty id", 400, activity={"conversation": {"id": ""}}),
    Case("a conversation whose id is an object", 400, activity={"conversation": {"id": {}}}),
    Case("a text that is a number", 400, activity={"text": 5}),
    Case("a text that is an object", 400, activity={"text": {"a": 1}}),
    Case("a sender that is a list", 400, activity={"from": []}),
    Case("a sender whose name is a list", 400, activity={"from": {"id": "29:1", "name": []}}),
    Case("entities that are an object", 400, activity={"entities": {}}),
    Case("entities of numbers", 400, activity={"entities": [1]}),
    Case("attachments that are a string", 400, activity={"attachments": "card"}),
    Case("members that are strings", 400, activity={"membersAdded": ["29:1"]}),
    Case("members of nothing", 400, activity={"membersAdded": [None]}),
    Case("a time in words", 400, activity={"timestamp": "yesterday"}),
    Case("a time that is a number", 400, activity={"timestamp": 1700000000}),
    Case("a time before all time zones", 400, activity={"timestamp": "0001-01-01T00:00:00+14:00"}),
    Case("a time of ten thousand digits", 400, activity={"timestamp": "2" * 10_000}),
    Case("a truth that is a list", 400, activity={"historyDisclosed": []}),
    Case("a key twice", 400, raw=lambda good: b'{"type": "message",' + good[1:].encode()),
    Case(
        "a key twice, deep inside",
        400,
        activity={},
        raw=in_json('"tenantId"', '"id": "b", "tenantId"'),
    ),
    Case("NaN", 400, raw=in_json('"hello"', '"hello", "value": NaN')),
    Case("infinity", 400, raw=in_json('"hello"', '"hello", "value": -Infinity')),
    Case("a number too large for a float", 400, raw=in_json('"hello"', '"hello", "value": 1e999')),
    Case(
        "a number of five thousand digits",
        400,
        raw=in_json('"hello"', '"hello", "value": ' + "9" * 5000),
    ),
    Case("nesting without end", 400, raw=in_json('"hello"', f'"hello", "value": {NESTED}')),
    Case(
        "nesting that Python can still read",
        400,
        raw=in_json('"hello"', '"hello", "value": ' + "[" * 80 + "]" * 80),
    ),
    Case(
        "nesting of objects in place of the whole",
        400,
        raw=b'{"a":' * 40_000 + b"1" + b"}" * 40_000,
    ),
    Case("a NUL in a text", 400, activity={"text": "hel\0lo"}),
    Case("a NUL as it is", 400, raw=in_json("hello", "hel\0lo")),
    Case("a NUL in a name deep inside", 400, activity={"value": {"a": [{"b\0": 1}]}}),
    Case("half of a surrogate pair", 400, raw=in_json("hello", "\\ud83d")),
    Case(
        "bytes that are not UTF-8",
        400,
        raw=lambda good: good.encode().replace(b"hello", b"\xff\xfe"),
    ),
    Case("UTF-16", 400, raw=lambda good: good.encode("utf-16")),
    Case("a byte order mark", 400, raw=lambda good: b"\xef\xbb\xbf" + good.encode()),
    Case("a body one byte too large", 413, raw=lambda good: good.encode().ljust(LARGEST + 1)),
    Case("no content type", 415, headers={"Content-Type": ""}),
    Case("plain text", 415, headers={"Content-Type": "text/plain"}),
    Case("a form", 415, headers={"Content-Type": "application/x-www-form-urlencoded"}),
    Case("a type that only looks like JSON", 415, headers={"Content-Type": "application/jsonp"}),
    Case(
        "JSON in another character set",
        415,
        headers={"Content-Type": "application/json; charset=utf-16"},
    ),
    Case("a compressed body", 415, headers={"Content-Encoding": "gzip"}, raw=b"\x1f\x8b"),
]
ACCEPTED = [
    Case("a message", 200),
    Case(
        "a scheme in small letters",
        200,
        authorization=lambda good: good.replace("Bearer", "bearer"),
    ),
    Case("a service address without its slash", 200, activity={"serviceUrl": "without its slash"}),
    Case(
        "a character set that is UTF-8",
        200,
        headers={"Content-Type": "Application/JSON; charset=UTF-8"},
    ),
    Case("a body as large as is allowed", 200, raw=lambda good: good.encode().ljust(LARGEST)),
    Case("emoji, escaped in pairs", 200, raw=in_json("hello", "\\ud83d\\ude00")),
    Case(
        "the letters of an escaped NUL, typed by a person", 200, raw=in_json("hello", "\\\\u0000")
    ),
    Case("fields that nobody knows", 200, activity={"surprise": {"a": [1, 2.5, None, True]}}),
    Case(
        "nulls for what may be missing",
        200,
        raw=in_json('"hello"', '"hello", "speak": null, "attachments": null'),
    ),
    Case("an activity of an unknown type", 200, activity={"type": "somethingNew"}),
    Case("a command in ten thousand braces of text", 200, activity={"text": "{[" * 10_000}),
]
CASES = [*NO_TOKEN, *BAD_TOKENS, *NOT_FOR_THIS, *BAD_BODIES, *ACCEPTED]


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened


@pytest.mark.parametrize("case", CASES, ids=[f"{case.sentence}: {case.status}" for case in CASES])
async def test_what_comes_to_the_door_gets_its_status(door: Door, case: Case) -> None:
    status, answer = await _send(door, case)
    assert status == case.status
    assert len(door.echo.turns) == (1 if case.status == 200 else 0)
    if case.status != 200:
        assert set(answer) == {"error"}
        assert set(answer["error"]) == {"code"}


async def _send(door: Door, case: Case) -> tuple[int, Any]:
    changes = dict(case.activity)
    if changes.get("serviceUrl") == "without its slash":
        changes["serviceUrl"] = door.far.service_url.rstrip("/")
    good = json.dumps(door.activity(**changes))
    body = case.raw(good) if callable(case.raw) else case.raw
    signing = dict(case.signing)
    if signing.get("header", {}).get("kid") == "the current one":
        signing["header"] = {"kid": door.far.channel.current.kid}
    bearer = door.bearer(**signing)
    return await door.post(
        good.encode() if body is None else body,
        authorization=case.authorization(bearer) if case.authorization else bearer,
        headers=case.headers,
    )


def test_each_case_is_told_in_a_sentence_of_its_own() -> None:
    told = [(case.sentence, case.status) for case in CASES]
    assert len(set(told)) == len(told) >= 40


async def test_no_refusal_starts_the_bot_and_the_door_still_works_after_all_of_them(
    door: Door,
) -> None:
    for case in CASES:
        status, _ = await _send(door, case)
        assert status < 500, case.sentence
    assert await door.post() == (200, "")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_another_method_is_405(door: Door, method: str) -> None:
    async with door.session.request(method, door.url) as answer:
        assert answer.status == 405
        assert answer.headers["Allow"] == "POST"


async def test_a_401_names_the_scheme(door: Door) -> None:
    async with door.session.post(door.url, json=door.activity()) as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_what_is_written_can_be_read_again() -> None:
    odd = {"text": "\ud83d half", "emoji": "😀"}
    assert json.loads(wire.dumps(odd)) == {"text": "? half", "emoji": "😀"}
