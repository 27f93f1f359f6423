"""`python -m bot doctor` against the stand-ins: all well, and each thing broken in turn."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.admin import package as app_package
from bot.admin.checks.findings import Finding, Verdict
from bot.admin.doctor import GROUPS, examine
from bot.settings import Settings
from sandbox.stage import Stage
from tests.admin.conftest import Folder
from tests.admin.shell import bot, process
from tests.admin.test_deliveries import texted
from tests.conftest import Serve, settings_of
from tests.desk import Desk

NOBODY = "00000000-0000-4000-8000-000000000000"
READERS = {"Application.Read.All", "Directory.Read.All"}


class Practice:
    """A registered application, Herald at its address, and the doctor."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.registration = stage.entra.registration
        stage.environment(PUBLIC_URL=stage.app_url)
        self.document = self.registration.document

    def settings(self, **changed: str) -> Settings:
        return settings_of(self.stage.environment(PUBLIC_URL=self.stage.app_url, **changed))

    async def findings(
        self, *, app: Any = None, package: bytes | None = None, **changed: str
    ) -> list[Finding]:
        looked = examine(self.settings(**changed), app=app, manifest_package=package)
        return [finding async for _, finding in looked]

    async def wrongs(self, **changed: Any) -> list[Finding]:
        """What is wrong, each with one thing to do."""
        found = [one for one in await self.findings(**changed) if one.verdict is Verdict.WRONG]
        assert all(one.remedy for one in found)
        return found

    async def only_wrong(self, **changed: Any) -> str:
        [finding] = await self.wrongs(**changed)
        return f"{finding.sentence} {finding.remedy}"


@pytest.fixture
def practice(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Practice:
    monkeypatch.setenv("SSL_CERT_FILE", str(stage.ca_file))
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    return Practice(stage)


@pytest.fixture
async def open_practice(practice: Practice, serve: Serve) -> AsyncIterator[Practice]:
    async with serve(PUBLIC_URL=practice.stage.app_url):
        yield practice


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


# The network and the clock


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


# The database


async def test_a_database_that_does_not_open_is_named(open_practice: Practice) -> None:
    away = "postgresql+asyncpg://herald:hidden@127.0.0.1:9/herald"
    found = await open_practice.wrongs(DATABASE_URL=away)
    assert "PostgreSQL database can't be opened" in found[0].sentence
    assert "hidden" not in str(found)


async def test_a_key_that_was_taken_away_is_noticed(
    open_practice: Practice, at_desk: Callable[[str], Desk]
) -> None:
    adele = at_desk("Adele")
    await adele.teams.install(adele.person)
    await adele.say("text")
    found = await open_practice.only_wrong(
        SECRET_KEYS="another-key-than-the-one-it-was-sealed-with"
    )
    assert "a key that is not in SECRET_KEYS" in found


# The package


async def test_a_manifest_that_lacks_something_is_named(
    open_practice: Practice, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_the_folder(settings: Settings) -> bytes:
        return build(settings, folder.path)

    build = app_package.build
    folder.change("manifest.json", lambda value: value["validDomains"].pop(0))
    monkeypatch.setattr(app_package, "build", of_the_folder)
    assert "validDomains lacks 127.0.0.1" in await open_practice.only_wrong()


async def test_an_uploaded_package_of_other_settings_is_told_from_the_right_one(
    open_practice: Practice,
) -> None:
    settings = open_practice.settings()
    assert await open_practice.wrongs(package=app_package.build(settings)) == []
    other = app_package.build(settings.model_copy(update={"teams_app_id": NOBODY}))
    assert "In the given package: manifest.json: id" in await open_practice.only_wrong(
        package=other
    )


# Herald from outside


async def test_a_herald_that_does_not_run_is_noticed(practice: Practice) -> None:
    assert "Start Herald" in await practice.only_wrong()


@asynccontextmanager
async def answering(port: int, status: int) -> AsyncIterator[None]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()
        await asyncio.sleep(0)


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
