"""Who may call us: the token that the channel sends with every activity, checked.

The rules are those of "Authentication with the Bot Connector API", connector to bot. What is wrong
with the token itself is 401; a good token that does not fit its activity is 403.

    HeraldError
    └── TokenRefused
        ├── Unauthenticated     401
        └── Forbidden           403
"""

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import aiohttp
import jwt

from bot.errors import HeraldError
from bot.settings import Settings
from bot.teams.channel_keys import ChannelKey, ChannelKeys

CHANNEL = "msteams"
LEEWAY_S = 300.0
_REMEMBERED_TOKENS = 1024  # some 3 KB each; the channel renews its tokens hourly
_LONGEST_KEY_ID = 256
# A token that brings its own key, or that asks for rules we do not have, is not the channel's.
_FOREIGN_HEADERS = frozenset({"jwk", "jku", "x5c", "x5u", "crit", "b64", "zip", "enc"})
_UNCHECKED: Any = {"verify_signature": False}
_SIGNATURE_ONLY: Any = {
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


class TokenRefused(HeraldError):
    """Herald did not accept this call.

    `reason` is a word for the log, `status` the HTTP status. Neither holds any part of the token.
    """

    status: ClassVar[int]

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Unauthenticated(TokenRefused):
    """Herald can't tell who is calling."""

    status = 401


class Forbidden(TokenRefused):
    """The caller is known, but may not send this."""

    status = 403


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says. `expires_at` is in seconds since 1970, as in the token."""

    service_url: str
    expires_at: float
    key: ChannelKey
    values: Mapping[str, Any]  # every claim, for the SDK's ClaimsIdentity


class ChannelAuth:
    """Checks tokens against the channel's keys.

    Teams uses one token for many activities, so the result of its signature check is kept until
    the token expires or its key is withdrawn; what depends on the activity is checked each time.

    `now` is the wall clock in seconds since 1970, `tick` a monotonic clock in seconds.
    """

    def __init__(
        self,
        settings: Settings,
        session: aiohttp.ClientSession,
        now: Callable[[], float] = time.time,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self.keys = ChannelKeys(settings, session, tick)
        self._app_id = settings.microsoft_app_id.lower()
        self._issuer = settings.bot_token_issuer
        self._now = now
        self._verified: OrderedDict[bytes, Claims] = OrderedDict()

    async def verify(self, authorization: str | None, activity: Mapping[str, Any]) -> Claims:
        """The claims of the token in an Authorization header, if it may bring this activity.

        Raises:
            Unauthenticated: no token, or one that is malformed, expired, not yet valid, wrongly
                signed, signed by an unknown key, or of another issuer or audience.
            Forbidden: see `authorize`.
            KeysUnavailable: no key was ever read, so nobody can be recognized.
        """
        claims = await self.authenticate(authorization)
        self.authorize(claims, activity)
        return claims

    async def authenticate(self, authorization: str | None) -> Claims:
        """The claims of the token, without looking at the activity. Raises as `verify` does."""
        token = _bearer(authorization)
        mark = hashlib.sha256(token.encode()).digest()
        claims = self._verified.get(mark)
        if claims is not None and self._still_holds(claims):
            self._verified.move_to_end(mark)
            return claims
        claims = await self._check(token)
        self._verified[mark] = claims
        if len(self._verified) > _REMEMBERED_TOKENS:
            self._verified.popitem(last=False)
        return claims

    def authorize(self, claims: Claims, activity: Mapping[str, Any]) -> None:
        """Check that a verified token belongs to this activity.

        Raises:
            Forbidden: the activity is of another channel than Teams, the key is not endorsed for
                Teams, or the activity's service address is not the one that was signed.
        """
        if activity.get("channelId") != CHANNEL:
            raise Forbidden("channel")
        if CHANNEL not in claims.key.endorsements:
            raise Forbidden("endorsement")
        service_url = activity.get("serviceUrl")
        if not isinstance(service_url, str) or not _same_address(service_url, claims.service_url):
            raise Forbidden("service_url")

    async def close(self) -> None:
        """Stop what runs in the background."""
        await self.keys.close()

    def _still_holds(self, claims: Claims) -> bool:
        return (
            self._now() < claims.expires_at + LEEWAY_S
            and self.keys.known(claims.key.kid) is claims.key
        )

    async def _check(self, token: str) -> Claims:
        head, unchecked = _open(token)
        kid = head.get("kid")
        if head.get("alg") != "RS256" or not _FOREIGN_HEADERS.isdisjoint(head):
            raise Unauthenticated("algorithm")
        if not isinstance(kid, str) or not 0 < len(kid) <= _LONGEST_KEY_ID:
            raise Unauthenticated("key_id")
        # Checked before the key is looked for: a token for somebody else never starts a fetch.
        self._check_claims(unchecked)
        key = await self.keys.find(kid)
        if key is None:
            raise Unauthenticated("unknown_key")
        values = _signed_by(key, token)
        self._check_claims(values)
        return Claims(values["serviceurl"], float(values["exp"]), key, values)

    def _check_claims(self, values: Mapping[str, Any]) -> None:
        """Raises Unauthenticated. Comparisons are written so that a NaN fails them."""
        audience = values.get("aud")
        if values.get("iss") != self._issuer:
            raise Unauthenticated("issuer")
        if not isinstance(audience, str) or audience.lower() != self._app_id:
            raise Unauthenticated("audience")
        if not isinstance(values.get("serviceurl"), str) or not values["serviceurl"]:
            raise Unauthenticated("no_service_url")
        now = self._now()
        if not _is_time(values.get("exp")) or not now < values["exp"] + LEEWAY_S:
            raise Unauthenticated("expired")
        if "nbf" in values and (not _is_time(values["nbf"]) or not values["nbf"] <= now + LEEWAY_S):
            raise Unauthenticated("not_yet_valid")


def _bearer(authorization: str | None) -> str:
    if not authorization:
        raise Unauthenticated("no_token")
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.isascii() or token.count(".") != 2:
        raise Unauthenticated("no_bearer_token")
    return token


def _open(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and payload of a token that nothing is known of yet."""
    try:
        opened = jwt.decode_complete(token, options=_UNCHECKED)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise Unauthenticated("malformed") from None
    return opened["header"], opened["payload"]


def _signed_by(key: ChannelKey, token: str) -> dict[str, Any]:
    try:
        return jwt.decode(token, key.public, algorithms=["RS256"], options=_SIGNATURE_ONLY)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise Unauthenticated("signature") from None


def _is_time(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond every float
        return False


def _same_address(one: str, other: str) -> bool:
    # Teams writes its service addresses with and without the slash at the end.
    return one.rstrip("/") == other.rstrip("/")
