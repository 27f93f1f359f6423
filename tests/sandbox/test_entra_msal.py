"""MSAL, as the product uses it, against the Entra stand-in."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import msal
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from sandbox.entra import Entra
from sandbox.world import World

NOTIFY = ["TeamsActivity.Send", "TeamsAppInstallation.ReadForUser", "User.ReadBasic.All"]
REDIRECT = "http://localhost:8700/auth/end"


@pytest.fixture(autouse=True)
def _trust_the_sandbox(monkeypatch: pytest.MonkeyPatch, ca_file: Path) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca_file))


class App:
    """One MSAL application, called in threads as the product does."""

    def __init__(self, entra: Entra, credential: Any = None, tenant: str = "") -> None:
        self.cache = msal.SerializableTokenCache()
        self._entra = entra
        self._credential = credential or entra.world.app_secret
        self._tenant = tenant or entra.world.tenant_id
        self._app: msal.ConfidentialClientApplication | None = None

    async def call(self, name: str, *args: Any, **more: Any) -> Any:
        return await asyncio.to_thread(self._call, name, *args, **more)

    def _call(self, name: str, *args: Any, **more: Any) -> Any:
        if self._app is None:
            self._app = msal.ConfidentialClientApplication(
                self._entra.world.app_id,
                client_credential=self._credential,
                authority=f"{self._entra.url}/{self._tenant}",
                instance_discovery=False,
                token_cache=self.cache,
            )
        return getattr(self._app, name)(*args, **more)

    async def silent(self, scopes: list[str], **more: Any) -> Any:
        account = (await self.call("get_accounts"))[0]
        return await self.call("acquire_token_silent_with_error", scopes, account=account, **more)


def claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def refresh_tokens(app: App) -> list[Any]:
    return list(app.cache.search(msal.TokenCache.CredentialType.REFRESH_TOKEN))


async def test_on_behalf_of_gives_a_delegated_token_an_account_and_a_refresh_token(
    world: World, entra: Entra
) -> None:
    adele, app = world.named("Adele"), App(entra)

    result = await app.call("acquire_token_on_behalf_of", entra.sso_token(adele), NOTIFY)

    token = claims(result["access_token"])
    assert (token["oid"], token["tid"]) == (adele.id, adele.tenant_id)
    assert token["aud"] == "https://graph.microsoft.com"
    assert set(token["scp"].split()) == set(NOTIFY)
    assert token["exp"] - token["iat"] == 4500
    assert result["id_token_claims"]["preferred_username"] == adele.mail
    account = (await app.call("get_accounts"))[0]
    assert account["home_account_id"] == f"{adele.id}.{adele.tenant_id}"
    assert refresh_tokens(app)


async def test_a_cached_token_is_given_without_asking_until_a_renewal_is_forced(
    world: World, entra: Entra
) -> None:
    app = App(entra)
    first = await app.call(
        "acquire_token_on_behalf_of", entra.sso_token(world.named("Adele")), NOTIFY
    )
    asked = len(entra.requests)

    again = await app.silent(NOTIFY)
    assert again["access_token"] == first["access_token"]
    assert len(entra.requests) == asked

    forced = await app.silent(NOTIFY, force_refresh=True)
    assert forced["access_token"] != first["access_token"]
    assert entra.requests[-1].grant == "refresh_token"


async def test_another_process_gets_other_consented_scopes_from_the_same_cache(
    world: World, entra: Entra
) -> None:
    first, second = App(entra), App(entra)
    await first.call("acquire_token_on_behalf_of", entra.sso_token(world.named("Adele")), NOTIFY)
    second.cache.deserialize(first.cache.serialize())

    result = await second.silent(["Calendars.Read", "OnlineMeetings.Read"])

    assert set(claims(result["access_token"])["scp"].split()) == {
        "Calendars.Read",
        "OnlineMeetings.Read",
    }


async def test_scopes_without_consent_are_refused_with_65001(world: World, entra: Entra) -> None:
    lee, app = world.named("Lee"), App(entra)
    lee.consents.clear()

    result = await app.call("acquire_token_on_behalf_of", entra.sso_token(lee), NOTIFY)

    assert result["error"] == "invalid_grant"
    assert result["error_codes"] == [65001]
    assert result["suberror"] == "consent_required"
    assert entra.requests[-1].code == 65001


async def test_a_later_wish_without_consent_is_refused_and_the_old_one_still_works(
    world: World, entra: Entra
) -> None:
    world.tenant_consents.discard("VirtualAppointmentNotification.Send")
    app = App(entra)
    await app.call("acquire_token_on_behalf_of", entra.sso_token(world.named("Adele")), NOTIFY)

    refused = await app.silent(["VirtualAppointmentNotification.Send"])
    kept = await app.silent(NOTIFY, force_refresh=True)

    assert refused["error_codes"] == [65001]
    assert "access_token" in kept


async def test_without_offline_access_no_refresh_token_is_given(world: World, entra: Entra) -> None:
    adele, app = world.named("Adele"), App(entra)
    adele.consents.discard("offline_access")

    result = await app.call("acquire_token_on_behalf_of", entra.sso_token(adele), NOTIFY)

    assert "access_token" in result
    assert not refresh_tokens(app)


async def test_a_revoked_person_has_to_sign_in_again(world: World, entra: Entra) -> None:
    adele, app = world.named("Adele"), App(entra)
    await app.call("acquire_token_on_behalf_of", entra.sso_token(adele), NOTIFY)
    entra.revoke(adele)

    result = await app.silent(NOTIFY, force_refresh=True)

    assert result["error"] == "invalid_grant"
    assert result["error_codes"] == [50173]


async def test_the_tenants_policy_makes_every_token_short(world: World, entra: Entra) -> None:
    world.faults.short_tokens = True
    app = App(entra)

    result = await app.call(
        "acquire_token_on_behalf_of", entra.sso_token(world.named("Adele")), NOTIFY
    )

    assert result["expires_in"] == 1800
    token = claims(result["access_token"])
    assert token["exp"] - token["iat"] == 1800


async def test_the_code_flow_with_pkce_signs_in_and_keeps_the_consent(
    world: World, entra: Entra
) -> None:
    lee, app = world.named("Lee"), App(entra)
    lee.consents.clear()
    flow = await app.call(
        "initiate_auth_code_flow",
        NOTIFY,
        redirect_uri=REDIRECT,
        login_hint=lee.mail,
        response_mode="form_post",
    )

    location = entra.sign_in(flow["auth_uri"], lee)
    back = dict(parse_qsl(urlsplit(location).query))
    result = await app.call("acquire_token_by_auth_code_flow", flow, back)

    assert location.startswith(f"{REDIRECT}?")
    assert result["id_token_claims"]["oid"] == lee.id
    assert set(NOTIFY) < lee.consents
    assert "offline_access" in lee.consents
    assert refresh_tokens(app)


async def test_declining_gives_the_application_access_denied(world: World, entra: Entra) -> None:
    lee, app = world.named("Lee"), App(entra)
    lee.consents.clear()
    flow = await app.call(
        "initiate_auth_code_flow", NOTIFY, redirect_uri=REDIRECT, response_mode="form_post"
    )

    back = dict(parse_qsl(urlsplit(entra.sign_in(flow["auth_uri"], lee, accept=False)).query))
    result = await app.call("acquire_token_by_auth_code_flow", flow, back)

    assert result["error"] == "access_denied"
    assert not lee.consents


async def test_client_credentials_by_secret_are_for_the_bot_connector(
    world: World, entra: Entra
) -> None:
    app = App(entra)

    result = await app.call("acquire_token_for_client", ["https://api.botframework.com/.default"])

    token = claims(result["access_token"])
    assert token["aud"] == "https://api.botframework.com"
    assert token["appid"] == world.app_id
    assert "scp" not in token


async def test_client_credentials_by_certificate_need_the_certificate_to_be_registered(
    entra: Entra, authority: trustme.CA
) -> None:
    leaf = authority.issue_cert("herald", key_type=trustme.KeyType.RSA)
    pem = leaf.cert_chain_pems[0].bytes()
    digest = x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex()
    credential = {
        "private_key": leaf.private_key_pem.bytes().decode(),
        "public_certificate": pem.decode(),
        "thumbprint": digest,
    }
    scopes = ["https://api.botframework.com/.default"]

    refused = await App(entra, credential).call("acquire_token_for_client", scopes)
    entra.register_certificate(pem)
    given = await App(entra, credential).call("acquire_token_for_client", scopes)

    assert refused["error"] == "invalid_client"
    assert refused["error_codes"] == [700027]
    assert "access_token" in given


async def test_a_multi_tenant_bot_asks_the_bot_frameworks_own_tenant(entra: Entra) -> None:
    app = App(entra, tenant="botframework.com")

    result = await app.call("acquire_token_for_client", ["https://api.botframework.com/.default"])

    assert "access_token" in result
