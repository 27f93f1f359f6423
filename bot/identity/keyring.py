"""Reading and joining MSAL's caches, which are JSON: sections of entries, each under its own key.

Source: the unified cache schema that `msal.SerializableTokenCache` writes.
"""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.identity import challenge
from bot.identity.permissions import SIGN_IN

_GRAPH_PREFIX = "https://graph.microsoft.com/"
_NOT_PERMISSIONS = frozenset({*SIGN_IN, "email"})

Sections = dict[str, dict[str, dict[str, Any]]]


@dataclass(frozen=True)
class Token:
    """An access token. Its value shows in no log: `repr` leaves it out."""

    value: str = field(repr=False)
    expires_at: datetime

    def life_s(self, now: datetime | None = None) -> float:
        """Seconds that are left of it; negative when it has expired."""
        return (self.expires_at - (now or datetime.now(UTC))).total_seconds()


@dataclass(frozen=True)
class Account:
    """Who is signed in, as Entra told when they signed in.

    `scopes` are the short names of the permissions that tokens were given for so far: what is
    known here, which may be less than what the person consented to.
    """

    name: str
    username: str
    scopes: frozenset[str]


def longest_token(text: str, scopes: Iterable[str]) -> Token | None:
    """The token for these permissions (short names) that lives longest, expired or not."""
    wanted = {scope.lower() for scope in scopes}
    fits = [
        entry
        for entry in _section(text, "AccessToken").values()
        if wanted <= {name.lower() for name in _names(entry)}
    ]
    if not fits:
        return None
    best = max(fits, key=lambda entry: int(entry["expires_on"]))
    return Token(best["secret"], datetime.fromtimestamp(int(best["expires_on"]), UTC))


def account(text: str) -> Account | None:
    """Whose cache this is, or None when it holds nobody."""
    for entry in _section(text, "Account").values():
        claims = _claims_of_id_token(text)
        username = str(entry.get("username") or claims.get("preferred_username") or "")
        scopes = {
            name for token in _section(text, "AccessToken").values() for name in _names(token)
        }
        return Account(str(claims.get("name") or username), username, frozenset(scopes))
    return None


def merge(stored: str | None, fresh: str, now: datetime | None = None) -> str:
    """What was stored, joined by what was just given, without what has expired.

    What was given answers a claims challenge that was stored.

    A new refresh token replaces every old one: Entra's are good for all permissions that the
    person consented to, so the newest is the only one worth keeping.
    """
    old: Sections = json.loads(stored) if stored else {}
    new: Sections = json.loads(fresh)
    joined = {name: {**old.get(name, {}), **new.get(name, {})} for name in {*old, *new}}
    if new.get("RefreshToken"):
        before = old.get("RefreshToken", {}).values()
        given = {key: one for key, one in new["RefreshToken"].items() if one not in before}
        joined["RefreshToken"] = _newest(given or new["RefreshToken"])
    challenge.answered(joined)
    now_s = (now or datetime.now(UTC)).timestamp()
    joined["AccessToken"] = {
        key: entry
        for key, entry in joined.get("AccessToken", {}).items()
        if int(entry["expires_on"]) > now_s
    }
    return json.dumps(joined, separators=(",", ":"))


def _newest(entries: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    key = max(entries, key=lambda one: int(entries[one].get("last_modification_time", 0)))
    return {key: entries[key]}


def _section(text: str, name: str) -> dict[str, dict[str, Any]]:
    section: dict[str, dict[str, Any]] = json.loads(text).get(name, {})
    return section


def _names(entry: dict[str, Any]) -> set[str]:
    short = {scope.removeprefix(_GRAPH_PREFIX) for scope in str(entry.get("target", "")).split()}
    return short - _NOT_PERMISSIONS


def _claims_of_id_token(text: str) -> dict[str, Any]:
    for entry in _section(text, "IdToken").values():
        body = str(entry["secret"]).split(".")[1]
        claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return claims
    return {}
