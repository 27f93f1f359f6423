"""Tables of earlier versions, with what stands in them, brought up to date."""

from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from bot.actor import Actor
from bot.delivery import upgrade
from bot.delivery.database import Database
from bot.delivery.lanes import Lanes, Rates
from bot.delivery.ledger import Ledger
from bot.delivery.models import Kind, Place, State
from bot.delivery.queue import Queue
from bot.delivery.upgrade import Standing
from bot.sealing import Seal
from tests.older import unbound

ADELE = Actor("5eafa5f0-6c1f-4f4e-9d3d-0c4b3b1a7e01", "a0000001-0000-4000-8000-000000000001")
KEY = "k" * 40
SEAL = Seal([KEY], "ledger")
PLACE = Place("https://smba.example/amer/", "a:1", "42")
PEOPLE = [["ann", "bob"], ["cleo"], ["dan"]]


def tables_of(revision: str, connection: Connection) -> None:
    config = Config()
    config.set_main_option(
        "script_location", str(Path(upgrade.__file__).parent / "migrations").replace("%", "%%")
    )
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def first_version(connection: Connection) -> None:
    """A delivery of which one batch was accepted, one waits, and one of another was erased."""
    tables_of("0001", connection)
    for delivery_id, call in (("d" * 32, unbound({"topic": "x"}, KEY, "ledger")), ("e" * 32, None)):
        connection.execute(
            text(
                "INSERT INTO deliveries VALUES (:id, :tenant, :user, :form, 'notice', 7, 1, 1, 4,"
                " 0, :place, NULL, :call)"
            ),
            {
                "id": delivery_id,
                "tenant": ADELE.tenant_id,
                "user": ADELE.user_id,
                "form": f"form {delivery_id}",
                "place": unbound(vars(PLACE), KEY, "ledger"),
                "call": call,
            },
        )
    batch(connection, "d", 0, "accepted", PEOPLE[0])
    batch(connection, "d", 1, "queued", PEOPLE[1])
    batch(connection, "d", 2, "refused", PEOPLE[2])
    batch(connection, "e", 0, "refused", None)
    connection.execute(
        text("INSERT INTO lanes VALUES (:key, 'notice', :tenant, 0)"),
        {"key": f"notice {ADELE.tenant_id}", "tenant": ADELE.tenant_id},
    )


def batch(
    connection: Connection, letter: str, position: int, state: str, people: list[str] | None
) -> None:
    values: dict[str, Any] = {
        "delivery_id": letter * 32,
        "position": position,
        "tenant_id": ADELE.tenant_id,
        "user_id": ADELE.user_id,
        "kind": "notice",
        "state": state,
        "people": len(people or [1]),
        "attempt": 1,
        "doubted": 0,
        "insisted": 0,
        "due_at_ms": 1,
        "settled_at_ms": None if state == "queued" else 5,
        "problem": "",
        "code": "",
        "request_id": "",
        "sealed_people": unbound(people, KEY, "ledger") if people else None,
    }
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(text(f"INSERT INTO batches ({names}) VALUES ({marks})"), values)  # noqa: S608


@pytest.fixture
async def database(empty_database_url: str) -> Any:
    database = Database(empty_database_url)
    async with database.write() as connection:
        await connection.run_sync(first_version)
    yield database
    await database.close()


async def test_what_the_first_version_wrote_is_sent_shown_and_decided(database: Database) -> None:
    assert await database.migrate() is Standing.BEHIND
    assert await database.migrate() is Standing.CURRENT
    ledger = Ledger(database, SEAL)
    rates = {kind: Rates(1_000, 1_000) for kind in Kind}
    queue = Queue(database, SEAL, Lanes(database, rates))

    found = await ledger.people("d" * 32)
    assert [people for _, people in found] == PEOPLE
    [claimed] = await queue.claim("w1", kind=Kind.NOTICE, most=10, lease_ms=30_000)
    assert claimed.people == PEOPLE[1]
    delivery = await ledger.delivery(ADELE, "d" * 32)
    assert delivery.place == PLACE
    assert await ledger.retry(delivery, seen_ms=5) == 1
    [again] = await queue.claim("w1", kind=Kind.NOTICE, most=10, lease_ms=30_000)
    assert again.people == PEOPLE[2]


async def test_what_was_erased_stays_erased_and_goes_no_more(database: Database) -> None:
    await database.migrate()
    ledger = Ledger(database, SEAL)
    assert await ledger.people("e" * 32) == []
    erased = await ledger.delivery(ADELE, "e" * 32)
    assert await ledger.retry(erased, seen_ms=5) == 0
    assert erased.people(State.REFUSED) == 1


async def test_retention_erases_what_came_along(database: Database) -> None:
    await database.migrate()
    ledger = Ledger(database, SEAL)
    queue = Queue(database, SEAL, Lanes(database, {kind: Rates(9, 9) for kind in Kind}))
    [claimed] = await queue.claim("w1", kind=Kind.NOTICE, most=10, lease_ms=30_000)
    await queue.settle(claimed, State.ACCEPTED, worker="w1")
    # Two: of what the first version erased, it kept whose it was.
    assert await ledger.erase(before_ms=ledger.clock_ms()) == 2
    assert await ledger.people("d" * 32) == []
    async with database.read() as connection:
        left = (await connection.execute(text("SELECT count(*) FROM recipients"))).scalar_one()
    assert left == 0
    assert (await ledger.delivery(ADELE, "d" * 32)).total == 4
