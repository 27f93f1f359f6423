"""What PostgreSQL is there for: several replicas, a clock of its own, restarts."""

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import make_url, text

from bot.delivery import database as database_module
from bot.delivery.database import Database, StorageUnavailable, until_written
from bot.delivery.engines import postgres_engine
from bot.delivery.lanes import Lanes, Rates
from bot.delivery.ledger import Ledger
from bot.delivery.models import Kind, NewDelivery, Place, State
from bot.delivery.queue import Queue
from bot.delivery.upgrade import Standing
from bot.sealing import Seal
from tests.bot.delivery.test_ledger import ADELE, KEY
from tests.postgres import Postgres

PLACE = Place("https://smba.example/amer/", "a:1", "42")


@pytest.fixture
async def two(postgres: Postgres) -> AsyncIterator[tuple[Database, Database]]:
    """Two replicas' connections to one database."""
    url = postgres.new()
    both = Database(url), Database(url)
    await both[0].migrate()
    yield both
    for database in both:
        await database.close()


def queue(database: Database, *, rate: float = 100_000) -> Queue:
    rates = {kind: Rates(rate, 10 * rate) for kind in Kind}
    return Queue(database, Seal([KEY], "ledger"), Lanes(database, rates))


async def submit(database: Database, batches: int) -> str:
    wanted = NewDelivery(ADELE, "f1", Kind.NOTICE, PLACE, {}, {})
    ledger = Ledger(database, Seal([KEY], "ledger"))
    delivery, _ = await ledger.submit(wanted, [[f"{n}"] for n in range(batches)])
    return delivery.id


async def test_replicas_that_claim_at_the_same_moment_never_get_the_same_batch(
    two: tuple[Database, Database],
) -> None:
    await submit(two[0], 200)
    queues = [queue(database) for database in two]

    async def claim(number: int) -> list[int]:
        worker = queues[number % 2]
        claimed = await worker.claim(f"w{number}", kind=Kind.NOTICE, most=20, lease_ms=30_000)
        return [batch.id for batch in claimed]

    claims = await asyncio.gather(*(claim(number) for number in range(16)))
    ids = [batch_id for claimed in claims for batch_id in claimed]
    assert len(ids) == len(set(ids)) == 200


async def test_replicas_get_slots_of_one_lane_that_keep_its_distance(
    two: tuple[Database, Database],
) -> None:
    await submit(two[0], 40)
    queues = [queue(database, rate=50) for database in two]
    claims = await asyncio.gather(
        *(q.claim(f"w{n}", kind=Kind.NOTICE, most=10, lease_ms=1) for n, q in enumerate(queues * 2))
    )
    starts = sorted(batch.starts_at_ms for claimed in claims for batch in claimed)
    assert len(starts) > 10
    assert min(b - a for a, b in itertools.pairwise(starts)) >= 20


async def test_replicas_that_take_over_and_finish_at_the_same_moment_do_not_lock_each_other(
    two: tuple[Database, Database],
) -> None:
    delivery_id = await submit(two[0], 300)
    one, other = (queue(database) for database in two)
    batches = [
        batch
        for _ in range(3)
        for batch in await one.claim("w1", kind=Kind.NOTICE, most=100, lease_ms=-1)
    ]
    await asyncio.gather(
        *(
            until_written(lambda batch=batch: one.settle(batch, State.ACCEPTED, worker="w1"))
            for batch in reversed(batches)
        ),
        until_written(lambda: other.recover(all_of_them=False)),
    )
    found = await Ledger(two[1], Seal([KEY], "ledger")).any_delivery(delivery_id)
    assert found is not None
    assert found.batches(State.ACCEPTED, State.QUEUED) == 300


async def test_replicas_that_start_together_make_the_tables_once(postgres: Postgres) -> None:
    url = postgres.new()
    databases = [Database(url) for _ in range(4)]
    stood = await asyncio.gather(*(database.open() for database in databases))
    assert sorted(stood, key=str) == [*[Standing.CURRENT] * 3, Standing.EMPTY]
    for database in databases:
        await database.close()


async def test_the_clock_is_the_databases_and_is_read_again_when_ours_is_set(
    two: tuple[Database, Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    database = two[0]
    await database.read_clock()
    true_ms = database.clock_ms()
    real = database_module.time.time
    monkeypatch.setattr(database_module.time, "time", lambda: real() - 3_600)
    assert abs(database.clock_ms() - true_ms) > 3_000_000
    await database.read_clock()
    assert abs(database.clock_ms() - true_ms) < 5_000


async def test_a_restart_breaks_idle_connections_and_nobody_notices(
    two: tuple[Database, Database], postgres: Postgres
) -> None:
    database = two[0]
    await asyncio.gather(*(submit_nothing(database) for _ in range(8)))
    await asyncio.to_thread(postgres.stop)
    await asyncio.to_thread(postgres.start)
    await asyncio.gather(*(submit_nothing(database) for _ in range(8)))


async def submit_nothing(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("SELECT 1"))


async def test_what_is_on_its_way_when_it_stops_is_written_when_it_is_back(
    two: tuple[Database, Database], postgres: Postgres
) -> None:
    database = two[0]
    delivery_id = await submit(database, 1)
    works = queue(database)
    [batch] = await works.claim("w1", kind=Kind.NOTICE, most=1, lease_ms=30_000)
    await asyncio.to_thread(postgres.stop)
    with pytest.raises(StorageUnavailable):
        await works.settle(batch, State.ACCEPTED, worker="w1")
    written = asyncio.create_task(
        until_written(lambda: works.settle(batch, State.ACCEPTED, worker="w1"))
    )
    await asyncio.to_thread(postgres.start)
    await asyncio.wait_for(written, 10)
    found = await Ledger(database, Seal([KEY], "ledger")).any_delivery(delivery_id)
    assert found is not None
    assert found.batches(State.ACCEPTED) == 1


async def test_a_stop_while_the_database_is_away_does_not_give_up_at_once(
    two: tuple[Database, Database], postgres: Postgres
) -> None:
    """What left must not be forgotten because PostgreSQL restarts in the same moment."""
    database = two[0]
    delivery_id = await submit(database, 1)
    works = queue(database)
    [batch] = await works.claim("w1", kind=Kind.NOTICE, most=1, lease_ms=30_000)
    await asyncio.to_thread(postgres.stop)
    stopping = asyncio.Event()
    stopping.set()
    written = asyncio.create_task(
        until_written(
            lambda: works.settle(batch, State.ACCEPTED, worker="w1"), stop=stopping, grace_s=30
        )
    )
    await asyncio.to_thread(postgres.start)
    await asyncio.wait_for(written, 30)
    found = await Ledger(database, Seal([KEY], "ledger")).any_delivery(delivery_id)
    assert found is not None
    assert found.batches(State.ACCEPTED) == 1


async def test_a_stop_gives_up_when_the_database_stays_away() -> None:
    stopping = asyncio.Event()
    stopping.set()
    tries = 0

    async def away() -> None:
        nonlocal tries
        tries += 1
        raise StorageUnavailable

    with pytest.raises(StorageUnavailable):
        await until_written(away, stop=stopping, grace_s=0.25)
    assert tries >= 2


async def test_what_can_never_be_written_is_not_taken_for_an_outage(
    two: tuple[Database, Database],
) -> None:
    with pytest.raises(Exception, match="value too long") as raised:
        async with two[0].write() as connection:
            await connection.execute(
                text("INSERT INTO once (key, seen_at_ms) VALUES (:key, 1)"), {"key": "k" * 300}
            )
    assert not isinstance(raised.value, StorageUnavailable)


@pytest.mark.parametrize("query", ["sslmode=disable", "ssl=disable"])
async def test_the_words_of_hosted_databases_for_tls_are_understood(
    postgres: Postgres, query: str
) -> None:
    engine = postgres_engine(make_url(f"{postgres.new()}&{query}"))
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1
    await engine.dispose()
