"""`python -m bot package`, as an administrator runs it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.admin import cli
from bot.admin import package as app_package
from bot.admin.cli import app
from bot.errors import StaleButton
from bot.settings import ROOT, Settings
from tests.admin.conftest import ENVIRONMENT


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_the_package_is_written_and_said_to_be_good(tmp_path: Path) -> None:
    out = tmp_path / "herald.zip"
    result = run("package", "--out", str(out))
    assert result.exit_code == 0, result.output
    assert f"Wrote {out} for https://herald.contoso.example" in result.stdout
    assert zipfile.ZipFile(out).testzip() is None


def test_missing_settings_are_named_line_by_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PUBLIC_URL")
    monkeypatch.setenv("TEAMS_APP_ID", "herald")
    out = tmp_path / "herald.zip"
    result = run("package", "--out", str(out))
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "Herald is not set up:",
        "PUBLIC_URL is not set",
        "TEAMS_APP_ID must be a GUID, as Entra and the manifest write it",
    ]
    assert not out.exists()


def test_a_package_with_a_problem_is_not_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(_: Settings) -> bytes:
        raise app_package.PackageError(["manifest.json: name.short is too long."])

    monkeypatch.setattr(app_package, "build", broken)
    out = tmp_path / "herald.zip"
    out.write_bytes(b"the last good one")
    result = run("package", "--out", str(out))
    assert result.exit_code == 1
    assert result.stderr == "No package was written:\nmanifest.json: name.short is too long.\n"
    assert out.read_bytes() == b"the last good one"


def test_without_the_npm_packages_it_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        app_package.build, "__kwdefaults__", {"schemas_dir": tmp_path / "node_modules"}
    )
    result = run("package", "--out", str(tmp_path / "herald.zip"))
    assert result.exit_code == 1
    assert "run `npm install`" in result.stderr


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    out = tmp_path / "nowhere" / "herald.zip"
    result = run("package", "--out", str(out))
    assert result.exit_code == 1
    assert result.stderr == f"{out} can't be written: No such file or directory.\n"


def test_alone_it_shows_the_commands() -> None:
    result = run()
    assert "package" in result.output
    assert "Traceback" not in result.output


def test_it_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    out = tmp_path / "herald.zip"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-m", "bot", "package", "--out", str(out)],
        cwd=ROOT,
        env=os.environ | ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert out.stat().st_size > 10_000


def test_two_machines_make_the_same_package_to_the_byte(tmp_path: Path) -> None:
    """Another clock, language, order of sets and mask of files, and started somewhere else."""
    machines = [
        ({"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "1"}, 0o077),
        ({"TZ": "Asia/Kolkata", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "2"}, 0o002),
    ]
    made = []
    for number, (environment, umask) in enumerate(machines):
        out = tmp_path / f"{number}.zip"
        subprocess.run(
            [sys.executable, "-m", "bot", "package", "--out", str(out)],
            cwd=ROOT if number else tmp_path,
            env=os.environ | ENVIRONMENT | environment | {"PYTHONPATH": str(ROOT)},
            umask=umask,
            check=True,
            timeout=60,
        )
        made.append(out.read_bytes())
    assert made[0] == made[1]


def test_it_starts_without_the_bots_own_machinery() -> None:
    listed = "import bot.admin.cli, sys; print(*{name.split('.')[0] for name in sys.modules})"
    ran = subprocess.run(
        [sys.executable, "-c", listed], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"botbuilder", "msal", "sqlalchemy", "aiohttp"} & set(ran.stdout.split())


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (StaleButton(), 1, "This card is from an earlier time"),
        (KeyError("+12063428631"), 3, "A fault of Herald's own: KeyError (cli.py:"),
    ],
)
def test_whatever_goes_wrong_ends_in_a_sentence_and_a_code(
    error: Exception,
    code: int,
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def failing(**_: object) -> None:
        raise error

    monkeypatch.setattr(cli, "app", failing)
    monkeypatch.setattr(cli.terminal, "quiet", lambda: None)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == code
    said = capsys.readouterr().err
    assert said.startswith(sentence)
    assert said.count("\n") == 1
    assert "8631" not in said


def test_a_mistyped_command_is_told_from_a_failed_one() -> None:
    assert run("deliverys").exit_code == 2
    assert run("deliveries", "show").exit_code == 2
