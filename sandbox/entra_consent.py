"""The interactive half of the Entra stand-in: authorize and admin consent, page by page."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from sandbox import entra_pages as pages
from sandbox.entra_grants import Code, Grants
from sandbox.entra_permissions import OPENID_SCOPES, PERMISSIONS, UnknownScope, read_scopes
from sandbox.entra_refusals import Refused
from sandbox.world import Person, World

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class BadRequest(Exception):
    """The request to a page is wrong, and the reader stays on it; the message is shown."""


@dataclass(frozen=True)
class Page:
    """A page to show, with the address that it may lead to."""

    html: str
    redirect_uri: str = ""
    status: int = 200


@dataclass(frozen=True)
class Redirect:
    """Where the reader's browser goes next."""

    location: str


@dataclass(frozen=True)
class Ask:
    """A checked request for consent: what a person is asked, and where the answer goes."""

    kind: str  # authorize or adminconsent
    path: str
    tenant: str
    query: Mapping[str, str]
    names: tuple[str, ...]

    @property
    def redirect_uri(self) -> str:
        """Where the answer goes."""
        return self.query["redirect_uri"]

    @property
    def other(self) -> str:
        """The account picker's address for this request."""
        kept = {k: v for k, v in self.query.items() if k not in {"login_hint", "prompt"}}
        return f"{self.path}?{urlencode(kept | {'prompt': 'select_account'})}"

    def back(self, fields: Mapping[str, str]) -> Page | Redirect:
        """Carry the answer, with `state`, to the application as `response_mode` wants it."""
        state = {"state": self.query["state"]} if "state" in self.query else {}
        fields = {**fields, **state}
        if self.query.get("response_mode") == "form_post":
            return Page(pages.post_back_page(self.redirect_uri, fields), self.redirect_uri)
        joint = "&" if urlsplit(self.redirect_uri).query else "?"
        return Redirect(f"{self.redirect_uri}{joint}{urlencode(fields)}")


class Consent:
    """Shows who is asked for what, and keeps in the world what was granted."""

    def __init__(self, world: World, grants: Grants) -> None:
        self.world = world
        self.grants = grants
        self._tickets: dict[str, tuple[Ask, Person]] = {}

    def read(self, kind: str, path: str, tenant: str, query: Mapping[str, str]) -> Ask:
        """Check a request. Raises `BadRequest`."""
        tenant = tenant.lower()
        if not self.grants.knows(tenant):
            raise BadRequest("AADSTS90002: This tenant does not exist.")
        if query.get("client_id", "").lower() != self.world.app_id:
            raise BadRequest("AADSTS700016: This application is not registered.")
        if not self._registered(query.get("redirect_uri", "")):
            raise BadRequest("AADSTS50011: The reply address is not registered.")
        if kind == "authorize":
            _check_authorize(query)
            self._check_claims(query.get("claims", ""))
        try:
            names = read_scopes(query.get("scope", ""), set(PERMISSIONS))
        except UnknownScope:
            raise BadRequest("AADSTS70011: A scope that was asked for does not exist.") from None
        if not names:
            raise BadRequest("AADSTS900144: The request must contain 'scope'.")
        return Ask(kind, path, tenant, query, names)

    def _check_claims(self, claims: str) -> None:
        try:
            self.grants.challenges.check(claims)
        except Refused as error:
            raise BadRequest(str(error)) from None

    def show(self, ask: Ask) -> Page:
        """The page for a request: the account picker, or what the hinted account is asked."""
        person = self._hinted(ask)
        if person is None or ask.query.get("prompt") == "select_account":
            people = [p for p in self.world.people.values() if p.tenant_id == ask.tenant]
            return Page(pages.account_page(ask.path, ask.query, people), ask.redirect_uri)
        ticket = secrets.token_urlsafe(24)
        self._tickets[ticket] = (ask, person)
        granted = self._granted(ask, person)
        if self._needs_administrator(ask, person):
            html = pages.approval_page(person, _shown(ask, granted), ticket, ask.other)
        else:
            everyone = ask.kind == "adminconsent"
            html = pages.consent_page(
                person, _shown(ask), granted, ticket, ask.other, all_=everyone
            )
        return Page(html, ask.redirect_uri)

    def answer(self, ticket: str, answer: str) -> Page | Redirect:
        """What the pressed button leads to. Raises `BadRequest` for a page that was used before."""
        ask, person = self._tickets.pop(ticket, (None, None))
        if ask is None or person is None:
            raise BadRequest("This page was used before. Close it and start again.")
        if self._needs_administrator(ask, person):
            return ask.back(_denied("AADSTS90094: An administrator's consent is required."))
        if answer != "accept":
            return ask.back(_denied("AADSTS65004: The user declined to consent."))
        return self._grant(ask, person)

    def _grant(self, ask: Ask, person: Person) -> Page | Redirect:
        if ask.kind == "adminconsent":
            self.world.tenant_consents |= set(ask.names)
            self.world.changed()
            return ask.back(
                {"admin_consent": "True", "tenant": ask.tenant, "scope": ask.query["scope"]}
            )
        person.consents |= set(ask.names) - self.world.tenant_consents
        self.world.changed()
        code = "1.A" + secrets.token_urlsafe(40)
        self.grants.codes[code] = Code(
            person_id=person.id,
            tenant=ask.tenant,
            redirect_uri=ask.redirect_uri,
            challenge=ask.query["code_challenge"],
            nonce=ask.query.get("nonce", ""),
            scope=ask.query["scope"],
            at=self.world.now(),
            claims=ask.query.get("claims", ""),
        )
        return ask.back({"code": code, "session_state": secrets.token_hex(8)})

    def _granted(self, ask: Ask, person: Person) -> set[str]:
        everyone = ask.kind == "adminconsent"
        return self.world.tenant_consents if everyone else self.world.granted(person)

    def _needs_administrator(self, ask: Ask, person: Person) -> bool:
        if person.is_admin:
            return False
        new = set(ask.names) - self.world.granted(person)
        return ask.kind == "adminconsent" or any(PERMISSIONS[name].admin_only for name in new)

    def _hinted(self, ask: Ask) -> Person | None:
        hint = ask.query.get("login_hint", "").casefold()
        people = (p for p in self.world.people.values() if p.tenant_id == ask.tenant)
        return next((p for p in people if hint and hint in {p.mail.casefold(), p.id}), None)

    def _registered(self, redirect_uri: str) -> bool:
        if self.world.redirect_uris:
            return redirect_uri in self.world.redirect_uris
        parts = urlsplit(redirect_uri)
        return parts.scheme in {"http", "https"} and parts.hostname in LOOPBACK


def _check_authorize(query: Mapping[str, str]) -> None:
    if query.get("response_type") != "code":
        raise BadRequest("AADSTS700054: Only response_type=code is supported.")
    if query.get("response_mode", "query") not in {"query", "form_post"}:
        raise BadRequest("AADSTS70007: This response_mode is not supported.")
    if query.get("code_challenge_method") != "S256" or not query.get("code_challenge"):
        raise BadRequest("AADSTS501491: A code_challenge with method S256 is required.")


def _shown(ask: Ask, without: set[str] | frozenset[str] = frozenset()) -> list[str]:
    # What only says "sign in" goes without saying when something else is asked for too.
    names = [name for name in ask.names if name not in without]
    return [name for name in names if name not in OPENID_SCOPES] or names


def _denied(description: str) -> dict[str, str]:
    return {
        "error": "access_denied",
        "error_subcode": "cancel",
        "error_description": description,
    }
