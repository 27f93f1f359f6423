"""What Entra's error answers mean for the person who waits: one table, first fit wins.

Source: the list of AADSTS error codes and the error codes of the OAuth 2.0 token endpoint. The
descriptions that come with them name people and applications, so none of their text is passed on.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bot.errors import (
    AdminConsentNeeded,
    ConsentNeeded,
    EntraUnavailable,
    IdentityError,
    NotConfigured,
    SignInExpired,
    SignInNeeded,
)
from bot.identity import challenge
from bot.identity.permissions import ADMIN_ONLY


class Refusal(NamedTuple):
    """A row: it fits when any of its codes, suberrors or errors is in the answer."""

    meaning: type[IdentityError]
    codes: frozenset[int] = frozenset()
    suberrors: frozenset[str] = frozenset()
    errors: frozenset[str] = frozenset()


REFUSALS = (
    # 90094, 90095: the tenant lets only administrators consent.
    Refusal(AdminConsentNeeded, frozenset({90093, 90094, 90095, 900941})),
    # 65001: nobody consented yet; 65004: the person said no.
    Refusal(ConsentNeeded, frozenset({65001, 65004}), frozenset({"consent_required"})),
    Refusal(ConsentNeeded, errors=frozenset({"consent_required"})),
    # 54005: an authorization code used twice; 70008, 9002313: expired or malformed.
    Refusal(SignInExpired, frozenset({54005})),
    # 7000215, 7000222: the secret is wrong or has expired; 700027: the certificate's signature.
    Refusal(
        NotConfigured,
        frozenset({7000215, 7000222, 700027, 700016}),
        errors=frozenset({"invalid_client", "unauthorized_client"}),
    ),
    Refusal(
        SignInNeeded,
        errors=frozenset({"interaction_required", "login_required", "invalid_grant"}),
    ),
    Refusal(
        EntraUnavailable,
        frozenset({90033, 50196}),
        errors=frozenset({"temporarily_unavailable", "server_error", "slow_down"}),
    ),
)


def meaning_of(answer: Mapping[str, Any], scopes: Sequence[str]) -> IdentityError:
    """The error to raise for an error answer of the token endpoint.

    `scopes` are the permissions that were asked for; where only an administrator can grant one of
    those, it is the administrator who is needed.
    """
    codes = _codes(answer)
    detail = f"Entra answered {_word(answer.get('error'))} {' '.join(map(str, sorted(codes)))}"
    row = next((row for row in REFUSALS if _fits(row, answer, codes)), None)
    if row is None:
        return IdentityError(detail.strip())
    if issubclass(row.meaning, ConsentNeeded):
        for_admins = tuple(scope for scope in scopes if scope in ADMIN_ONLY)
        if for_admins or row.meaning is AdminConsentNeeded:
            return AdminConsentNeeded(for_admins or scopes, detail)
        return ConsentNeeded(scopes, detail)
    if row.meaning is SignInNeeded:
        return SignInNeeded(detail, challenge.checked(answer.get("claims")))
    return row.meaning(detail)


def _fits(row: Refusal, answer: Mapping[str, Any], codes: frozenset[int]) -> bool:
    return bool(
        row.codes & codes
        or str(answer.get("suberror")) in row.suberrors
        or str(answer.get("error")) in row.errors
    )


def _codes(answer: Mapping[str, Any]) -> frozenset[int]:
    listed = {int(code) for code in answer.get("error_codes") or ()}
    named = re.findall(r"AADSTS(\d{5,8})", str(answer.get("error_description") or ""))
    return frozenset(listed or map(int, named[:1]))


def _word(value: object) -> str:
    return re.sub(r"[^a-z_]", "", str(value or ""))[:40]
