"""`DATABASE_URL` and `WORKER`, as people write them."""

import pytest

from bot.errors import SettingsError
from bot.settings import read_settings
from tests.admin.conftest import ENVIRONMENT


def database_url(**changed: str) -> str:
    needed = {name.lower(): value for name, value in ENVIRONMENT.items()}
    return read_settings(_env_file=None, **{**needed, **changed}).database_url


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_postgresql_may_be_named_as_hosting_services_do(scheme: str) -> None:
    url = database_url(database_url=f"{scheme}://herald:a@db/herald?sslmode=require")
    assert url == "postgresql+asyncpg://herald:a@db/herald?sslmode=require"


def test_sqlite_may_be_named_without_its_driver() -> None:
    assert database_url(database_url="sqlite:///h.sqlite3") == "sqlite+aiosqlite:///h.sqlite3"


@pytest.mark.parametrize("url", ["kept.sqlite3", "mysql://db/herald", "postgresql+psycopg://db"])
def test_another_database_is_refused_by_name_and_without_its_words(url: str) -> None:
    with pytest.raises(SettingsError, match=r"DATABASE_URL must be an address such as") as raised:
        database_url(database_url=url)
    assert url not in str(raised.value)


def test_a_worker_apart_needs_postgresql() -> None:
    with pytest.raises(SettingsError, match="WORKER: none needs PostgreSQL"):
        database_url(worker="none")
    assert database_url(worker="none", database_url="postgres://db/herald")
