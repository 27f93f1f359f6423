"""What the Entra stand-in refuses, with the number that Entra gives."""

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox.entra import Entra
from sandbox.entra_consent import BadRequest

REDIRECT = "http://localhost:8700/auth/end"
VERIFIER = "v" * 60
CHALLENGE = "NeXgPm-CVJuFkX674guN_H_1w2B5Ks8R8EehiO9HwIU"
Asker = Callable[..., Awaitable[tuple[int, Any]]]


@pytest.fixture
def ask(entra: Entra, session: aiohttp.ClientSession) -> Asker:
    """POST a good on-behalf-of request, changed; a change to None leaves the field out."""

    async def post(tenant: str = "", **changes: str | None) -> tuple[int, Any]:
        world = entra.world
        form = {
            "client_id": world.app_id,
            "client_secret": world.app_secret,
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "requested_token_use": "on_behalf_of",
            "assertion": entra.sso_token(world.named("Adele")),
            "scope": "openid offline_access TeamsActivity.Send",
        } | changes
        address = f"{entra.url}/{tenant or world.tenant_id}/oauth2/v2.0/token"
        data = {name: value for name, value in form.items() if value is not None}
        async with session.post(address, data=data) as answer:
            return answer.status, await answer.json()

    return post


def authorize(entra: Entra, **changes: str | None) -> str:
    query = {
        "client_id": entra.world.app_id,
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": "openid offline_access TeamsActivity.Send",
        "state": "s1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    } | changes
    kept = {name: value for name, value in query.items() if value is not None}
    return f"{entra.url}/{entra.world.tenant_id}/oauth2/v2.0/authorize?{urlencode(kept)}"


def code_of(entra: Entra, name: str = "Adele") -> str:
    location = entra.sign_in(authorize(entra), entra.world.named(name))
    return dict(parse_qsl(urlsplit(location).query))["code"]


OTHER_TENANT = "11111111-2222-4333-8444-555555555555"
BAD = [
    pytest.param({"tenant": OTHER_TENANT}, 400, 90002, id="a tenant that does not exist"),
    pytest.param({"grant_type": None}, 400, 900144, id="no grant"),
    pytest.param({"grant_type": "password"}, 400, 70003, id="a password"),
    pytest.param({"client_id": OTHER_TENANT}, 400, 700016, id="an unknown application"),
    pytest.param({"client_secret": "guess"}, 401, 7000215, id="a wrong secret"),
    pytest.param({"client_secret": None}, 401, 7000218, id="no secret"),
    pytest.param({"requested_token_use": None}, 400, 900144, id="no requested_token_use"),
    pytest.param({"assertion": None}, 400, 900144, id="no assertion"),
    pytest.param({"assertion": "abc"}, 400, 50027, id="an assertion that is no token"),
    pytest.param({"scope": None}, 400, 900144, id="no scope"),
    pytest.param({"scope": "Mail.Everything"}, 400, 70011, id="a scope that does not exist"),
    pytest.param(
        {"scope": "https://other.example/TeamsActivity.Send"}, 400, 70011, id="another resource"
    ),
    pytest.param(
        {"grant_type": "authorization_code", "code": "abc"}, 400, 9002313, id="an unknown code"
    ),
    pytest.param(
        {"grant_type": "refresh_token", "refresh_token": "abc"},
        400,
        9002313,
        id="an unknown refresh token",
    ),
    pytest.param(
        {"grant_type": "client_credentials", "scope": "TeamsActivity.Send"},
        400,
        1002012,
        id="client credentials with a delegated scope",
    ),
]


@pytest.mark.parametrize(("changes", "status", "code"), BAD)
async def test_a_wrong_token_request_is_refused_in_entras_shape(
    ask: Asker, entra: Entra, changes: dict[str, Any], status: int, code: int
) -> None:
    got, body = await ask(**changes)

    assert got == status
    assert body["error_codes"] == [code]
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert {"error", "timestamp", "trace_id", "correlation_id"} <= set(body)
    assert (entra.requests[-1].status, entra.requests[-1].code) == (status, code)


ASSERTIONS = [
    pytest.param({"aud": "api://other"}, 500131, id="for another audience"),
    pytest.param({"life_s": -3600}, 500133, id="expired"),
    pytest.param({"iss": "https://sts.example/x"}, 50013, id="from another issuer"),
    pytest.param({"tid": OTHER_TENANT}, 50013, id="of another tenant"),
    pytest.param({"oid": OTHER_TENANT}, 50034, id="of somebody who does not exist"),
]


@pytest.mark.parametrize(("changes", "code"), ASSERTIONS)
async def test_a_wrong_assertion_is_refused(
    ask: Asker, entra: Entra, changes: dict[str, Any], code: int
) -> None:
    token = entra.sso_token(entra.world.named("Adele"), **changes)

    status, body = await ask(assertion=token)

    assert (status, body["error"], body["error_codes"]) == (400, "invalid_grant", [code])


async def test_an_assertion_with_another_signature_is_refused(ask: Asker, entra: Entra) -> None:
    claims = jwt.decode(
        entra.sso_token(entra.world.named("Adele")), options={"verify_signature": False}
    )
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    _, body = await ask(assertion=jwt.encode(claims, key, algorithm="RS256"))

    assert body["error_codes"] == [50013]


async def test_a_graph_token_is_no_assertion(ask: Asker, entra: Entra) -> None:
    token = entra.tokens.graph_token(entra.world.named("Adele"), ["TeamsActivity.Send"])

    assert (await ask(assertion=token))[1]["error_codes"] == [500131]


async def test_a_missing_consent_asks_for_it(ask: Asker, entra: Entra) -> None:
    entra.world.tenant_consents.discard("VirtualAppointmentNotification.Send")

    status, body = await ask(scope="VirtualAppointmentNotification.Send")

    assert (status, body["error"], body["error_codes"]) == (400, "invalid_grant", [65001])
    assert body["suberror"] == "consent_required"


async def test_a_code_is_redeemed_once(ask: Asker, entra: Entra) -> None:
    code = {"grant_type": "authorization_code", "code": code_of(entra), "redirect_uri": REDIRECT}

    first = await ask(**code, code_verifier=VERIFIER)
    second = await ask(**code, code_verifier=VERIFIER)

    assert first[0] == 200
    assert second[1]["error_codes"] == [54005]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"code_verifier": "w" * 60}, 501481, id="another verifier"),
        pytest.param({"code_verifier": None}, 501481, id="no verifier"),
        pytest.param({"redirect_uri": REDIRECT + "/x"}, 500112, id="another reply address"),
    ],
)
async def test_a_code_in_other_hands_is_refused_and_spent(
    ask: Asker, entra: Entra, changes: dict[str, Any], code: int
) -> None:
    form = {
        "grant_type": "authorization_code",
        "code": code_of(entra),
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    }

    refused = await ask(**(form | changes))
    again = await ask(**form)

    assert refused[1]["error_codes"] == [code]
    assert again[1]["error_codes"] == [54005]


async def test_a_code_expires(ask: Asker, entra: Entra) -> None:
    code, then = code_of(entra), entra.world.now()
    entra.world.now = lambda: then + timedelta(minutes=11)

    _, body = await ask(
        grant_type="authorization_code",
        code=code,
        redirect_uri=REDIRECT,
        code_verifier=VERIFIER,
    )

    assert body["error_codes"] == [70008]


async def test_the_scopes_come_back_in_the_form_they_were_asked_in(ask: Asker) -> None:
    _, short = await ask(scope="openid offline_access TeamsActivity.Send")
    _, full = await ask(scope="https://graph.microsoft.com/TeamsActivity.Send")
    _, all_of_it = await ask(scope="https://graph.microsoft.com/.default")

    assert short["scope"] == "openid TeamsActivity.Send"
    assert full["scope"] == "https://graph.microsoft.com/TeamsActivity.Send"
    assert "https://graph.microsoft.com/Calendars.Read" in all_of_it["scope"].split()
    claims = jwt.decode(all_of_it["access_token"], options={"verify_signature": False})
    assert "Calendars.Read" in claims["scp"].split()


async def test_entra_may_be_down(entra: Entra, ask: Asker) -> None:
    entra.world.faults.entra_down = True

    assert (await ask())[0] == 503


async def test_the_form_must_be_a_form(entra: Entra, session: aiohttp.ClientSession) -> None:
    address = f"{entra.url}/{entra.world.tenant_id}/oauth2/v2.0/token"
    async with session.post(address, json={"grant_type": "refresh_token"}) as answer:
        assert answer.status == 400


async def test_the_keys_that_are_published_check_every_token(
    entra: Entra, session: aiohttp.ClientSession
) -> None:
    tenant = entra.world.tenant_id
    address = f"{entra.url}/{tenant}/v2.0/.well-known/openid-configuration"
    async with session.get(address) as answer:
        configuration = await answer.json()
    async with session.get(configuration["jwks_uri"]) as answer:
        keys = jwt.PyJWKSet.from_dict(await answer.json())
    token = entra.sso_token(entra.world.named("Adele"))
    key = keys[jwt.get_unverified_header(token)["kid"]]

    claims = jwt.decode(
        token,
        key,
        algorithms=["RS256"],
        audience=entra.world.app_id,
        issuer=configuration["issuer"],
    )

    assert claims["scp"] == "access_as_user"
    assert claims["exp"] > time.time()


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"client_id": OTHER_TENANT}, id="another application"),
        pytest.param({"redirect_uri": "https://evil.example/auth/end"}, id="a foreign address"),
        pytest.param({"redirect_uri": None}, id="no address"),
        pytest.param({"response_type": "token"}, id="a token at once"),
        pytest.param({"code_challenge": None}, id="no PKCE"),
        pytest.param({"code_challenge_method": "plain"}, id="PKCE in the clear"),
        pytest.param({"scope": "Mail.Everything"}, id="an unknown scope"),
        pytest.param({"scope": None}, id="no scope"),
        pytest.param({"response_mode": "fragment"}, id="an answer in the fragment"),
    ],
)
async def test_a_wrong_authorization_request_stays_on_the_page(
    entra: Entra, session: aiohttp.ClientSession, changes: dict[str, Any]
) -> None:
    address = authorize(entra, **changes)

    async with session.get(address, allow_redirects=False) as answer:
        assert answer.status == 400
        assert "AADSTS" in await answer.text()
    with pytest.raises(BadRequest):
        entra.sign_in(address, entra.world.named("Adele"))


async def test_registered_reply_addresses_are_the_only_ones(entra: Entra) -> None:
    entra.world.redirect_uris = {"https://herald.example/auth/end"}
    adele = entra.world.named("Adele")

    with pytest.raises(BadRequest):
        entra.sign_in(authorize(entra), adele)
    assert entra.sign_in(
        authorize(entra, redirect_uri="https://herald.example/auth/end"), adele
    ).startswith("https://herald.example/auth/end?code=")
