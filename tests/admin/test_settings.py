"""`python -m bot settings`: what is set and from where; no secret is shown."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.admin.cli import app
from bot.settings import Settings
from tests.admin.conftest import ENVIRONMENT

SECRETS = (
    ENVIRONMENT["MICROSOFT_APP_PASSWORD"],
    ENVIRONMENT["SECRET_KEYS"],
    "s3cr3t/pass@word",
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    file = tmp_path / ".env"
    file.write_text(
        "RETENTION_DAYS=30\nRETENTON_DAYS=20\nDATABASE_URL=postgresql://me:s3cr3t/pass@word@db/x\n"
    )
    monkeypatch.setitem(Settings.model_config, "env_file", file)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return file


def settings(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["settings", *arguments])


def test_every_setting_is_shown_with_where_it_comes_from() -> None:
    rows = {row["name"]: row for row in json.loads(settings("--json").stdout)}
    assert list(rows) == [name.upper() for name in Settings.model_fields]
    assert rows["RETENTION_DAYS"] == {"name": "RETENTION_DAYS", "value": "30", "from": ".env"}
    assert rows["PORT"]["from"] == "default"
    assert rows["TEAMS_APP_ID"]["from"] == "environment"
    assert rows["TEAMS_CATALOG_APP_ID"]["from"] == "not set"
    for name, row in rows.items():
        assert f"{name} " in settings().stdout, row


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("retention_days", "40")
    rows = {row["name"]: row for row in json.loads(settings("--json").stdout)}
    assert (rows["RETENTION_DAYS"]["value"], rows["RETENTION_DAYS"]["from"]) == (
        "40",
        "environment",
    )


def test_no_secret_is_shown() -> None:
    for shown in (settings().output, settings("--json").output):
        for secret in SECRETS:
            assert secret not in shown
        assert "postgresql://me:••••••••@db/x" in shown
        assert "(1 key)" in shown


def test_a_name_that_is_no_setting_is_named(environment: Path) -> None:
    result = settings()
    assert result.exit_code == 0
    assert "RETENTON_DAYS stands in .env and is not a setting of Herald." in result.stderr


def test_what_is_wrong_is_said_below(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", "nowhere")
    result = settings()
    assert result.exit_code == 2
    assert "PUBLIC_URL" in result.stdout
    assert "PUBLIC_URL must be an address" in result.stderr
