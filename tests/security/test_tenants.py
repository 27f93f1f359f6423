"""Whom Herald is for: the tenants that were named, its own without a word, and nobody else."""

from typing import Any

import pytest

from bot.errors import SettingsError
from bot.settings import read_settings

OWN = "5eafa5f0-6c1f-4f4e-9d3d-0c4b3b1a7e01"
OTHER = "6eafa5f0-6c1f-4f4e-9d3d-0c4b3b1a7e02"


def tenants(**changed: Any) -> frozenset[str]:
    values: dict[str, Any] = {
        "_env_file": None,
        "microsoft_app_id": "7b1f6a52-3d0e-4c19-8a54-2f2c9f0b6d11",
        "microsoft_app_password": "not-a-secret",
        "microsoft_app_tenant_id": OWN,
        "public_url": "https://herald.example.com",
        "secret_keys": "k" * 40,
        "teams_app_id": "c0a9d4de-52b1-4d4f-9a86-3f5c8f6e2a77",
    }
    return read_settings(**{**values, **changed}).tenants


def test_without_a_word_it_is_for_its_own_tenant_alone() -> None:
    assert tenants() == {OWN}
    assert tenants(microsoft_app_type="MultiTenant") == {OWN}


def test_those_that_are_named_are_all_there_are() -> None:
    assert tenants(allowed_tenants=f" {OTHER.upper()} ,") == {OTHER}
    assert tenants(allowed_tenants=f"{OWN},{OTHER}") == {OWN, OTHER}


def test_an_app_for_many_tenants_is_not_for_all_because_nobody_said_which() -> None:
    many = {"microsoft_app_type": "MultiTenant", "microsoft_app_tenant_id": ""}
    with pytest.raises(SettingsError, match="ALLOWED_TENANTS"):
        tenants(**many)
    assert tenants(**many, allowed_tenants=OTHER) == {OTHER}


@pytest.mark.parametrize("wrong", ["contoso.com", "*", "any", f"{OWN};{OTHER}"])
def test_what_is_no_tenants_id_is_said_at_the_start(wrong: str) -> None:
    with pytest.raises(SettingsError, match="ALLOWED_TENANTS"):
        tenants(allowed_tenants=wrong)
