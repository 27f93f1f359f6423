"""`python -m bot db copy --to …`: to the other kind of database and back, on real ones."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from bot.delivery import moving
from bot.delivery.database import Database
from bot.delivery.models import BATCHES, DELIVERIES, State
from bot.delivery.moving import TABLES
from sandbox.stage import Stage
from tests.admin.shell import Ran, bot
from tests.admin.test_deliveries import in_an_hour, texted
from tests.conftest import Serve
from tests.desk import Desk
from tests.postgres import Postgres


@pytest.fixture
def other_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> str:
    """An empty database of the other kind."""
    if not database_url.startswith("sqlite"):
        return f"sqlite+aiosqlite:///{tmp_path / 'other.sqlite3'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new()


class Removal:
    """An administrator who moves from one database to another."""

    def __init__(self, stage: Stage, url: str, other: str) -> None:
        self.stage, self.url, self.other = stage, url, other

    async def bot(self, *arguments: str, url: str = "") -> Ran:
        return await bot(self.stage.environment(DATABASE_URL=url or self.url), *arguments)

    async def copy(self, *, to: str = "", url: str = "") -> Ran:
        return await self.bot("db", "copy", "--to", to or self.other, url=url)


@pytest.fixture
def removal(stage: Stage, database_url: str, other_url: str) -> Removal:
    return Removal(stage, database_url, other_url)


async def contents(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Every record of every table, but for what a database says of itself."""
    database = Database(url)
    found = {}
    async with database.read() as connection:
        for table in TABLES:
            rows = await connection.execute(select(table).order_by(*table.primary_key.columns))
            found[table.name] = [tuple(row) for row in rows]
    await database.close()
    found["once"] = [row for row in found["once"] if not str(row[0]).startswith("moved")]
    return found


async def write(url: str, *statements: object) -> None:
    database = Database(url)
    try:
        async with database.write() as connection:
            for statement in statements:
                await connection.execute(statement)  # type: ignore[call-overload]
    finally:
        await database.close()


def posted(stage: Stage) -> int:
    """How many texts left."""
    return len([call for call in stage.world.graph_calls if call.path.endswith("AppointmentSms")])


async def test_all_of_it_goes_to_the_other_kind_and_people_go_on_there(
    removal: Removal,
    serve: Serve,
    at_desk: Callable[[str], Desk],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(moving, "_AT_ONCE", 1)
    adele, lee = at_desk("Adele"), at_desk("Lee")
    async with serve(DATABASE_URL=removal.url):
        await texted(adele)
        await texted(adele, **in_an_hour(adele))
        await lee.teams.install(lee.person)
        await lee.say("notify")  # signs Lee in
    before = await contents(removal.url)
    assert {len(before[name]) for name in ("deliveries", "batches", "token_caches")} == {2}

    ran = await removal.copy()
    assert ran.code == 0, ran.err
    assert "Copied 2 deliveries with 2 requests, and 2 sign-ins." in ran.out
    assert await contents(removal.other) == before

    async with serve(DATABASE_URL=removal.other):
        await lee.say("whoami")
        assert "Lee" in lee.shown, "nobody has to sign in again"
        await texted(adele)
        await adele.say("history")
        assert adele.shown.count("Accepted") >= 2
    assert posted(removal.stage) == 2, "the scheduled one still waits"


async def test_what_may_have_left_does_not_leave_again_and_a_form_counts_once(
    removal: Removal, serve: Serve, at_desk: Callable[[str], Desk]
) -> None:
    adele = at_desk("Adele")
    async with serve(DATABASE_URL=removal.url):
        await texted(adele)
    # As a process leaves it that is killed with the text on the wire.
    on_the_wire = {"state": "sending", "owner": "gone", "lease_until_ms": 0, "settled_at_ms": None}
    await write(removal.url, update(BATCHES).values(on_the_wire))
    assert (await removal.copy()).code == 0

    async with serve(DATABASE_URL=removal.other):
        async with asyncio.timeout(20):
            while (await contents(removal.other))["batches"][0][6] != State.UNKNOWN.value:
                await asyncio.sleep(0.1)
    assert posted(removal.stage) == 1
    [delivery] = (await contents(removal.other))["deliveries"]
    with pytest.raises(IntegrityError):
        await write(removal.other, insert(DELIVERIES).values(("f" * 32, *delivery[1:])))


async def test_the_old_one_is_left_for_good_so_that_nothing_leaves_twice(removal: Removal) -> None:
    assert (await removal.copy()).code == 0
    sentence = "Everything in this database was moved to another one."
    commands = {("db", "check"): 1, ("db", "upgrade"): 2, ("deliveries", "list"): 2}
    for command, code in commands.items():
        ran = await removal.bot(*command)
        assert (ran.code, sentence in ran.err) == (code, True), ran.err


async def test_what_stopped_between_the_two_is_finished_by_the_same_command_alone(
    removal: Removal, serve: Serve, at_desk: Callable[[str], Desk], tmp_path: Path
) -> None:
    async with serve(DATABASE_URL=removal.url):
        await texted(at_desk("Adele"))
    before = await contents(removal.url)
    assert (await removal.copy()).code == 0
    # As if the power had gone before the second of the two commits.
    await write(removal.other, *(delete(table) for table in reversed(TABLES)))

    third = await removal.copy(to=f"sqlite+aiosqlite:///{tmp_path / 'third.sqlite3'}")
    assert (third.code, "moved to another one" in third.err) == (2, True)
    assert (await removal.copy()).code == 0
    assert await contents(removal.other) == before


async def test_a_fault_on_the_way_leaves_the_other_one_empty_and_this_one_as_it_was(
    removal: Removal,
    serve: Serve,
    at_desk: Callable[[str], Desk],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serve(DATABASE_URL=removal.url):
        await texted(at_desk("Adele"))
    before = await contents(removal.url)
    counted: list[int] = []

    async def counting(connection: object, table: object) -> int:
        counted.append(1)
        return len(counted)

    monkeypatch.setattr(moving, "_count", counting)
    ran = await removal.copy()
    assert (ran.code, "Not everything arrived" in ran.err) == (2, True), ran.err
    assert await contents(removal.url) == before
    assert not any((await contents(removal.other)).values())
    assert (await removal.bot("db", "check")).code == 0


async def test_a_database_that_holds_something_is_refused_and_left_alone(
    removal: Removal, serve: Serve, at_desk: Callable[[str], Desk]
) -> None:
    async with serve(DATABASE_URL=removal.other):
        await texted(at_desk("Adele"))
    before = await contents(removal.other)
    ran = await removal.copy()
    assert (ran.code, "The other database is not empty." in ran.err) == (2, True), ran.err
    assert await contents(removal.other) == before
    assert (await removal.bot("db", "check")).code == 0


async def test_while_herald_runs_on_either_of_them_nothing_is_copied(
    removal: Removal, serve: Serve
) -> None:
    for url in (removal.url, removal.other):
        async with serve(DATABASE_URL=url):
            ran = await removal.copy()
        on_sqlite = "Herald already works on this SQLite file."
        sentence = on_sqlite if url.startswith("sqlite") else "Herald is connected to that database"
        assert (ran.code, sentence in ran.err) == (2, True), ran.err
    assert (await removal.bot("db", "check")).code == 0


async def test_what_cannot_be_copied_is_told_in_a_sentence(
    stage: Stage, empty_database_url: str, tmp_path: Path
) -> None:
    other = f"sqlite+aiosqlite:///{tmp_path / 'other.sqlite3'}"
    removal = Removal(stage, empty_database_url, other)

    async def told(to: str = other) -> str:
        ran = await removal.copy(to=to)
        assert (ran.code, ran.out) == (2, "")
        return ran.err

    assert "There is nothing in this database" in await told()
    assert (await removal.bot("db", "upgrade")).code == 0
    assert "the database that Herald has already" in await told(removal.url)
    assert "must be an address such as" in await told("mysql://somewhere")
    for number, sentence in (("0001", "db upgrade` first"), ("9999", "newer version of Herald")):
        change = text("UPDATE alembic_version SET version_num = :number").bindparams(number=number)
        await write(removal.url, change)
        assert sentence in await told()
    assert not (tmp_path / "other.sqlite3").exists()
