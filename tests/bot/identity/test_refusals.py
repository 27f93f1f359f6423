import pytest

from bot.errors import (
    AdminConsentNeeded,
    ConsentNeeded,
    EntraUnavailable,
    IdentityError,
    NotConfigured,
    SignInExpired,
    SignInNeeded,
)
from bot.identity.obo import MEETINGS, TEXT
from bot.identity.refusals import meaning_of


def refused(error: str, code: int, suberror: str = "") -> dict[str, object]:
    return {
        "error": error,
        "error_codes": [code],
        "error_description": f"AADSTS{code}: about adele@contoso.example, secret-text",
        "suberror": suberror,
    }


@pytest.mark.parametrize(
    ("answer", "meaning"),
    [
        (refused("invalid_grant", 65001, "consent_required"), ConsentNeeded),
        (refused("consent_required", 0), ConsentNeeded),
        (refused("access_denied", 65004), ConsentNeeded),
        (refused("invalid_grant", 90094), AdminConsentNeeded),
        (refused("invalid_grant", 90095), AdminConsentNeeded),
        (refused("interaction_required", 50076), SignInNeeded),
        (refused("login_required", 50058), SignInNeeded),
        (refused("invalid_grant", 50173), SignInNeeded),
        (refused("invalid_grant", 700082), SignInNeeded),
        (refused("invalid_grant", 54005), SignInExpired),
        (refused("invalid_client", 7000215), NotConfigured),
        (refused("invalid_client", 7000222), NotConfigured),
        (refused("unauthorized_client", 700016), NotConfigured),
        (refused("temporarily_unavailable", 90033), EntraUnavailable),
        (refused("invalid_scope", 70011), IdentityError),
        ({}, IdentityError),
        ({"error": ["odd"], "error_codes": None, "error_description": None}, IdentityError),
    ],
)
def test_each_refusal_means_one_thing(
    answer: dict[str, object], meaning: type[IdentityError]
) -> None:
    error = meaning_of(answer, MEETINGS)
    assert type(error) is meaning
    assert "adele" not in str(error)
    assert "secret-text" not in str(error)


def test_what_only_an_administrator_may_grant_needs_an_administrator() -> None:
    error = meaning_of(refused("invalid_grant", 65001), TEXT + MEETINGS)
    assert isinstance(error, AdminConsentNeeded)
    assert error.scopes == TEXT


def test_the_code_is_found_in_the_description_too() -> None:
    error = meaning_of({"error": "invalid_grant", "error_description": "AADSTS65001: …"}, MEETINGS)
    assert type(error) is ConsentNeeded
    assert "65001" in str(error)
