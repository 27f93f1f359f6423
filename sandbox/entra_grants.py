"""The token endpoint of the Entra stand-in: four grants, and a record of every request."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sandbox import entra_refusals as refusals
from sandbox.entra_challenges import Challenges
from sandbox.entra_clients import Clients
from sandbox.entra_permissions import (
    GRAPH,
    OPENID_SCOPES,
    UnknownScope,
    read_scopes,
)
from sandbox.entra_tokens import BadToken, Tokens, client_info
from sandbox.registration import Registration
from sandbox.world import Person, World

BOT_RESOURCE = "https://api.botframework.com"
BOT_TENANTS = {"botframework.com", "d6d49420-f39b-4df7-a1dc-d59a935871db"}
ON_BEHALF_OF = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CODE_LIFE = timedelta(minutes=10)

Form = Mapping[str, str]
Answer = dict[str, Any]


@dataclass(frozen=True)
class TokenRequest:
    """One request to the token endpoint and how it ended; never a token or a secret.

    `error` is empty when a token was given; `code` is then 0, else Entra's number (65001, …).
    """

    path: str
    grant: str
    scopes: tuple[str, ...]  # as they were asked for
    status: int
    error: str = ""
    code: int = 0
    person_id: str = ""


@dataclass
class Code:
    """An authorization code: what its one use will be held against."""

    person_id: str
    tenant: str
    redirect_uri: str
    challenge: str
    nonce: str
    scope: str
    at: datetime
    claims: str = ""  # the claims request of the authorize request
    used: bool = False


@dataclass
class Refresh:
    """A refresh token. Entra leaves the old one valid when it gives a new one."""

    person_id: str
    scope: str
    revoked: bool = False
    met: str = ""  # the claims challenge that its sign-in answered


class Grants:
    """Gives tokens for client credentials, on-behalf-of, authorization codes and refresh tokens.

    A delegated access token carries the permissions that were asked for and no others: the least
    that Entra may give.
    """

    def __init__(self, world: World, tokens: Tokens) -> None:
        self.world = world
        self.tokens = tokens
        self.clients = Clients(world)
        self.challenges = Challenges()
        self.registration = Registration(world.app_id)
        self.codes: dict[str, Code] = {}
        self.refreshes: dict[str, Refresh] = {}
        self.requests: list[TokenRequest] = []
        self._grants: dict[str, Callable[[str, Form], Answer]] = {
            "client_credentials": self._client_credentials,
            ON_BEHALF_OF: self._on_behalf_of,
            "authorization_code": self._authorization_code,
            "refresh_token": self._refresh_token,
        }

    def answer(self, tenant: str, form: Form) -> tuple[int, Answer]:
        """The status and JSON that the token endpoint of this tenant answers to the form."""
        status, body, refused = 200, {}, None
        try:
            body = self._grant(tenant.lower(), form)
        except refusals.Refused as error:
            refused = error
            status, body = error.status, error.body(self.world.now(), _correlation_id(form))
        self.requests.append(
            TokenRequest(
                path=f"/{tenant}/oauth2/v2.0/token",
                grant=_grant_name(form),
                scopes=tuple(form.get("scope", "").split()),
                status=status,
                error=refused.error if refused else "",
                code=refused.code if refused else 0,
                person_id=body.pop("_person", ""),
            )
        )
        return status, body

    def revoke(self, person: Person) -> None:
        """Make this person's refresh tokens worthless, as a changed password does."""
        for refresh in self.refreshes.values():
            if refresh.person_id == person.id:
                refresh.revoked = True

    def knows(self, tenant: str) -> bool:
        """Whether this tenant exists: the world's, or that of one of its people."""
        return tenant in {self.world.tenant_id, *(p.tenant_id for p in self.world.people.values())}

    def _grant(self, tenant: str, form: Form) -> Answer:
        name = form.get("grant_type", "")
        if not name:
            raise refusals.missing("grant_type")
        bot = name == "client_credentials" and tenant in BOT_TENANTS
        if not bot and not self.knows(tenant):
            raise refusals.unknown_tenant(tenant)
        grant = self._grants.get(name)
        if grant is None:
            raise refusals.Refused("unsupported_grant_type", 70003, "The grant is not supported.")
        self.clients.check(form, f"{self.tokens.url}/{tenant}/oauth2/v2.0/token")
        self.challenges.check(form.get("claims", ""))
        return grant(tenant, form)

    def _client_credentials(self, tenant: str, form: Form) -> Answer:
        scopes = form.get("scope", "").split()
        resource = scopes[0].removesuffix("/.default") if len(scopes) == 1 else ""
        if not resource or not scopes[0].endswith("/.default"):
            raise refusals.Refused(
                "invalid_scope", 1002012, "Client credentials take one scope, '<resource>/.default'"
            )
        own = self.registration.serves(resource)
        if not own and resource not in {BOT_RESOURCE, GRAPH}:
            raise refusals.unknown_resource(resource)
        more: Answer = self.registration.audience(resource) if own else {}
        if resource == GRAPH:
            more = {"roles": sorted(self.registration.roles)}
        return {
            "token_type": "Bearer",
            "expires_in": self.tokens.access_life_s,
            "ext_expires_in": self.tokens.access_life_s,
            "access_token": self.tokens.app_token(tenant, resource, **more),
        }

    def _on_behalf_of(self, tenant: str, form: Form) -> Answer:
        if form.get("requested_token_use") != "on_behalf_of":
            raise refusals.missing("requested_token_use")
        if not form.get("assertion"):
            raise refusals.missing("assertion")
        try:
            claims = self.tokens.check(form["assertion"], self.world.app_id)
        except BadToken as error:
            raise _bad_assertion(error.reason) from None
        if claims["tid"] != tenant or "scp" not in claims:
            raise _bad_assertion("issuer")
        person = self._person(claims.get("oid", ""))
        met = self.challenges.silently(person.id, form.get("claims", ""))
        return self._delegated(person, form, form.get("scope", ""), met=met)

    def _authorization_code(self, tenant: str, form: Form) -> Answer:
        if not form.get("code"):
            raise refusals.missing("code")
        code = self.codes.get(form["code"])
        if code is None or code.tenant != tenant:
            raise refusals.bad_grant(9002313, "The authorization code is malformed.")
        if code.used:
            raise refusals.bad_grant(54005, "The authorization code was already redeemed.")
        code.used = True
        if self.world.now() - code.at > CODE_LIFE:
            raise refusals.bad_grant(70008, "The authorization code has expired.")
        if form.get("redirect_uri") != code.redirect_uri:
            raise refusals.bad_grant(500112, "The reply address is not the one asked with.")
        _check_verifier(form.get("code_verifier", ""), code.challenge)
        scope = form.get("scope", "") or code.scope
        person = self._person(code.person_id)
        # The person was there, and was asked for whatever the authorize request wanted.
        met = self.challenges.asked(person.id, code.claims)
        return self._delegated(person, form, scope, code.nonce, met=met)

    def _refresh_token(self, tenant: str, form: Form) -> Answer:
        refresh = self.refreshes.get(form.get("refresh_token", ""))
        if refresh is None:
            raise refusals.bad_grant(9002313, "The refresh token is malformed.")
        person = self._person(refresh.person_id)
        if refresh.revoked:
            raise refusals.bad_grant(50173, "The grant was revoked; sign in again.")
        if person.tenant_id != tenant:
            raise refusals.bad_grant(700229, "The refresh token is of another tenant.")
        met = self.challenges.silently(person.id, form.get("claims", ""), refresh.met)
        return self._delegated(person, form, form.get("scope", "") or refresh.scope, met=met)

    def _delegated(
        self, person: Person, form: Form, scope: str, nonce: str = "", met: str = ""
    ) -> Answer:
        if not scope:
            raise refusals.missing("scope")
        granted = self.world.granted(person)
        try:
            names = read_scopes(scope, granted)
        except UnknownScope as error:
            raise refusals.bad_scope(error.scope) from None
        lacking = sorted(set(names) - OPENID_SCOPES - granted)
        if lacking:
            raise refusals.no_consent(lacking)
        answer: Answer = {
            "token_type": "Bearer",
            "scope": " ".join(_as_asked(scope, names)),
            "expires_in": self.tokens.access_life_s,
            "ext_expires_in": self.tokens.access_life_s,
            "access_token": self.tokens.graph_token(
                person, names, **self.challenges.marks(form.get("claims", ""), met)
            ),
            "_person": person.id,
        }
        if "openid" in names:
            answer["id_token"] = self.tokens.id_token(person, nonce)
        if "offline_access" in names and "offline_access" in granted:
            answer["refresh_token"] = token = "0.A" + secrets.token_urlsafe(48)
            self.refreshes[token] = Refresh(person.id, scope, met=met)
        if form.get("client_info") == "1":
            answer["client_info"] = client_info(person)
        return answer

    def _person(self, person_id: str) -> Person:
        try:
            return self.world.person(person_id)
        except KeyError:
            raise refusals.bad_grant(50034, "The account does not exist in the tenant.") from None


def _as_asked(scope: str, names: tuple[str, ...]) -> list[str]:
    # Entra answers with each scope in the form, short or full, in which it was asked for.
    asked = scope.split()
    if any(one.endswith("/.default") for one in asked):
        return [*(f"{GRAPH}/{name}" for name in names if name not in OPENID_SCOPES), *asked]
    return [one for one in asked if one != "offline_access"]


def _check_verifier(verifier: str, challenge: str) -> None:
    digest = hashlib.sha256(verifier.encode()).digest()
    proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if not verifier or not hmac.compare_digest(proof, challenge):
        raise refusals.bad_grant(501481, "The code_verifier does not match the code_challenge.")


def _bad_assertion(reason: str) -> refusals.Refused:
    code, detail = {
        "audience": (500131, "Assertion audience does not match the application."),
        "expired": (500133, "Assertion is not within its valid time range."),
        "malformed": (50027, "Assertion is malformed."),
    }.get(reason, (50013, "Assertion failed signature or issuer validation."))
    return refusals.bad_grant(code, detail)


def _correlation_id(form: Form) -> str:
    return form.get("client-request-id", "")


def _grant_name(form: Form) -> str:
    name = form.get("grant_type", "")
    return "on_behalf_of" if name == ON_BEHALF_OF else name
