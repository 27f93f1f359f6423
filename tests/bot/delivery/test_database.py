"""Opening a database: whose it is, where its tables stand, what is in the way."""

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import text

from bot.delivery import upgrade
from bot.delivery.database import Database, DatabaseAway, DatabaseTooNew
from bot.delivery.occupancy import DatabaseInUse
from bot.delivery.upgrade import Standing
from tests.postgres import Postgres


def test_the_steps_are_those_that_alembic_finds_in_the_same_order() -> None:
    scripts = ScriptDirectory(str(Path(upgrade.__file__).parent / "migrations"))
    assert upgrade.steps() == [step.revision for step in scripts.walk_revisions()][::-1]


async def test_where_the_tables_stand_is_told_without_changing_them(
    empty_database_url: str,
) -> None:
    database = Database(empty_database_url)
    assert await database.standing() is Standing.EMPTY
    assert await database.standing() is Standing.EMPTY
    assert await database.migrate() is Standing.EMPTY
    assert await database.standing() is Standing.CURRENT
    assert await database.migrate() is Standing.CURRENT
    for version, stands in (("0000", Standing.NEWER), ("9999", Standing.NEWER)):
        async with database.write() as connection:
            await connection.execute(
                text("UPDATE alembic_version SET version_num = :to"), {"to": version}
            )
        assert await database.standing() is stands
        with pytest.raises(DatabaseTooNew):
            await database.migrate()
    await database.close()


async def test_a_sqlite_file_is_one_process_s_until_it_is_closed(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'herald.sqlite3'}"
    one, other = Database(url), Database(url)
    await one.open()
    with pytest.raises(DatabaseInUse, match="PostgreSQL"):
        await other.open()
    await one.close()
    await other.open()
    await other.close()


async def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("These are notes, and no database at all. " * 100)
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'notes.txt'}")
    with pytest.raises(DatabaseAway, match="Is DATABASE_URL right"):
        await database.open()
    await database.close()


async def test_a_role_that_may_not_make_tables_is_said(postgres: Postgres) -> None:
    url = postgres.new()
    owner = Database(url)
    async with owner.write() as connection:
        await connection.execute(text("CREATE ROLE reader LOGIN"))
    await owner.close()
    database = Database(url.replace("//postgres:", "//reader:"))
    with pytest.raises(DatabaseAway, match="42501"):
        await database.open()
    await database.close()


async def test_a_postgresql_that_never_comes_is_given_up() -> None:
    database = Database("postgresql+asyncpg://herald@127.0.0.1:1/herald")
    with pytest.raises(DatabaseAway, match="ConnectionRefusedError"):
        await database.open(patience_s=0)
    await database.close()
