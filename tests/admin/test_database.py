"""`python -m bot db …`, on both kinds of database."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from bot.admin.cli import app
from bot.delivery.database import Database
from bot.settings import Settings
from tests.admin.conftest import ENVIRONMENT


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, empty_database_url: str) -> None:
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    for name, value in {**ENVIRONMENT, "DATABASE_URL": empty_database_url}.items():
        monkeypatch.setenv(name, value)


def db(command: str) -> Result:
    return CliRunner().invoke(app, ["db", command])


async def _become_newer(url: str) -> None:
    database = Database(url)
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await database.close()


async def _while_occupied(url: str) -> Result:
    database = Database(url)
    await database.open()
    result = await asyncio.to_thread(db, "upgrade")
    await database.close()
    return result


def test_an_empty_database_is_told_filled_and_told_again(tmp_path: Path) -> None:
    told = db("check")
    assert (told.exit_code, told.stdout) == (1, "")
    assert "has no tables yet" in told.stderr
    assert list(tmp_path.glob("*.sqlite3")) == []

    assert "The tables are made." in db("upgrade").stdout
    assert "was up to date" in db("upgrade").stdout
    told = db("check")
    assert (told.exit_code, told.stdout) == (0, "The database is up to date.\n")


def test_a_newer_database_is_left_alone(empty_database_url: str) -> None:
    db("upgrade")
    asyncio.run(_become_newer(empty_database_url))
    for command, code in (("check", 1), ("upgrade", 2)):
        result = db(command)
        assert result.exit_code == code
        assert "newer version of Herald" in result.stderr


def test_a_sqlite_file_that_the_app_works_on_is_left_alone(empty_database_url: str) -> None:
    result = asyncio.run(_while_occupied(empty_database_url))
    if empty_database_url.startswith("sqlite"):
        assert result.exit_code == 2
        assert "already works on this SQLite file" in result.stderr
    else:
        assert result.exit_code == 0
