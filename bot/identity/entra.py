"""Asking Entra for tokens, through MSAL and off the event loop.

MSAL is synchronous, so every request runs in a thread of a small pool. Two of its habits are
worked around here, both seen in its 1.39:

- Its client remembers refusals: any 400 for a minute, any 429 or 5xx for five seconds under a key
  that ignores the on-behalf-of assertion, so that one person's outage would be served to others and
  an approval would go unnoticed. Each request therefore gets an application object, and with it a
  memory, of its own.
- Its connection has no time-out of its own choosing, and keeps cookies.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any, TypeVar

import msal
import requests
from msal.exceptions import MsalError
from requests.adapters import HTTPAdapter

from bot import metrics
from bot.actor import Actor
from bot.errors import EntraUnavailable, IdentityError, SettingsError, SignInExpired, SignInNeeded
from bot.identity import challenge
from bot.identity.permissions import SIGN_IN
from bot.identity.refusals import meaning_of
from bot.settings import Settings

_THREADS = 8
_DISCOVERY_LIFE_S = 24 * 3600
_MULTI_TENANT_BOTS = "botframework.com"

_PEM = re.compile(r"(-----BEGIN ([A-Z ]+)-----.+?-----END \2-----)", re.DOTALL)
# RuntimeError and ValueError: what MSAL makes of an answer that is not what it should be.
_OUTAGES = (requests.RequestException, MsalError, OSError, RuntimeError, ValueError)

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Grant:
    """What Entra gave: a MSAL cache of these tokens alone (JSON), and who they are for."""

    text: str = field(repr=False)
    claims: Mapping[str, Any] = field(repr=False)  # of the id token

    def is_for(self, actor: Actor) -> bool:
        """Whether the id token names this person; a grant without one is nobody's."""
        named = (str(self.claims.get(claim, "")).lower() for claim in ("tid", "oid"))
        return tuple(named) == actor


@dataclass(frozen=True)
class CodeFlow:
    """One authorization code and what proves that it is ours to redeem."""

    code: str = field(repr=False)
    verifier: str = field(repr=False)  # PKCE, RFC 7636
    nonce: str = field(repr=False)  # the authorize request carried its SHA-256, in hex
    redirect_uri: str
    scopes: tuple[str, ...]
    claims: str = ""  # the claims challenge that the authorize request carried


class Entra:
    """Token requests of one Entra application.

    Every method raises `EntraUnavailable`, or what `bot.identity.refusals` makes of a refusal.
    `timeout_s` counts for connecting and for each answer.
    """

    def __init__(self, settings: Settings, *, timeout_s: float = 10.0) -> None:
        self._settings = settings
        self._credential = _credential(settings)
        self._http = _Http(timeout_s)
        self._people = ThreadPoolExecutor(_THREADS, "entra")
        # The bot's own token must not queue behind people's.
        self._bot = ThreadPoolExecutor(1, "entra-bot")

    async def on_behalf_of(
        self, tenant_id: str, assertion: str, scopes: Sequence[str], claims: str = ""
    ) -> Grant:
        """Exchange a token that Teams got for this application (RFC 7523, on-behalf-of).

        `claims` is a claims challenge that the new token has to answer, as JSON.
        """

        def ask() -> Grant:
            cache = msal.SerializableTokenCache()
            app = self._app(tenant_id, cache)
            result = app.acquire_token_on_behalf_of(
                assertion, list(scopes), claims_challenge=claims or None
            )
            return _grant(result, cache, scopes)

        return await self._in(self._people, "on_behalf_of", ask)

    async def redeem(self, tenant_id: str, flow: CodeFlow) -> Grant:
        """Redeem the authorization code of a consent pop-up."""
        state = "checked before"  # MSAL compares it once more; ours was taken from the database
        known = {
            "state": state,
            "redirect_uri": flow.redirect_uri,
            "scope": [*flow.scopes, *SIGN_IN],
            "code_verifier": flow.verifier,
            "nonce": flow.nonce,
            "claims_challenge": flow.claims or None,
        }

        def ask() -> Grant:
            cache = msal.SerializableTokenCache()
            app = self._app(tenant_id, cache)
            came = {"code": flow.code, "state": state}
            try:
                result = app.acquire_token_by_auth_code_flow(known, came)
            except RuntimeError:  # MSAL: the id token's nonce is not the one that was sent
                raise SignInExpired("nonce") from None
            return _grant(result, cache, flow.scopes)

        return await self._in(self._people, "code", ask)

    async def renew(self, actor: Actor, text: str, scopes: Sequence[str]) -> str:
        """Get a new access token with the refresh token in this MSAL cache; the cache after it.

        A claims challenge in the cache is passed on.
        """

        def ask() -> str:
            cache = msal.SerializableTokenCache()
            cache.deserialize(text)
            app = self._app(actor.tenant_id, cache)
            account = _account_of(actor, app.get_accounts())
            result = app.acquire_token_silent_with_error(
                list(scopes),
                account,
                force_refresh=True,
                claims_challenge=challenge.of_cache(text) or None,
            )
            if result is None:
                raise SignInNeeded("no refresh token is kept")
            if "access_token" not in result:
                raise meaning_of(result, scopes)
            return str(cache.serialize())

        return await self._in(self._people, "refresh", ask)

    async def bot_token(self) -> tuple[str, float]:
        """The application's own token for `BOT_TOKEN_SCOPE`, and the seconds that it lives."""
        settings = self._settings
        single = settings.microsoft_app_type == "SingleTenant"
        tenant = settings.microsoft_app_tenant_id if single else _MULTI_TENANT_BOTS

        def ask() -> tuple[str, float]:
            app = self._app(tenant, msal.SerializableTokenCache())
            result = app.acquire_token_for_client([settings.bot_token_scope])
            if "access_token" not in result:
                raise meaning_of(result, ())
            return result["access_token"], float(result["expires_in"])

        return await self._in(self._bot, "bot", ask)

    def close(self) -> None:
        """Stop the threads once their requests have ended, and close the connections."""
        self._people.shutdown(wait=False, cancel_futures=True)
        self._bot.shutdown(wait=False, cancel_futures=True)
        self._http.end()

    def _app(self, tenant: str, cache: Any) -> Any:
        return msal.ConfidentialClientApplication(
            self._settings.microsoft_app_id,
            authority=f"{self._settings.entra_authority}/{tenant}",
            client_credential=self._credential,
            token_cache=cache,
            http_client=self._http,
            http_cache={},
            # The authority is the administrator's setting, not something that a request named:
            # Microsoft need not be asked whether it exists.
            instance_discovery=False,
            client_capabilities=list(challenge.CAPABILITIES),
        )

    async def _in(self, pool: ThreadPoolExecutor, grant: str, ask: Callable[[], _T]) -> _T:
        outcome = "failed"
        try:
            got = await asyncio.get_running_loop().run_in_executor(pool, _guarded, ask)
            outcome = "given"
        except IdentityError as error:
            outcome = type(error).__name__
            raise
        else:
            return got
        finally:
            metrics.TOKENS.labels(grant, outcome).inc()


def _guarded(ask: Callable[[], _T]) -> _T:
    try:
        return ask()
    except _OUTAGES as error:
        # The text of these can quote addresses and answers; their class says enough.
        _log.warning("Entra did not answer: %s", type(error).__name__)
        raise EntraUnavailable(type(error).__name__) from None


def _grant(result: Mapping[str, Any], cache: Any, scopes: Sequence[str]) -> Grant:
    if "access_token" not in result:
        raise meaning_of(result, scopes)
    return Grant(str(cache.serialize()), result.get("id_token_claims") or {})


def _account_of(actor: Actor, accounts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    for account in accounts:
        if str(account.get("local_account_id", "")).lower() == actor.user_id:
            return account
    raise SignInNeeded("nobody is signed in")


class _Http:
    """The connection that every MSAL application here shares.

    Remembers the OpenID configuration of each tenant for a day, and nothing else.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._session = requests.Session()
        self._session.mount("https://", HTTPAdapter(pool_maxsize=_THREADS + 1))
        # A cookie that Entra sets for one person must not travel with the next one's request.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._documents: dict[str, tuple[float, requests.Response]] = {}

    def get(self, url: str, **options: Any) -> requests.Response:
        kept = self._documents.get(url)
        if kept and time.monotonic() - kept[0] < _DISCOVERY_LIFE_S:
            return kept[1]
        answer = self._session.get(
            url, timeout=self._timeout_s, **{"allow_redirects": False, **options}
        )
        if answer.status_code == 200 and url.endswith("/.well-known/openid-configuration"):
            self._documents[url] = (time.monotonic(), answer)
        return answer

    def post(self, url: str, **options: Any) -> requests.Response:
        options["allow_redirects"] = False  # what is posted here holds secrets
        answer = self._session.post(url, timeout=self._timeout_s, **options)
        if answer.status_code == 429 or answer.status_code >= 500:
            raise requests.HTTPError(f"status {answer.status_code}")
        return answer

    def close(self) -> None:
        """MSAL may close its client; this one outlives its applications."""

    def end(self) -> None:
        self._session.close()


def _credential(settings: Settings) -> Any:
    if settings.microsoft_app_certificate:
        return _certificate(settings.microsoft_app_certificate)
    assert settings.microsoft_app_password  # noqa: S101  settings refuse to have neither
    return settings.microsoft_app_password.get_secret_value()


def _certificate(path: Path) -> dict[str, str]:
    """A PEM file with a private key and its certificate, in either order, as MSAL takes them."""
    try:
        text = path.read_text("ascii")
    except (OSError, ValueError):
        raise SettingsError(f"MICROSOFT_APP_CERTIFICATE can't be read: {path}") from None
    blocks = {kind: block for block, kind in _PEM.findall(text)}
    key = next((blocks[kind] for kind in blocks if kind.endswith("PRIVATE KEY")), None)
    certificate = blocks.get("CERTIFICATE")
    if not key or not certificate:
        raise SettingsError(
            "MICROSOFT_APP_CERTIFICATE must be a PEM file with a private key and its certificate"
        )
    return {"private_key": key, "public_certificate": certificate}
