"""`python -m bot doctor` on what is stored and what is uploaded: each thing broken in turn."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.admin import package as app_package
from bot.delivery.database import Database
from bot.delivery.moving import move
from bot.settings import Settings
from tests.admin.conftest import Folder
from tests.admin.practice import NOBODY, Practice
from tests.admin.test_deliveries import in_an_hour, texted
from tests.desk import Desk

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


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        ("0001", "is from an older version. Run python -m bot db upgrade"),
        ("9999", "A newer version of Herald wrote the SQLite database. Install that version again"),
    ],
)
async def test_a_database_of_another_version_is_told(
    version: str, sentence: str, practice: Practice, tmp_path: Path
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'other.sqlite3'}"
    database = Database(url)
    await database.open()
    async with database.write() as connection:
        change = text("UPDATE alembic_version SET version_num = :version")
        await connection.execute(change, {"version": version})
    await database.close()
    found = await practice.wrongs(DATABASE_URL=url)
    assert sentence in f"{found[0].sentence} {found[0].remedy}"


async def test_a_database_that_was_left_for_another_is_told(
    practice: Practice, tmp_path: Path
) -> None:
    url, other = (f"sqlite+aiosqlite:///{tmp_path / name}" for name in ("old.db", "new.db"))
    source, target = Database(url), Database(other)
    await source.open()
    await source.close()
    await move(source, target, lambda _total: lambda _done: None)
    await target.close()
    await source.close()
    found = await practice.wrongs(DATABASE_URL=url)
    assert "was moved to another one" in found[0].sentence
    assert found[0].remedy == "Put the other one's address into DATABASE_URL."


async def test_records_under_an_older_key_are_counted(
    open_practice: Practice, at_desk: Callable[[str], Desk]
) -> None:
    await texted(at_desk("Adele"))
    keys = f"{'n' * 32},{open_practice.stage.environment()['SECRET_KEYS']}"
    found = await open_practice.findings(SECRET_KEYS=keys)
    assert any("keys rotate moves them" in one.sentence for one in found)


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


async def test_a_waiting_notice_of_a_kind_that_was_taken_out_is_told(
    open_practice: Practice,
    at_desk: Callable[[str], Desk],
    folder: Folder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lee, megan = at_desk("Lee"), open_practice.stage.world.named("Megan")
    await lee.teams.install(lee.person)
    await lee.say("notify")
    await lee.press("notice.choose_kind", activity_type="patientArrived")
    values = {"param_patientInitials": "M.B.", "preview": "Room 3", "recipients": megan.id}
    await lee.press("Review", **values, **in_an_hour(lee))
    await lee.press("notice.send")
    assert await open_practice.wrongs() == []

    def without(manifest: Any) -> None:
        kinds = manifest["activities"]["activityTypes"]
        kinds[:] = [kind for kind in kinds if kind["type"] != "patientArrived"]

    folder.change("manifest.json", without)
    monkeypatch.setattr(app_package, "MANIFEST_DIR", folder.path)
    said = await open_practice.only_wrong()
    assert "1 waiting notices are of the kind patientArrived" in said
    assert "Put it back into activityTypes, or cancel them" in said


async def test_a_good_package_of_an_earlier_manifest_is_told(
    open_practice: Practice, folder: Folder
) -> None:
    folder.change("manifest.json", lambda value: value.update(version="0.0.9"))
    earlier = app_package.build(open_practice.settings(), folder.path)
    assert "Raise version in manifest/manifest.json" in await open_practice.only_wrong(
        package=earlier
    )


async def test_without_microsofts_schemas_it_says_how_to_get_them(
    open_practice: Practice, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(app_package.build, "__kwdefaults__", {"schemas_dir": tmp_path / "no"})
    assert "Run npm ci --omit=dev beside app.py." in await open_practice.only_wrong()
