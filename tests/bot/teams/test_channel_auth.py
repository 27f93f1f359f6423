"""Keys and tokens over time: roll-overs, floods, and a key document that cannot be read."""

import asyncio
import base64
import json
import secrets
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from bot.teams import channel_auth, channel_keys
from bot.teams.channel_auth import ChannelAuth, Forbidden, Unauthenticated
from bot.teams.channel_keys import ChannelKeys, KeysUnavailable, KeysUnreadable
from sandbox.channel import ChannelKey
from tests.bot.teams.door import Clock, Door, open_door, settings_for


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened


def stranger(door: Door) -> str:
    """A token that is right in all but its key, whose id nobody ever saw."""
    return door.bearer(key="unknown", header={"kid": secrets.token_hex(8)})


# Keys over time


async def test_a_new_key_is_known_at_once(door: Door) -> None:
    assert (await door.post())[0] == 200
    door.clock.at += channel_keys.REFETCH_S
    door.far.channel.roll_key()
    assert (await door.post())[0] == 200
    assert door.far.key_fetches == 2


async def test_a_withdrawn_key_is_refused_with_every_token_it_ever_signed(door: Door) -> None:
    old = door.bearer()
    assert (await door.post(authorization=old))[0] == 200
    door.clock.at += channel_keys.REFETCH_S
    door.far.channel.roll_key()
    assert (await door.post())[0] == 200
    assert (await door.post(authorization=old))[0] == 401


async def test_a_key_under_an_old_name_is_a_new_key(door: Door) -> None:
    old = door.bearer()
    assert (await door.post(authorization=old))[0] == 200
    kid = door.far.channel.current.kid
    door.far.channel.roll_key().kid = kid
    door.clock.at += channel_keys.REFETCH_S
    assert (await door.post(authorization=stranger(door)))[0] == 401  # brings the keys again
    assert (await door.post(authorization=old))[0] == 401
    assert (await door.post())[0] == 200


async def test_a_flood_of_unknown_keys_is_one_fetch_and_delays_nobody(door: Door) -> None:
    assert (await door.post())[0] == 200
    door.clock.at += channel_keys.REFETCH_S
    door.far.keys_slow = asyncio.Event()

    async def knock() -> set[int]:
        return {(await door.post(authorization=stranger(door)))[0] for _ in range(25)}

    flood = [asyncio.create_task(knock()) for _ in range(40)]
    while door.far.key_fetches < 2:
        await asyncio.sleep(0.01)
    async with asyncio.timeout(5):
        assert (await door.post())[0] == 200  # while the key document does not come
    door.far.keys_slow.set()
    assert set().union(*await asyncio.gather(*flood)) == {401}
    assert door.far.key_fetches == 2


async def test_fetches_in_a_long_flood_are_bounded_by_time(door: Door) -> None:
    await door.post()
    door.clock.at += channel_keys.REFETCH_S
    for _ in range(40):
        assert (await door.post(authorization=stranger(door)))[0] == 401
        door.clock.at += channel_keys.REFETCH_S / 10
    assert door.far.key_fetches == 1 + 4


async def test_a_new_key_in_the_middle_of_a_flood_is_known_within_the_bound(door: Door) -> None:
    await door.post()
    door.clock.at += channel_keys.REFETCH_S
    await door.post(authorization=stranger(door))
    door.far.channel.roll_key()
    assert (await door.post())[0] == 401  # the flood has just used this interval's fetch
    door.clock.at += channel_keys.REFETCH_S
    await door.post(authorization=stranger(door))  # whoever asks brings it
    assert (await door.post())[0] == 200
    assert door.far.key_fetches == 3


async def test_one_absent_key_does_not_use_up_the_fetches_of_others(door: Door) -> None:
    await door.post()
    door.clock.at += channel_keys.REFETCH_S
    stuck = stranger(door)
    await door.post(authorization=stuck)
    door.clock.at += channel_keys.REFETCH_S
    await door.post(authorization=stuck)
    assert door.far.key_fetches == 2
    door.far.channel.roll_key()
    assert (await door.post())[0] == 200
    door.clock.at += channel_keys.ABSENT_S
    await door.post(authorization=stuck)
    assert door.far.key_fetches == 4


async def test_what_is_remembered_of_absent_keys_is_bounded(door: Door) -> None:
    await door.post()
    keys = door.auth.keys
    for number in range(1100):
        keys._note_absent(str(number))
    assert len(keys._absent) == 1024


@pytest.mark.parametrize(
    "signing", [{"audience": "x"}, {"issuer": "x"}, {"expires_in_s": -999}, {"algorithm": "none"}]
)
async def test_a_token_that_is_wrong_anyway_starts_no_fetch(
    door: Door, signing: dict[str, Any]
) -> None:
    assert (await door.post(key="unknown", **signing))[0] == 401
    assert door.far.key_fetches == 0


async def test_many_first_callers_share_one_fetch(door: Door) -> None:
    statuses = await asyncio.gather(*(door.post() for _ in range(20)))
    assert {status for status, _ in statuses} == {200}
    assert door.far.key_fetches == 1


async def test_keys_that_were_never_readable_are_503_until_they_are(door: Door) -> None:
    door.far.keys_down = True
    async with door.session.post(
        door.url, json=door.activity(), headers={"Authorization": door.bearer()}
    ) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert (await door.post())[0] == 503
    assert door.far.key_fetches == 1  # the second did not ask again so soon
    door.far.keys_down = False
    door.clock.at += channel_keys.RETRY_S
    assert (await door.post())[0] == 200


async def test_a_key_document_that_goes_away_takes_no_key_along(door: Door) -> None:
    await door.post()
    door.far.keys_down = True
    door.clock.at += channel_keys.KEEP_S
    assert (await door.post())[0] == 200
    assert (await door.post(authorization=stranger(door)))[0] == 401
    assert (await door.post())[0] == 200


async def test_a_failed_fetch_does_not_make_a_key_absent(door: Door) -> None:
    await door.post()
    door.clock.at += channel_keys.REFETCH_S
    door.far.channel.roll_key()
    door.far.keys_down = True
    assert (await door.post())[0] == 401
    door.far.keys_down = False
    door.clock.at += channel_keys.REFETCH_S
    assert (await door.post())[0] == 200


async def test_old_keys_are_read_again_in_the_background(door: Door) -> None:
    await door.post()
    door.clock.at += channel_keys.KEEP_S
    door.far.keys_slow = asyncio.Event()
    assert (await door.post())[0] == 200  # without waiting
    while door.far.key_fetches < 2:
        await asyncio.sleep(0.01)
    door.far.keys_slow.set()
    await door.post()
    assert door.far.key_fetches == 2


async def test_keys_can_be_read_before_the_first_caller(door: Door) -> None:
    await door.auth.keys.warm()
    await door.auth.keys.warm()
    await door.post()
    assert door.far.key_fetches == 1


async def test_closing_gives_up_a_fetch_under_way(door: Door) -> None:
    door.far.keys_slow = asyncio.Event()
    waiting = asyncio.create_task(door.auth.keys.warm())
    while not door.far.key_fetches:
        await asyncio.sleep(0.01)
    await door.auth.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    door.far.keys_slow.set()


# The key document


def _keys(address: str = "https://channel.example", **settings: Any) -> ChannelKeys:
    values = settings_for(address, **settings)
    return ChannelKeys(values, session=None, tick=Clock(0.0))  # type: ignore[arg-type]


@pytest.mark.parametrize("url", [None, 5, "", "keys", "http://keys.example/keys", "ftp://a/b"])
def test_keys_are_read_over_https_alone_in_production(url: Any) -> None:
    keys = _keys(environment="production")
    with pytest.raises(KeysUnreadable):
        keys._keys_url({"jwks_uri": url})
    assert keys._keys_url({"jwks_uri": "https://keys.example/keys"})


@pytest.mark.parametrize("url", ["http://[", "nowhere", 7])
async def test_a_broken_address_of_the_keys_is_503_and_not_500(door: Door, url: Any) -> None:
    door.far.metadata = {"jwks_uri": url}
    assert (await door.post())[0] == 503


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": [1, {"kty": "RSA"}]}',
        b"\xff",
    ],
)
async def test_a_document_without_a_usable_key_is_not_believed(
    door: Door, document: bytes, aiohttp_answer: Any
) -> None:
    url = await aiohttp_answer(document)
    door.far.metadata = {"jwks_uri": url}
    assert (await door.post())[0] == 503


@pytest.fixture
async def aiohttp_answer() -> AsyncIterator[Any]:
    """Serves given bytes at an address."""
    servers: list[asyncio.Server] = []

    async def serve(body: bytes) -> str:
        async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body)
            await writer.drain()
            writer.close()

        servers.append(await asyncio.start_server(speak, "127.0.0.1", 0))
        return f"http://127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}/keys"

    yield serve
    for server in servers:
        server.close()
        await server.wait_closed()


async def test_a_document_without_end_is_cut_off(door: Door, aiohttp_answer: Any) -> None:
    door.far.metadata = {"jwks_uri": await aiohttp_answer(b" " * (2 * 1024 * 1024))}
    assert (await door.post())[0] == 503


def _public(bits: int = 2048, **changes: Any) -> dict[str, Any]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    key = RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    return {**key, "kid": "k", "use": "sig", "endorsements": ["msteams"], **changes}


def test_only_public_rsa_signing_keys_of_a_decent_size_are_trusted() -> None:
    good = _public()
    assert channel_keys._parse_key(good, {}) is not None
    for change in (
        {"kty": "EC"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"use": "enc"},
        {"alg": "RS512"},
        {"kid": None},
        {"kid": 5},
        {"d": "AQAB"},
        {"endorsements": "msteams"},
        {"n": "!"},
        {"n": 5},
    ):
        assert channel_keys._parse_key({**good, **change}, {}) is None, change
    assert channel_keys._parse_key(_public(1024), {}) is None


def test_a_key_that_did_not_change_is_parsed_once() -> None:
    item = _public()
    first = channel_keys._parse_key(item, {})
    assert first is not None
    assert channel_keys._parse_key(dict(item), {"k": first}) is first
    assert channel_keys._parse_key({**item, "endorsements": []}, {"k": first}) is not first


# Tokens over time


async def test_a_remembered_token_ends_when_it_expires() -> None:
    now = Clock(time.time())
    async with open_door(now=now) as door:
        bearer = door.bearer(expires_in_s=60)
        assert (await door.post(authorization=bearer))[0] == 200
        now.at += 60 + channel_auth.LEEWAY_S - 2
        assert (await door.post(authorization=bearer))[0] == 200
        now.at += 3
        assert (await door.post(authorization=bearer))[0] == 401


async def test_a_remembered_token_is_checked_against_each_activity(door: Door) -> None:
    bearer = door.bearer()
    assert (await door.post(authorization=bearer))[0] == 200
    elsewhere = door.activity(serviceUrl="https://evil.example/")
    assert (await door.post(elsewhere, authorization=bearer))[0] == 403
    assert (await door.post(door.activity(channelId="skype"), authorization=bearer))[0] == 403


async def test_a_remembered_token_with_another_signature_is_not_remembered(door: Door) -> None:
    bearer = door.bearer()
    assert (await door.post(authorization=bearer))[0] == 200
    assert (await door.post(authorization=bearer[:-8] + "AAAAAAAA"))[0] == 401


async def test_remembered_tokens_are_bounded(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_auth, "_REMEMBERED_TOKENS", 2)
    for number in range(4):
        await door.auth.authenticate(door.bearer(claims={"jti": str(number)}))
    assert len(door.auth._verified) == 2


async def test_an_endorsement_that_is_taken_away_counts_at_once(door: Door) -> None:
    bearer = door.bearer()
    assert (await door.post(authorization=bearer))[0] == 200
    door.far.channel.current.endorsements = ("webchat",)
    door.clock.at += channel_keys.REFETCH_S
    await door.post(authorization=stranger(door))
    assert (await door.post(authorization=bearer))[0] == 403


async def test_verify_tells_errors_apart(door: Door) -> None:
    claims = await door.auth.verify(door.bearer(), door.activity())
    assert claims.service_url == door.far.service_url
    assert claims.values["iss"] == "https://api.botframework.com"
    with pytest.raises(Unauthenticated) as unauthenticated:
        await door.auth.verify(None, door.activity())
    assert (unauthenticated.value.status, unauthenticated.value.reason) == (401, "no_token")
    with pytest.raises(Forbidden) as forbidden:
        await door.auth.verify(door.bearer(), {})
    assert (forbidden.value.status, forbidden.value.reason) == (403, "channel")


async def test_nobody_is_recognized_while_the_channel_cannot_be_reached() -> None:
    async with aiohttp.ClientSession() as session:
        auth = ChannelAuth(settings_for("http://127.0.0.1:1"), session)
        head = {"alg": "RS256", "kid": ChannelKey("channel-0").kid}
        claims = {
            "iss": "https://api.botframework.com",
            "aud": settings_for("http://127.0.0.1:1").microsoft_app_id,
            "exp": time.time() + 60,
            "serviceurl": "http://127.0.0.1:1",
        }
        parts = [
            base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in (head, claims)
        ]
        with pytest.raises(KeysUnavailable):
            await auth.authenticate("Bearer " + b".".join([*parts, b"c2ln"]).decode())
