"""Claims challenges: what Graph or Entra wants to see before a person's token counts again.

Source: "Claims challenges, claims requests and client capabilities" of the Microsoft identity
platform. A challenge is kept in a section of its own of the person's cache, sealed with it, so that
every replica passes it on, and it goes when a sign-in or renewal has answered it.
"""

import base64
import binascii
import json
from typing import Any

CAPABILITIES = ("CP1",)  # we answer challenges, so Entra may end a token before its time
_SECTION = "Challenge"
_KEY = "graph"
_LONGEST = 4_000


def decoded(challenge: str) -> str:
    """The claims of a `WWW-Authenticate` header (base64) as JSON; empty for what is neither."""
    padded = challenge.replace("-", "+").replace("_", "/") + "=" * (-len(challenge) % 4)
    try:
        return checked(base64.b64decode(padded, validate=True).decode())
    except (binascii.Error, ValueError):
        return ""


def checked(claims: object) -> str:
    """The same JSON when it asks for something and isn't endless; else nothing."""
    if not isinstance(claims, str) or len(claims) > _LONGEST:
        return ""
    try:
        wanted = json.loads(claims)
    except (ValueError, RecursionError):
        return ""
    is_object = isinstance(wanted, dict) and isinstance(wanted.get("access_token", {}), dict)
    return claims if is_object and wanted else ""


def with_capabilities(claims: str) -> str:
    """What an authorize request carries: the challenge, if there is one, and what we can do."""
    wanted: dict[str, Any] = json.loads(claims) if claims else {}
    wanted.setdefault("access_token", {})["xms_cc"] = {"values": list(CAPABILITIES)}
    return json.dumps(wanted, separators=(",", ":"))


def of_cache(text: str | None) -> str:
    """The challenge that a person's cache waits to see answered, or nothing."""
    kept = json.loads(text).get(_SECTION, {}) if text else {}
    return str(kept.get(_KEY, {}).get("claims", ""))


def into_cache(text: str | None, claims: str) -> str:
    """The cache with this challenge in it, and without the access tokens that it puts an end to."""
    sections = json.loads(text) if text else {}
    sections[_SECTION] = {_KEY: {"claims": claims}}
    sections["AccessToken"] = {}
    return json.dumps(sections, separators=(",", ":"))


def answered(sections: dict[str, Any]) -> None:
    """Take the challenge out of a cache's sections."""
    sections.pop(_SECTION, None)
