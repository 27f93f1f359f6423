"""A corpus of tokens that somebody forged: every one is turned away, and the good one still counts.

Beside `tests/bot/teams/test_endpoint_table.py`, whose tokens are the channel's own gone wrong.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from tests.bot.teams.door import APP_ID, Door, open_door

Forge = Callable[[Door], str]
_OWN = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_CURVE = ec.generate_private_key(ec.SECP256R1())
NONES = ("none", "None", "NONE", "nOnE", "none ", " none", "n\u043ene", "null", "", None, [], 0)
EXPIRIES = {
    "as a string": "9999999999",
    "as a float in a string": "9999999999.0",
    "as a list": [9999999999],
    "as an object": {"$gt": 0},
    "below zero": -1,
    "as minus infinity": float("-inf"),
    "as null": None,
    "as an empty string": "",
    "as false": False,
}


def encoded(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def payload(door: Door, **claims: Any) -> dict[str, Any]:
    now = int(time.time())
    good = {
        "serviceurl": door.far.service_url,
        "nbf": now - 300,
        "exp": now + 3600,
        "iss": "https://api.botframework.com",
        "aud": APP_ID,
    }
    return good | claims


def token(
    door: Door,
    header: dict[str, Any],
    sign: Callable[[bytes], bytes],
    body: Any = None,
) -> str:
    head = {"typ": "JWT", "kid": door.far.channel.current.kid, **header}
    signed = f"{encoded(head)}.{encoded(payload(door) if body is None else body)}"
    return f"{signed}.{encoded(sign(signed.encode()))}"


def nothing(_signed: bytes) -> bytes:
    return b""


def by_own_key(signed: bytes) -> bytes:
    return _OWN.sign(signed, padding.PKCS1v15(), hashes.SHA256())


def by_channel(door: Door) -> Callable[[bytes], bytes]:
    return lambda signed: door.far.channel.current.sign("RS256", signed)


def public(door: Door, form: str) -> bytes:
    """The channel's public key in every form that a confused verifier might take for a secret."""
    key = door.far.channel.current.private.public_key()
    if form == "jwk":
        return json.dumps(door.far.channel.current.public()).encode()
    if form == "n":
        return str(door.far.channel.current.public()["n"]).encode()
    kind = serialization.Encoding.DER if form == "der" else serialization.Encoding.PEM
    shape = (
        serialization.PublicFormat.PKCS1
        if form == "pkcs1"
        else serialization.PublicFormat.SubjectPublicKeyInfo
    )
    raw = key.public_bytes(kind, shape)
    return raw.strip() if form == "stripped" else raw


def confused(algorithm: str, form: str) -> Forge:
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]

    def forge(door: Door) -> str:
        secret = public(door, form)
        return token(door, {"alg": algorithm}, lambda s: hmac.new(secret, s, digest).digest())

    return forge


def unsigned(algorithm: Any) -> Forge:
    return lambda door: token(door, {"alg": algorithm}, nothing)


def own_jwk() -> dict[str, Any]:
    numbers = _OWN.public_key().public_numbers()
    return {
        "kty": "RSA",
        "n": encoded(numbers.n.to_bytes(256, "big")),
        "e": "AQAB",
        "kid": "mine",
        "alg": "RS256",
    }


def with_own_key(**header: Any) -> Forge:
    return lambda door: token(door, {"alg": "RS256", **header}, by_own_key)


def well_signed(header: dict[str, Any] | None = None, **claims: Any) -> Forge:
    return lambda door: token(
        door, {"alg": "RS256", **(header or {})}, by_channel(door), payload(door, **claims)
    )


def raw_parts(head: bytes, body: bytes = b"{}") -> Forge:
    return lambda _: f"{encoded(head)}.{encoded(body)}.{encoded(b'x' * 256)}"


FORGED: dict[str, Forge] = {
    **{f"none, spelled {spelled!r}": unsigned(spelled) for spelled in NONES},
    **{
        f"{algorithm} with the public key as {form}": confused(algorithm, form)
        for algorithm, form in (
            ("HS256", "pem"),
            ("HS256", "stripped"),
            ("HS256", "der"),
            ("HS256", "pkcs1"),
            ("HS256", "jwk"),
            ("HS256", "n"),
            ("HS384", "pem"),
            ("HS512", "pem"),
        )
    },
    "HS256 with an empty secret": lambda d: token(
        d, {"alg": "HS256"}, lambda s: hmac.new(b"", s, hashlib.sha256).digest()
    ),
    "PS256 by the right key": lambda d: token(
        d,
        {"alg": "PS256"},
        lambda s: d.far.channel.current.private.sign(
            s, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()
        ),
    ),
    "ES256 by a key of its own": lambda d: token(
        d, {"alg": "ES256"}, lambda s: _CURVE.sign(s, ec.ECDSA(hashes.SHA256()))
    ),
    "rs256 in small letters": lambda d: token(d, {"alg": "rs256"}, by_channel(d)),
    "a list of algorithms": lambda d: token(d, {"alg": ["RS256", "none"]}, by_channel(d)),
    "another key under the right id": with_own_key(),
    "an embedded jwk that fits": with_own_key(jwk=own_jwk(), kid="mine"),
    "an embedded jwk under the right id": with_own_key(jwk=own_jwk()),
    "an embedded x5c": with_own_key(x5c=["MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"]),
    "a jku that leads away": with_own_key(jku="https://evil.example/keys", kid="mine"),
    "a jku that leads inside": with_own_key(jku="http://169.254.169.254/latest", kid="mine"),
    "an x5u that leads away": with_own_key(x5u="https://evil.example/chain.pem"),
    "a good signature beside a jwk": well_signed({"jwk": own_jwk()}),
    "a good signature beside a jku": well_signed({"jku": "https://evil.example/keys"}),
    "a good signature beside crit": well_signed({"crit": ["b64"], "b64": False}),
    "a good signature beside an empty crit": well_signed({"crit": []}),
    "a good signature beside zip": well_signed({"zip": "DEF"}),
    "a good signature beside enc": well_signed({"enc": "A256GCM"}),
    "a kid that is a path": with_own_key(kid="../../../../dev/null"),
    "a kid that is a query": with_own_key(kid="' UNION SELECT 'key' --"),
    "a kid that is a command": with_own_key(kid="$(id)|`id`"),
    "a kid with a NUL": with_own_key(kid="key\0"),
    "a kid that is an address": with_own_key(kid="https://evil.example/key"),
    "a kid that is empty": with_own_key(kid=""),
    "a kid that is an object": with_own_key(kid={"$ne": ""}),
    "a kid that is a list": with_own_key(kid=["a"]),
    **{f"an expiry {how}": well_signed(exp=value) for how, value in EXPIRIES.items()},
    "a start as a string": well_signed(nbf="0"),
    "a start in a thousand years": well_signed(nbf=32503680000),
    "a start beyond every float": well_signed(nbf=10**400),
    "an audience that only begins right": well_signed(aud=f"{APP_ID}.evil.example"),
    "an audience with a space": well_signed(aud=f" {APP_ID}"),
    "an audience that is an object": well_signed(aud={APP_ID: APP_ID}),
    "an issuer that only begins right": well_signed(
        iss="https://api.botframework.com.evil.example"
    ),
    "an issuer that is a list": well_signed(iss=["https://api.botframework.com"]),
    "a header that is a list": raw_parts(b"[]"),
    "a header that is a string": raw_parts(b'"RS256"'),
    "a header that is no JSON": raw_parts(b"{alg:none}"),
    "a header with alg twice": raw_parts(b'{"alg":"none","alg":"RS256","kid":"x"}'),
    "a payload that is a list": lambda d: token(d, {"alg": "RS256"}, by_channel(d), [1]),
    "a payload that is nested without end": lambda d: token(
        d, {"alg": "RS256"}, by_channel(d), b'{"aud":' + b"[" * 1800 + b"]" * 1800 + b"}"
    ),
    "a payload of bytes": lambda d: token(d, {"alg": "RS256"}, by_channel(d), b"\xff\xfe\x00"),
    "a token in a token": lambda d: token(
        d, {"alg": "RS256", "cty": "JWT"}, by_channel(d), encoded({"a": 1}).encode()
    ),
    "four parts": lambda d: token(d, {"alg": "RS256"}, by_channel(d)) + ".x",
    "five parts, as if encrypted": lambda _: ".".join([encoded({"alg": "dir"}), *"abcd"]),
    "a line break inside": lambda d: d.bearer().split()[1].replace(".", ".\t", 1),
}


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened


def test_the_corpus_is_large() -> None:
    assert len(FORGED) >= 60


@pytest.mark.parametrize("what", FORGED)
async def test_a_forged_token_is_turned_away(door: Door, what: str) -> None:
    assert (await door.post())[0] == 200  # the keys are known, and one good token
    heard, fetches = len(door.echo.turns), door.far.key_fetches
    status, _ = await door.post(authorization=f"Bearer {FORGED[what](door)}")
    assert status == 401
    assert len(door.echo.turns) == heard
    assert door.far.key_fetches <= fetches + 1
    assert (await door.post())[0] == 200


async def test_a_token_of_sixteen_kilobytes_is_no_failure(door: Door) -> None:
    status, _ = await door.post(authorization="Bearer " + "e" * 16_000)
    assert status in {400, 401, 431}


@pytest.mark.parametrize("order", ["good first", "good last", "the same twice"])
async def test_two_authorization_headers_are_one_too_many(door: Door, order: str) -> None:
    good, bad = door.bearer(), f"Bearer {FORGED['another key under the right id'](door)}"
    both = {"good first": (good, bad), "good last": (bad, good), "the same twice": (good, good)}
    status = await sent_by_hand(door, both[order])
    assert status in {400, 401}
    assert not door.echo.turns


async def sent_by_hand(door: Door, authorizations: tuple[str, ...]) -> int:
    """What no client library sends."""
    parts = urlsplit(door.url)
    body = json.dumps(door.activity()).encode()
    head = [
        f"POST {parts.path} HTTP/1.1",
        f"Host: {parts.netloc}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"Authorization: {one}" for one in authorizations),
    ]
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
    status = int((await reader.readline()).split()[1])
    writer.close()
    return status
