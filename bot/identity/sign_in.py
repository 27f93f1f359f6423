"""The consent pop-up's steps: a link, a trip to Entra, and a one-time code that Teams carries back.

Authorization code with PKCE (RFC 7636). What goes through the browser is random or sealed; what was
agreed on stays in the database. A link is for one actor; who completed it is looked at last, when
the code is redeemed (`bot.identity.obo`).
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from bot.actor import Actor
from bot.errors import SignInExpired
from bot.identity import challenge
from bot.identity.entra import CodeFlow
from bot.identity.permissions import SIGN_IN
from bot.identity.token_cache import SignIns
from bot.sealing import Ticket, Unreadable
from bot.settings import Settings
from bot.words import spoken

LINK_LIFE_S = 10 * 60
CODE_LIFE_S = 5 * 60
DOWNLOAD = "download "  # what a link is for that ends with a file, not in Teams
IN_BROWSER = "in the browser"  # what a link is for that ends on its page, not in Teams
_GRAPH = "https://graph.microsoft.com/"


@dataclass(frozen=True)
class Departure:
    """Where the browser goes next, and the cookie that it takes along to be known again."""

    location: str = field(repr=False)
    cookie_name: str
    cookie_value: str = field(repr=False)


@dataclass(frozen=True)
class Arrival:
    """A sign-in that came back: who it was started for, what redeems it, and what goes on then."""

    actor: Actor
    flow: CodeFlow
    then: str = ""


class PopUp:
    """Builds the link, sends the browser on its way and takes it back."""

    def __init__(self, settings: Settings, sign_ins: SignIns) -> None:
        self._settings = settings
        self._sign_ins = sign_ins
        self._ticket = Ticket(settings.secrets, "sign-in")
        self._claims_of: Callable[[Actor], Awaitable[str]] = _no_claims
        self.is_secure = settings.public_url.startswith("https:")

    @property
    def redirect_uri(self) -> str:
        """The address that is registered with Entra as this application's."""
        return f"{self._settings.public_url}/auth/end"

    def link(self, actor: Actor, scopes: Sequence[str], then: str = "") -> str:
        """The address to open in the pop-up; good for ten minutes."""
        return f"{self._settings.public_url}{self._start(actor, scopes, then)}"

    def dialog_link(self, actor: Actor, scopes: Sequence[str], then: str) -> str:
        """The address of a page for a dialog, whose button opens the pop-up; as long good.

        Entra's pages refuse to stand in a frame, and a dialog is one.
        """
        start = self._start(actor, scopes, then)
        return f"{self._settings.public_url}{start.replace('/auth/start', '/auth/dialog', 1)}"

    def language_of(self, sealed: str) -> str:
        """The language of whoever the link was made for. Raises SignInExpired as `depart` does."""
        return str(self._wish(sealed).get("l", ""))

    def start_of(self, sealed: str) -> str:
        """Where the pop-up of such a page starts. Raises SignInExpired as `depart` does."""
        self._wish(sealed)
        return f"/auth/start?s={quote(sealed, safe='')}"

    def _start(self, actor: Actor, scopes: Sequence[str], then: str) -> str:
        wish = {"t": actor.tenant_id, "u": actor.user_id, "s": list(scopes), "x": then}
        wish["l"] = spoken()  # its pages speak as Teams does, whatever the browser would like
        return f"/auth/start?s={self._ticket.seal_json(wish)}"

    def admin_link(self, actor: Actor, scopes: Sequence[str]) -> str:
        """The address where an administrator of the actor's tenant approves these permissions.

        Source: the Microsoft identity platform's admin consent endpoint, v2.0.
        """
        query = {
            "client_id": self._settings.microsoft_app_id,
            "scope": " ".join(_GRAPH + scope for scope in scopes),
            "redirect_uri": f"{self._settings.public_url}/auth/approved",
            "state": secrets.token_urlsafe(12),
        }
        return self._at_entra(actor.tenant_id, "v2.0/adminconsent", query)

    def asks_for(self, claims_of: Callable[[Actor], Awaitable[str]]) -> None:
        """Whom to ask for the claims challenge that an actor's sign-in has to answer."""
        self._claims_of = claims_of

    async def depart(self, sealed: str) -> Departure:
        """Begin the sign-in that a link stands for.

        Raises:
            SignInExpired: the link is not ours, was changed, or is older than ten minutes.
        """
        wish = self._wish(sealed)
        verifier, nonce, cookie = (secrets.token_urlsafe(48) for _ in range(3))
        record = {key: wish[key] for key in ("t", "u", "s", "x")} | {"v": verifier, "n": nonce}
        record["b"] = _digest(cookie)
        record["l"] = wish.get("l", "")
        record["q"] = claims = await self._claims_of(Actor(wish["t"], wish["u"]))
        state = await self._sign_ins.keep("state", record, life_s=LINK_LIFE_S)
        query = {
            "client_id": self._settings.microsoft_app_id,
            "response_type": "code",
            "response_mode": "query",
            "redirect_uri": self.redirect_uri,
            "scope": " ".join([*wish["s"], *SIGN_IN]),
            "state": state,
            "nonce": _digest(nonce),
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
            "claims": challenge.with_capabilities(claims),
        }
        location = self._at_entra(wish["t"], "oauth2/v2.0/authorize", query)
        return Departure(location, _cookie_name(state), cookie)

    async def arrive(self, state: str, cookies: Mapping[str, str]) -> dict[str, Any]:
        """What was agreed on when this state was made; it counts once.

        Raises:
            SignInExpired: it is unknown, used or too old, or this is another browser.
        """
        record = await self._sign_ins.take("state", state)
        cookie = cookies.get(_cookie_name(state), "")
        if record is None or not hmac.compare_digest(record["b"], _digest(cookie)):
            raise SignInExpired
        return record

    async def keep_code(self, record: dict[str, Any], code: str) -> str:
        """Keep Entra's authorization code and return the one-time code that fetches it."""
        kept = {key: record[key] for key in ("t", "u", "s", "x", "v", "n", "q")} | {"c": code}
        return await self._sign_ins.keep("code", kept, life_s=CODE_LIFE_S)

    async def fetch(self, one_time_code: str) -> Arrival:
        """What a one-time code stands for; it counts once, whoever brings it.

        Raises:
            SignInExpired: it is unknown, used or older than five minutes.
        """
        kept = await self._sign_ins.take("code", one_time_code)
        if kept is None:
            raise SignInExpired
        return self.arrival(kept, kept["c"])

    def arrival(self, record: Mapping[str, Any], code: str) -> Arrival:
        """What redeems Entra's authorization code, and who the sign-in was started for."""
        proof = (record["v"], record["n"], self.redirect_uri)
        flow = CodeFlow(code, *proof, tuple(record["s"]), record.get("q", ""))
        return Arrival(Actor(record["t"], record["u"]), flow, record["x"])

    def _wish(self, sealed: str) -> dict[str, Any]:
        try:
            wish: dict[str, Any] = self._ticket.open_json(sealed, max_age_s=LINK_LIFE_S)
        except Unreadable:
            raise SignInExpired from None
        return wish

    def _at_entra(self, tenant_id: str, path: str, query: Mapping[str, str]) -> str:
        encoded = urlencode(query, quote_via=quote)
        return f"{self._settings.entra_authority}/{quote(tenant_id, safe='')}/{path}?{encoded}"


async def _no_claims(_actor: Actor) -> str:
    return ""


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _cookie_name(state: str) -> str:
    # One for each sign-in, so that two pop-ups at once do not take each other's.
    return f"herald-sign-in-{_digest(state)[:16]}"
