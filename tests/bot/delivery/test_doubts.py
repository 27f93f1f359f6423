"""What is remembered of a batch beside its state: a doubt, and that its owner insisted."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from bot.delivery.database import Database
from bot.delivery.lanes import Lanes, Rates
from bot.delivery.ledger import OWNER_INSISTS, Ledger
from bot.delivery.models import BATCHES, INTERRUPTED, Batch, Delivery, Kind, NewDelivery, State
from bot.delivery.queue import Queue
from bot.sealing import Seal
from tests.bot.delivery.test_ledger import ADELE, KEY
from tests.bot.delivery.test_postgres import PLACE

LEASE_MS = 30_000


@dataclass
class Books:
    database: Database
    ledger: Ledger
    queue: Queue
    now_ms: int = 1_800_000_000_000

    async def submit(self, kind: Kind, *, in_ms: int = 0) -> Delivery:
        due_at_ms = self.now_ms + in_ms if in_ms else None
        wanted = NewDelivery(ADELE, "f1", kind, PLACE, {}, {}, due_at_ms=due_at_ms)
        delivery, _ = await self.ledger.submit(wanted, [["one"]])
        return delivery

    async def claim(self, kind: Kind) -> Batch:
        self.now_ms += 1_000
        [batch] = await self.queue.claim("w1", kind=kind, most=1, lease_ms=LEASE_MS)
        return batch

    async def row(self) -> tuple[str, int, int, str]:
        columns = BATCHES.c.state, BATCHES.c.doubted, BATCHES.c.insisted, BATCHES.c.problem
        async with self.database.read() as connection:
            state, doubted, insisted, problem = (await connection.execute(select(*columns))).one()
            return state, doubted, insisted, problem


@pytest.fixture
async def books(database_url: str) -> AsyncIterator[Books]:
    database = Database(database_url)
    await database.migrate()
    seal = Seal([KEY], "ledger")
    rates = {kind: Rates(100, 100) for kind in Kind}
    kept = Books(
        database,
        Ledger(database, seal, clock_ms=lambda: kept.now_ms),
        Queue(database, seal, Lanes(database, rates), clock_ms=lambda: kept.now_ms),
    )
    yield kept
    await database.close()


async def test_a_doubt_is_remembered_and_comes_back_with_the_next_claim(books: Books) -> None:
    await books.submit(Kind.NOTICE)
    batch = await books.claim(Kind.NOTICE)
    assert not batch.doubted
    await books.queue.again(batch, worker="w1", after_ms=0, problem="GraphSilent", doubt=True)
    batch = await books.claim(Kind.NOTICE)
    assert batch.doubted
    # Another reason to go again, which is no doubt, does not take it away.
    await books.queue.again(batch, worker="w1", after_ms=0, problem="GraphThrottled")
    assert (await books.claim(Kind.NOTICE)).doubted


async def test_without_a_doubt_none_is_made_up(books: Books) -> None:
    await books.submit(Kind.NOTICE)
    batch = await books.claim(Kind.NOTICE)
    await books.queue.again(batch, worker="w1", after_ms=0, problem="GraphUnreachable")
    assert not (await books.claim(Kind.NOTICE)).doubted


async def test_what_a_crash_caught_on_the_wire_is_in_doubt(books: Books) -> None:
    await books.submit(Kind.NOTICE)
    batch = await books.claim(Kind.NOTICE)
    assert await books.queue.fence(batch, "w1", lease_ms=LEASE_MS)
    await books.queue.recover(all_of_them=True)
    assert await books.row() == (State.QUEUED, 1, 0, "")
    assert (await books.claim(Kind.NOTICE)).doubted


async def test_what_a_crash_caught_before_the_wire_is_not(books: Books) -> None:
    await books.submit(Kind.NOTICE)
    await books.claim(Kind.NOTICE)
    await books.queue.recover(all_of_them=True)
    assert await books.row() == (State.QUEUED, 0, 0, "")


async def test_what_is_cancelled_in_doubt_is_unknown_and_never_cancelled(books: Books) -> None:
    delivery = await books.submit(Kind.NOTICE)
    batch = await books.claim(Kind.NOTICE)
    await books.queue.again(batch, worker="w1", after_ms=9_000, problem="GraphSilent", doubt=True)
    assert await books.ledger.cancel(delivery) == 0
    assert await books.row() == (State.UNKNOWN, 1, 0, INTERRUPTED)


async def test_what_is_cancelled_without_a_doubt_is_cancelled(books: Books) -> None:
    delivery = await books.submit(Kind.NOTICE)
    assert await books.ledger.cancel(delivery) == 1
    assert await books.row() == (State.CANCELLED, 0, 0, "")


async def test_what_its_owner_sends_again_after_an_unknown_end_is_in_doubt(books: Books) -> None:
    delivery = await books.submit(Kind.TEXT)
    batch = await books.claim(Kind.TEXT)
    await books.queue.settle(batch, State.UNKNOWN, worker="w1", problem="GraphSilent")
    assert await books.ledger.send_again(delivery, seen_ms=books.now_ms) == 1
    assert (await books.claim(Kind.TEXT)).doubted


async def held(books: Books) -> Delivery:
    delivery = await books.submit(Kind.TEXT)
    batch = await books.claim(Kind.TEXT)
    await books.queue.settle(batch, State.HELD, worker="w1", problem="MeetingMoved")
    return delivery


async def test_what_is_held_and_sent_now_is_insisted_on_and_says_so(books: Books) -> None:
    delivery = await held(books)
    assert await books.ledger.send_now(delivery) == 1
    assert await books.row() == (State.QUEUED, 0, 1, OWNER_INSISTS)
    batch = await books.claim(Kind.TEXT)
    assert batch.insisted


async def test_what_is_only_scheduled_and_sent_now_is_not_insisted_on(books: Books) -> None:
    delivery = await books.submit(Kind.TEXT, in_ms=60_000)
    assert await books.ledger.send_now(delivery) == 1
    assert await books.row() == (State.QUEUED, 0, 0, "")


async def test_it_stays_insisted_on_when_it_has_to_go_again(books: Books) -> None:
    delivery = await held(books)
    await books.ledger.send_now(delivery)
    batch = await books.claim(Kind.TEXT)
    await books.queue.again(batch, worker="w1", after_ms=0, problem="GraphThrottled")
    assert (await books.claim(Kind.TEXT)).insisted


async def test_a_retry_takes_the_insisting_back(books: Books) -> None:
    delivery = await held(books)
    await books.ledger.send_now(delivery)
    batch = await books.claim(Kind.TEXT)
    await books.queue.settle(batch, State.REFUSED, worker="w1", problem="PremiumMissing")
    assert await books.ledger.retry(delivery, seen_ms=books.now_ms) == 1
    assert await books.row() == (State.QUEUED, 0, 0, "")


async def test_another_time_takes_the_insisting_back(books: Books) -> None:
    delivery = await held(books)
    await books.ledger.send_now(delivery)
    batch = await books.claim(Kind.TEXT)
    await books.queue.settle(batch, State.HELD, worker="w1", problem="MeetingMoved")
    assert await books.ledger.change_time(delivery, books.now_ms + 90_000) == 1
    assert await books.row() == (State.SCHEDULED, 0, 0, "")


async def test_what_waited_for_its_time_is_not_insisted_on(books: Books) -> None:
    await books.submit(Kind.TEXT, in_ms=500)
    assert not (await books.claim(Kind.TEXT)).insisted
