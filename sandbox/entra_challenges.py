"""Continuous access evaluation, as far as an application meets it: claims challenges.

Graph refuses a token with `insufficient_claims` when something happened to its person since; a new
one that was asked for with just these claims is good again. Only tokens of clients that say that
they can answer (`xms_cc`: `CP1`) are challenged. Where a policy wants to see the person, a refresh
token or an assertion is not enough.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sandbox.entra_refusals import Refused

_MET = "xms_met"  # a stand-in's own claim: which challenge this token answers


@dataclass(frozen=True)
class Challenge:
    """What a person's tokens have to be newer than, and whether the person has to be there."""

    value: str
    in_person: bool

    @property
    def claims(self) -> str:
        """As Graph's header carries it, in base64, and a request for tokens as it is."""
        return json.dumps({"access_token": {"nbf": {"essential": True, "value": self.value}}})


class Challenges:
    """Everybody's."""

    def __init__(self) -> None:
        self._open: dict[str, Challenge] = {}

    def put(self, person_id: str, now: datetime, *, in_person: bool) -> None:
        """Challenge this person's tokens from now on."""
        self._open[person_id] = Challenge(f"{now.timestamp():.6f}", in_person)

    def check(self, claims: str) -> None:
        """Refuse a claims request that is none: Entra reads it strictly."""
        if not claims:
            return
        try:
            wanted = json.loads(claims)["access_token"]
        except (ValueError, KeyError, TypeError):
            raise _malformed() from None
        if not isinstance(wanted, dict) or not set(wanted) <= {"nbf", "xms_cc", "acrs"}:
            raise _malformed()
        if "xms_cc" in wanted and wanted["xms_cc"] != {"values": ["CP1"]}:
            raise _malformed()

    def silently(self, person_id: str, claims: str, met: str = "") -> str:
        """The challenge that a request without the person answers. Raises Refused.

        `met` is what the sign-in had answered that the refresh token comes from.
        """
        challenge = self._open.get(person_id)
        if challenge is not None and met == challenge.value:
            return met
        if challenge is None or not challenge.in_person:
            return self.asked(person_id, claims)
        raise Refused(
            "interaction_required",
            50158,
            "External security challenge not satisfied. User will be redirected to another page.",
            suberror="additional_action",
            claims=challenge.claims,
        )

    def asked(self, person_id: str, claims: str) -> str:
        """The challenge that this claims request answers, or nothing."""
        challenge = self._open.get(person_id)
        wanted = json.loads(claims)["access_token"].get("nbf", {}) if claims else {}
        return challenge.value if challenge and wanted.get("value") == challenge.value else ""

    def marks(self, claims: str, met: str) -> dict[str, Any]:
        """The claims by which Graph knows what a token can do and has answered."""
        can = "xms_cc" in json.loads(claims)["access_token"] if claims else False
        return ({"xms_cc": ["CP1"]} if can else {}) | ({_MET: met} if met else {})

    def unmet(self, token: Mapping[str, Any]) -> str:
        """The claims that Graph wants to see of this token's person, or nothing."""
        challenge = self._open.get(str(token.get("oid")))
        if challenge is None or "CP1" not in token.get("xms_cc", ()):
            return ""
        return "" if token.get(_MET) == challenge.value else challenge.claims


def _malformed() -> Refused:
    return Refused("invalid_request", 9000411, "The parameter 'claims' is not a claims request.")
