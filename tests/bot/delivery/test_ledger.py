"""The ledger's rules, on a real database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, text

from bot.actor import Actor
from bot.delivery import models
from bot.delivery.database import Database, DatabaseTooNew
from bot.delivery.drafts import Drafts, Once
from bot.delivery.ledger import Ledger
from bot.delivery.models import Batch, Kind, NewBatch, Place, State
from bot.errors import StaleButton
from bot.identity import token_cache
from bot.sealing import Seal

ADELE = Actor("5eafa5f0-6c1f-4f4e-9d3d-0c4b3b1a7e01", "a0000001-0000-4000-8000-000000000001")
MEGAN = ADELE._replace(user_id="a0000002-0000-4000-8000-000000000002")
PLACE = Place("https://smba.example/amer/", "a:1", "42")
KEY = "k" * 40
NUMBER = "+12063428631"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite3'}")
    await database.migrate()
    yield database
    await database.close()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database, Seal([KEY], "ledger"))


async def submit(
    ledger: Ledger,
    form_id: str = "f1",
    kind: Kind = Kind.TEXT,
    actor: Actor = ADELE,
    count: int = 1,
) -> models.Delivery:
    batches = [NewBatch({"to": NUMBER}, 2) for _ in range(count)]
    delivery, _ = await ledger.submit(actor, form_id, kind, PLACE, {"to": NUMBER}, batches)
    return delivery


async def claim(ledger: Ledger, worker: str = "w1", kind: Kind = Kind.TEXT) -> list[Batch]:
    return await ledger.claim(worker, kind=kind, most=10, lease_ms=45_000)


async def states(ledger: Ledger, delivery: models.Delivery) -> list[State]:
    return [b.state for b in (await ledger.delivery(delivery.actor, delivery.id)).batches]


async def test_second_submit_of_one_form_starts_no_second_delivery(ledger: Ledger) -> None:
    first = await submit(ledger)
    second, is_new = await ledger.submit(
        ADELE, "f1", Kind.TEXT, PLACE, {"other": 1}, [NewBatch({}, 1)]
    )
    assert not is_new
    assert second == first
    assert len(await claim(ledger)) == 1


async def test_the_same_form_id_of_another_actor_is_another_delivery(ledger: Ledger) -> None:
    first = await submit(ledger)
    second = await submit(ledger, actor=MEGAN)
    assert first.id != second.id


async def test_a_delivery_is_shown_to_its_owner_alone(ledger: Ledger) -> None:
    delivery = await submit(ledger)
    with pytest.raises(StaleButton):
        await ledger.delivery(MEGAN, delivery.id)


async def test_a_batch_is_claimed_by_one_worker(ledger: Ledger) -> None:
    await submit(ledger)
    assert len(await claim(ledger, "w1")) == 1
    assert await claim(ledger, "w2") == []


async def test_only_the_claimer_passes_the_fence_and_only_once(ledger: Ledger) -> None:
    await submit(ledger)
    [batch] = await claim(ledger, "w1")
    assert not await ledger.fence(batch, "w2", lease_ms=1)
    assert await ledger.fence(batch, "w1", lease_ms=1)
    assert not await ledger.fence(batch, "w1", lease_ms=1)


async def test_a_result_is_written_once(ledger: Ledger) -> None:
    delivery = await submit(ledger)
    [batch] = await claim(ledger)
    await ledger.fence(batch, "w1", lease_ms=1)
    assert await ledger.settle(batch.id, State.ACCEPTED, worker="w1", status=202)
    assert not await ledger.settle(batch.id, State.REFUSED, worker="w1")
    assert await states(ledger, delivery) == [State.ACCEPTED]


async def test_after_a_crash_a_text_on_the_wire_is_unknown_and_never_sent_again(
    ledger: Ledger,
) -> None:
    delivery = await submit(ledger)
    [batch] = await claim(ledger)
    await ledger.fence(batch, "w1", lease_ms=1)
    assert await ledger.recover(all_of_them=True) == [delivery.id]
    assert await states(ledger, delivery) == [State.UNKNOWN]
    assert await claim(ledger, "w2") == []


async def test_after_a_crash_a_notification_on_the_wire_goes_again_with_its_chain_id(
    ledger: Ledger,
) -> None:
    delivery = await submit(ledger, kind=Kind.NOTICE)
    [batch] = await claim(ledger, kind=Kind.NOTICE)
    await ledger.fence(batch, "w1", lease_ms=1)
    await ledger.recover(all_of_them=True)
    [again] = await claim(ledger, "w2", Kind.NOTICE)
    assert again.call["chain_id"] == batch.call["chain_id"] == delivery.chain_id


async def test_after_a_crash_what_was_only_claimed_goes_back(ledger: Ledger) -> None:
    await submit(ledger)
    await claim(ledger)
    await ledger.recover(all_of_them=True)
    assert len(await claim(ledger, "w2")) == 1


async def test_a_live_lease_is_not_taken_over(database: Database) -> None:
    now = 1_000_000
    ledger = Ledger(database, Seal([KEY], "ledger"), clock_ms=lambda: now)
    await submit(ledger)
    await claim(ledger)
    assert await ledger.recover(all_of_them=False) == []
    now += 45_001
    assert len(await ledger.recover(all_of_them=False)) == 1


async def test_what_waits_for_sign_in_is_woken_for_its_owner_alone(ledger: Ledger) -> None:
    delivery = await submit(ledger)
    [batch] = await claim(ledger)
    await ledger.settle(batch.id, State.NEEDS_SIGN_IN, worker="w1", problem="SignInNeeded")
    assert await ledger.wake(MEGAN) == []
    assert await ledger.wake(ADELE) == [delivery.id]
    assert len(await claim(ledger)) == 1


async def test_a_batch_whose_key_was_taken_away_stops_itself_and_not_the_worker(
    database: Database, ledger: Ledger
) -> None:
    lost = await submit(ledger, "f1")
    newer = Ledger(database, Seal(["n" * 40], "ledger"))
    [good] = (await submit(newer, "f2", actor=MEGAN)).batches
    claimed = await newer.claim("w1", kind=Kind.TEXT, most=10, lease_ms=1)
    assert [batch.id for batch in claimed] == [good.id]
    [state] = await states(ledger, lost)
    assert state is State.REFUSED


async def test_the_database_file_holds_no_number(database: Database, ledger: Ledger) -> None:
    await submit(ledger)
    await Drafts(database, Seal([KEY], "drafts")).keep(ADELE, "f2", Kind.TEXT, {"to": NUMBER})
    async with database.write() as connection:
        await connection.execute(text("SELECT 1"))
    folder = Path(database.url.database or "").parent
    written = b"".join(path.read_bytes() for path in folder.iterdir())
    assert NUMBER.encode() not in written


async def test_a_draft_is_its_owners_and_its_newest_word_counts(database: Database) -> None:
    drafts = Drafts(database, Seal([KEY], "drafts"))
    await drafts.keep(ADELE, "f1", Kind.TEXT, {"n": 1})
    await drafts.keep(ADELE, "f1", Kind.TEXT, {"n": 2})
    assert await drafts.read(ADELE, "f1", Kind.TEXT) == {"n": 2}
    with pytest.raises(StaleButton):
        await drafts.read(MEGAN, "f1", Kind.TEXT)
    with pytest.raises(StaleButton):
        await drafts.read(ADELE, "f1", Kind.NOTICE)


async def test_a_key_is_new_once(database: Database) -> None:
    once = Once(database)
    assert await once.first_time("exchange 1")
    assert not await once.first_time("exchange 1")


async def test_the_migrations_make_just_the_tables_that_the_code_knows(database: Database) -> None:
    both = MetaData()
    for table in (*models.METADATA.tables.values(), *token_cache.METADATA.tables.values()):
        table.to_metadata(both)
    async with database.write() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), both)
        )
    assert differences == []


async def test_a_database_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'newer.sqlite3'}")
    await database.migrate()
    async with database.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseTooNew, match="newer version"):
        await database.migrate()
    await database.close()
