"""`python -m bot doctor` against the stand-ins: all well, and each thing broken in turn."""

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.admin.checks import registration
from bot.admin.checks.findings import Finding, Verdict
from bot.admin.doctor import GROUPS
from bot.settings import Settings
from sandbox.stage import free_port
from tests.admin.practice import NOBODY, Practice, answering
from tests.admin.shell import bot, process
from tests.admin.test_deliveries import texted
from tests.bot.identity.certificates import self_signed
from tests.conftest import Serve
from tests.desk import Desk

READERS = {"Application.Read.All", "Directory.Read.All"}


async def test_all_is_well_where_entra_tells_everything(open_practice: Practice) -> None:
    open_practice.registration.roles |= READERS
    found = await open_practice.findings()
    assert {one.verdict for one in found} == {Verdict.WELL}


async def test_what_entra_does_not_tell_is_not_claimed(open_practice: Practice) -> None:
    found = await open_practice.findings()
    unsure = [one for one in found if one.verdict is Verdict.UNSURE]
    assert not [one for one in found if one.verdict is Verdict.WRONG]
    assert ["doesn't tell" in one.sentence for one in unsure] == [True, True]
    assert "az ad app show --id" in unsure[0].remedy


async def test_a_file_from_an_administrator_tells_what_entra_does_not(
    open_practice: Practice,
) -> None:
    found = await open_practice.findings(app=open_practice.document)
    sentences = [one.sentence for one in found if one.verdict is Verdict.WELL]
    assert "Teams on the web is authorized beforehand." in sentences
    assert "The scope access_as_user is there and enabled." in sentences


async def test_as_a_process_it_prints_groups_in_order_and_the_exit_code_says_how_it_is(
    open_practice: Practice, tmp_path: Path
) -> None:
    environment = open_practice.stage.environment(PUBLIC_URL=open_practice.stage.app_url)
    ran = await process(environment, "doctor")
    assert ran.code == 0, ran.out + ran.err
    heads = [line for line in ran.out.splitlines() if line and not line.startswith(" ")]
    assert heads[:-1] == [name for name, _ in GROUPS]
    assert heads[-1].endswith("0 wrong, 2 can't be told.")

    file = tmp_path / "app.json"
    file.write_text(json.dumps(open_practice.document | {"identifierUris": []}))
    ran = await bot(environment, "doctor", "--json", "--application", str(file))
    assert ran.code == 1
    [wrong] = [row for row in json.loads(ran.out) if row["verdict"] == "wrong"]
    assert "The application lacks the address api://" in wrong["sentence"]

    file.write_text("{}")
    ran = await bot(environment, "doctor", "--application", str(file))
    assert (ran.code, ran.out) == (1, "")
    assert "holds no application" in ran.err


# What Entra's pages can lack

PAGES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "audience": (lambda d: d.update(signInAudience="AzureADMultipleOrgs"), "account type"),
    "redirect": (lambda d: d["web"]["redirectUris"].pop(), "/auth/approved is no redirect"),
    "no scope": (lambda d: d["api"]["oauth2PermissionScopes"].clear(), "add the scope"),
    "scope off": (
        lambda d: d["api"]["oauth2PermissionScopes"][0].update(isEnabled=False),
        "no enabled scope access_as_user",
    ),
    "client": (
        lambda d: d["api"]["preAuthorizedApplications"].pop(),
        "Teams on the web is not authorized",
    ),
    "client without the scope": (
        lambda d: d["api"]["preAuthorizedApplications"][0].update(delegatedPermissionIds=[]),
        "Teams on desktop and phones is not authorized",
    ),
    "permission": (
        lambda d: d["requiredResourceAccess"][0]["resourceAccess"].pop(),
        "not listed: VirtualAppointmentNotification.Send",
    ),
}


@pytest.mark.parametrize("page", PAGES)
async def test_each_page_of_the_application_is_looked_at(
    page: str, open_practice: Practice
) -> None:
    open_practice.registration.roles |= READERS
    break_it, sentence = PAGES[page]
    break_it(open_practice.document)
    found = await open_practice.wrongs()
    assert any(sentence in f"{one.sentence} {one.remedy}" for one in found), found


async def test_the_address_for_sign_on_is_told_by_a_token_alone(open_practice: Practice) -> None:
    open_practice.document["identifierUris"] = ["api://elsewhere.example/botid-1"]
    assert "set the Application ID URI to exactly api://" in await open_practice.only_wrong()


async def test_tokens_of_version_1_are_told_by_a_token_alone(open_practice: Practice) -> None:
    open_practice.document["api"]["requestedAccessTokenVersion"] = None
    assert "requestedAccessTokenVersion" in await open_practice.only_wrong()


async def test_an_approval_that_is_lacking_is_seen(open_practice: Practice) -> None:
    open_practice.registration.roles |= READERS
    open_practice.stage.world.tenant_consents.discard("VirtualAppointmentNotification.Send")
    assert "press Grant admin consent" in await open_practice.only_wrong()


async def test_a_text_that_graph_took_proves_the_approval(
    open_practice: Practice, at_desk: Callable[[str], Desk]
) -> None:
    await texted(at_desk("Adele"))
    found = await open_practice.findings()
    [proof] = [one.sentence for one in found if "was approved then" in one.sentence]
    assert proof.startswith("Graph took a text on 20")


# The application's own proof, and the tenant


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"MICROSOFT_APP_PASSWORD": "not-the-secret"}, "copy its Value (not its Secret ID)"),
        ({"MICROSOFT_APP_ID": NOBODY}, "knows no application with MICROSOFT_APP_ID"),
        ({"MICROSOFT_APP_TENANT_ID": NOBODY}, "knows no tenant"),
        ({"MICROSOFT_APP_CERTIFICATE": "nowhere.pem"}, "MICROSOFT_APP_CERTIFICATE can't be read"),
    ],
)
async def test_a_wrong_id_or_secret_is_named(
    changed: dict[str, str], sentence: str, open_practice: Practice
) -> None:
    found = await open_practice.wrongs(**changed)
    assert any(sentence in f"{one.sentence} {one.remedy}" for one in found), found


async def test_a_secret_that_has_ended_is_told_from_a_wrong_one(open_practice: Practice) -> None:
    open_practice.stage.entra.secret_has_expired()
    assert "has expired. Under Certificates & secrets" in await open_practice.only_wrong()


@pytest.mark.parametrize(
    ("days", "sentence"),
    [(-1, "The certificate ended on"), (29, "The certificate ends on"), (31, "")],
)
async def test_a_certificate_that_ends_is_told_a_month_before(
    days: int, sentence: str, open_practice: Practice, tmp_path: Path
) -> None:
    key, certificate = self_signed(days)
    open_practice.stage.entra.register_certificate(certificate)
    file = tmp_path / "herald.pem"
    file.write_bytes(key + certificate)
    found = await open_practice.wrongs(MICROSOFT_APP_CERTIFICATE=str(file))
    if sentence:
        assert [one.sentence.startswith(sentence) for one in found] == [True]
        assert found[0].remedy.startswith("Upload a new one under Certificates & secrets")
    else:
        assert found == []


async def test_a_certificate_that_was_not_uploaded_is_named(
    open_practice: Practice, tmp_path: Path
) -> None:
    file = tmp_path / "herald.pem"
    file.write_bytes(b"".join(self_signed(90)))
    said = await open_practice.only_wrong(MICROSOFT_APP_CERTIFICATE=str(file))
    assert "doesn't know the certificate" in said
    assert "Upload its public part" in said


async def test_an_address_that_is_another_applications_is_told(
    open_practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registration, "_claims", lambda _: {"ver": "2.0", "aud": NOBODY})
    said = await open_practice.only_wrong()
    assert "belongs to another application" in said
    assert "set the Application ID URI to exactly api://" in said


async def test_a_file_of_another_application_or_with_numbers_alone_is_told(
    open_practice: Practice,
) -> None:
    document = open_practice.document
    found = await open_practice.findings(app=document | {"appId": NOBODY})
    [wrong] = [one for one in found if one.verdict is Verdict.WRONG]
    assert "az ad app show --id" in wrong.remedy

    found = await open_practice.findings(app=document)
    assert "Compare their names" in _about("by numbers", found).remedy

    document["requiredResourceAccess"][0]["resourceAccess"].pop()
    found = await open_practice.findings(app=document)
    [wrong] = [one for one in found if one.verdict is Verdict.WRONG]
    assert wrong.remedy == "Under API permissions add those of docs/register.md."


def _about(words: str, found: list[Finding]) -> Finding:
    return next(one for one in found if words in one.sentence)


async def test_a_setting_that_is_mistyped_is_named(
    open_practice: Practice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text("RETENTON_DAYS=30\n", "utf-8")
    monkeypatch.setitem(Settings.model_config, "env_file", file)
    assert "RETENTON_DAYS stands in .env" in await open_practice.only_wrong()


# The network and the clock


async def test_addresses_of_something_else_are_told(open_practice: Practice) -> None:
    port = free_port()
    elsewhere = f"http://127.0.0.1:{port}"
    async with answering(port, 200):
        graph = await open_practice.only_wrong(GRAPH_URL=elsewhere)
        keys = await open_practice.only_wrong(BOT_OPENID_METADATA_URL=elsewhere)
        entra = await open_practice.only_wrong(ENTRA_AUTHORITY=elsewhere)
    assert "See whether GRAPH_URL is right" in graph
    assert "Take BOT_OPENID_METADATA_URL out" in keys
    assert "See whether ENTRA_AUTHORITY is right" in entra


async def test_services_that_cannot_be_reached_are_named(open_practice: Practice) -> None:
    nowhere = "https://127.0.0.1:9"
    assert "Entra can't be reached" in await open_practice.only_wrong(ENTRA_AUTHORITY=nowhere)
    assert "Graph can't be reached" in await open_practice.only_wrong(GRAPH_URL=nowhere)
    keys = await open_practice.only_wrong(BOT_OPENID_METADATA_URL=nowhere)
    assert "keys of Teams' calls can't be read" in keys


async def test_a_service_that_is_down_is_named(open_practice: Practice) -> None:
    open_practice.stage.world.faults.entra_down = True
    assert "Entra answered 503" in await open_practice.only_wrong()


async def test_a_clock_that_is_wrong_is_seen(
    open_practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    from bot.admin.checks import network

    class Fast:
        @staticmethod
        def time() -> float:
            return time.time() + 600

    monkeypatch.setattr(network, "time", Fast)
    assert "seconds ahead of Entra's" in await open_practice.only_wrong()


# Herald from outside


async def test_a_herald_that_does_not_run_is_noticed(practice: Practice) -> None:
    assert "Start Herald" in await practice.only_wrong()


async def test_what_herald_says_of_itself_is_passed_on(practice: Practice, serve: Serve) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    ready = "Herald on this machine says that it is ready."
    async with serve(PUBLIC_URL=practice.stage.app_url, METRICS_PORT=port):
        found = await practice.findings(METRICS_PORT=port)
        assert ready in [one.sentence for one in found]
    async with serve(PUBLIC_URL=practice.stage.app_url), answering(int(port), 503):
        assert "not ready: it answered 503" in await practice.only_wrong(METRICS_PORT=port)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (502, "doesn't reach Herald"),
        (200, "answers 200 to a request without a signature"),
        (308, "which Teams doesn't follow"),
        (401, "pass /auth/ on"),
    ],
)
async def test_something_else_at_the_public_address_is_told_from_herald(
    practice: Practice, status: int, sentence: str
) -> None:
    async with answering(practice.stage.app_port, status):
        assert sentence in await practice.only_wrong()
