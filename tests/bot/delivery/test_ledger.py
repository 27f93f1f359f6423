"""The ledger's rules, on a real database."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, text

from bot.actor import Actor
from bot.delivery import models
from bot.delivery.claims import TAKE_FIRST
from bot.delivery.database import Database, DatabaseTooNew, StorageUnavailable
from bot.delivery.drafts import Drafts, Once
from bot.delivery.lanes import Lanes, Rates
from bot.delivery.ledger import Ledger
from bot.delivery.models import Batch, Kind, NewDelivery, Place, State
from bot.delivery.queue import Queue
from bot.errors import StaleButton
from bot.identity import token_cache
from bot.sealing import Seal

ADELE = Actor("5eafa5f0-6c1f-4f4e-9d3d-0c4b3b1a7e01", "a0000001-0000-4000-8000-000000000001")
MEGAN = ADELE._replace(user_id="a0000002-0000-4000-8000-000000000002")
PLACE = Place("https://smba.example/amer/", "a:1", "42")
KEY = "k" * 40
NUMBER = "+12063428631"


RATES = {kind: Rates(10_000, 10_000) for kind in Kind}


@dataclass
class Book:
    """The ledger and the queue of one database, under one clock."""

    database: Database
    now_ms: int | None = None
    key: str = KEY

    def __post_init__(self) -> None:
        seal = Seal([self.key], "ledger")
        self.ledger = Ledger(self.database, seal, clock_ms=self.clock_ms)
        lanes = Lanes(self.database, RATES)
        self.queue = Queue(self.database, seal, lanes, clock_ms=self.clock_ms)

    def clock_ms(self) -> int:
        return self.database.clock_ms() if self.now_ms is None else self.now_ms

    async def submit(
        self,
        form_id: str = "f1",
        kind: Kind = Kind.TEXT,
        actor: Actor = ADELE,
        people: tuple[list[Any], ...] = (["+12063428631", "x"],),
        **more: Any,
    ) -> models.Delivery:
        wanted = NewDelivery(actor, form_id, kind, PLACE, {"to": NUMBER}, {"n": 1}, **more)
        delivery, _ = await self.ledger.submit(wanted, people)
        return delivery

    async def claim(self, worker: str = "w1", kind: Kind = Kind.TEXT) -> list[Batch]:
        return await self.queue.claim(worker, kind=kind, most=10, lease_ms=45_000)

    async def states(self, delivery: models.Delivery) -> list[State]:
        found = await self.ledger.any_delivery(delivery.id)
        assert found is not None
        return [tally.state for tally in found.tallies]


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.migrate()
    yield database
    await database.close()


@pytest.fixture
def book(database: Database) -> Book:
    return Book(database)


async def test_second_submit_of_one_form_starts_no_second_delivery(book: Book) -> None:
    first = await book.submit()
    second = await book.submit(people=(["another"], ["and one more"]))
    assert second == first
    assert len(await book.claim()) == 1


async def test_two_submits_at_the_same_moment_are_one_delivery(book: Book) -> None:
    both = await asyncio.gather(*(book.submit() for _ in range(5)))
    assert len({delivery.id for delivery in both}) == 1
    assert len(await book.claim()) == 1


async def test_the_same_form_id_of_another_actor_is_another_delivery(book: Book) -> None:
    first = await book.submit()
    second = await book.submit(actor=MEGAN)
    assert first.id != second.id


async def test_a_delivery_knows_what_leaves_before_it_and_until_when_its_lane_waits(
    book: Book,
) -> None:
    three = (["a"], ["b"], ["c"])
    book.now_ms = 1_800_000_000_000
    first = await book.submit("f1", Kind.NOTICE, people=three)
    later = await book.submit("f2", Kind.NOTICE, people=three)
    await book.submit("f3", Kind.TEXT, people=three)
    await book.queue.hold_lane(ADELE.tenant_id, Kind.NOTICE, 120)
    book.now_ms += 5
    await book.submit("f4", Kind.NOTICE, people=three)
    found = await book.ledger.delivery(ADELE, later.id)
    assert found.ahead == 3
    assert found.lane_free_at_ms == first.created_at_ms + 120_000


async def test_a_delivery_is_shown_to_its_owner_alone(book: Book) -> None:
    delivery = await book.submit()
    with pytest.raises(StaleButton):
        await book.ledger.delivery(MEGAN, delivery.id)
    assert await book.ledger.recent(MEGAN) == []


async def test_the_newest_come_a_page_at_a_time_of_one_owner_and_of_some_kinds(book: Book) -> None:
    made = []
    for at in range(4):
        book.now_ms = 1_000 + at
        kind = Kind.NOTICE if at % 2 else Kind.TEXT
        made.append((await book.submit(f"form-{at}", kind=kind)).id)
    await book.submit("hers", actor=MEGAN)
    newest = [one.id for one in await book.ledger.newest(ADELE)]
    assert newest == made[::-1]
    paged = await book.ledger.newest(ADELE, skip=1, most=2)
    assert [one.id for one in paged] == newest[1:3]
    assert all(one.tallies for one in paged)
    texts = await book.ledger.newest(ADELE, kinds=(Kind.TEXT,))
    assert [one.id for one in texts] == [made[2], made[0]]
    assert await book.ledger.newest(ADELE, kinds=()) == []


async def test_a_delivery_is_found_by_the_start_of_its_id(book: Book) -> None:
    delivery = await book.submit()
    assert (await book.ledger.delivery(ADELE, delivery.short_id.upper())).id == delivery.id
    for typed in ("", "%", "______", "zzzzzzzz"):
        with pytest.raises(StaleButton):
            await book.ledger.delivery(ADELE, typed)


async def test_a_batch_is_claimed_by_one_worker(book: Book) -> None:
    await book.submit()
    assert len(await book.claim("w1")) == 1
    assert await book.claim("w2") == []


async def test_only_the_claimer_passes_the_fence_and_only_once(book: Book) -> None:
    await book.submit()
    [batch] = await book.claim("w1")
    assert not await book.queue.fence(batch, "w2", lease_ms=1)
    assert await book.queue.fence(batch, "w1", lease_ms=1)
    assert not await book.queue.fence(batch, "w1", lease_ms=1)


async def test_fences_and_results_of_many_batches_share_a_transaction_and_keep_apart(
    book: Book,
) -> None:
    delivery = await book.submit(people=tuple([n] for n in range(10)))
    batches = await book.claim()
    fenced = await asyncio.gather(
        *(book.queue.fence(b, "w1" if b.position % 2 else "w2", lease_ms=1) for b in batches)
    )
    assert fenced == [bool(batch.position % 2) for batch in batches]
    await asyncio.gather(
        *(book.queue.settle(b, State.ACCEPTED, worker="w1", status=202) for b in batches[:4]),
        *(book.queue.settle(b, State.REFUSED, worker="w2") for b in batches[4:8]),
    )
    found = await book.ledger.delivery(ADELE, delivery.id)
    assert found.people(State.ACCEPTED) == 4
    assert found.people(State.REFUSED) == 0
    assert found.people(State.SENDING, State.CLAIMED) == 6


async def test_a_result_is_written_once(book: Book) -> None:
    delivery = await book.submit()
    [batch] = await book.claim()
    await book.queue.fence(batch, "w1", lease_ms=1)
    await book.queue.settle(batch, State.ACCEPTED, worker="w1", status=202)
    await book.queue.settle(batch, State.REFUSED, worker="w1")
    assert await book.states(delivery) == [State.ACCEPTED]


async def test_after_a_crash_a_text_on_the_wire_is_unknown_and_never_sent_again(
    book: Book,
) -> None:
    delivery = await book.submit()
    [batch] = await book.claim()
    await book.queue.fence(batch, "w1", lease_ms=1)
    assert await book.queue.recover(all_of_them=True) == [delivery.id]
    assert await book.states(delivery) == [State.UNKNOWN]
    assert await book.claim("w2") == []


async def test_after_a_crash_a_notification_on_the_wire_goes_again_with_its_chain_id(
    book: Book,
) -> None:
    delivery = await book.submit(kind=Kind.NOTICE)
    [batch] = await book.claim(kind=Kind.NOTICE)
    await book.queue.fence(batch, "w1", lease_ms=1)
    await book.queue.recover(all_of_them=True)
    [again] = await book.claim("w2", Kind.NOTICE)
    assert again.id == batch.id
    assert (await book.ledger.call(delivery.id))["chain_id"] == delivery.chain_id


async def test_after_a_crash_what_was_only_claimed_goes_back(book: Book) -> None:
    await book.submit()
    await book.claim()
    await book.queue.recover(all_of_them=True)
    assert len(await book.claim("w2")) == 1


async def test_a_live_lease_is_not_taken_over_and_a_heartbeat_keeps_it(database: Database) -> None:
    book = Book(database, now_ms=1_000_000)
    await book.submit()
    [batch] = await book.claim()
    book.now_ms = 1_040_000
    await book.queue.keep([batch], "w1", lease_ms=45_000)
    book.now_ms = 1_045_001
    assert await book.queue.recover(all_of_them=False) == []
    book.now_ms = 1_085_001
    assert len(await book.queue.recover(all_of_them=False)) == 1


async def test_what_is_scheduled_is_not_claimed_before_its_time(database: Database) -> None:
    book = Book(database, now_ms=1_000_000)
    delivery = await book.submit(due_at_ms=1_060_000)
    assert await book.states(delivery) == [State.SCHEDULED]
    assert await book.claim() == []
    assert await book.queue.next_at_ms([Kind.TEXT]) == 1_060_000
    book.now_ms = 1_060_000
    assert len(await book.claim()) == 1


async def test_a_lane_spaces_its_slots_and_holds_back_only_its_own_tenant(
    database: Database,
) -> None:
    of_graph = {Kind.TEXT: Rates(5, 50), Kind.NOTICE: Rates(2, 20)}
    book = Book(database, now_ms=1_000_000)
    book.queue = Queue(
        database, Seal([KEY], "ledger"), Lanes(database, of_graph), clock_ms=book.clock_ms
    )
    other = ADELE._replace(tenant_id="6eafa5f0-6c1f-4f4e-9d3d-0c4b3b1a7e01")
    await book.submit("a", Kind.NOTICE, people=(["1"], ["2"], ["3"]))
    await book.submit("b", Kind.NOTICE, other, people=(["1"],))
    first = await book.claim(kind=Kind.NOTICE)
    assert {batch.actor.tenant_id for batch in first} == {ADELE.tenant_id, other.tenant_id}
    assert len(first) == 2
    assert await book.claim(kind=Kind.NOTICE) == []
    await book.queue.hold_lane(ADELE.tenant_id, Kind.NOTICE, 30)
    book.now_ms = 1_010_000
    assert await book.claim(kind=Kind.NOTICE) == []
    book.now_ms = 1_030_000
    assert len(await book.claim(kind=Kind.NOTICE)) == 1


async def test_a_small_notice_does_not_wait_for_the_rest_of_a_colleagues_large_one(
    database: Database,
) -> None:
    book = Book(database, now_ms=1_000_000)
    of_graph = Lanes(database, {kind: Rates(2, 20) for kind in Kind})
    book.queue = Queue(database, Seal([KEY], "ledger"), of_graph, clock_ms=book.clock_ms)
    large = await book.submit("large", Kind.NOTICE, people=[[f"{n}"] for n in range(8)])
    left = [batch.delivery_id for batch in await book.claim(kind=Kind.NOTICE)]
    book.now_ms += 100
    small = await book.submit("small", Kind.NOTICE, MEGAN, people=(["m"],))
    while len(left) < 9:
        book.now_ms += 500
        left += [batch.delivery_id for batch in await book.claim(kind=Kind.NOTICE)]
    assert left == [large.id, small.id, *[large.id] * 7]


async def test_what_leaves_first_is_found_without_looking_through_the_rest(book: Book) -> None:
    await book.submit("large", Kind.NOTICE, people=[[f"{n}"] for n in range(600)])
    async with book.database.write() as connection:
        if not book.database.is_sqlite:
            await connection.execute(text("ANALYZE batches"))
        statement = TAKE_FIRST.compile(dialect=connection.dialect)
        words = {"tenant": ADELE.tenant_id, "of": "notice", "worker": "w1"}
        words |= {"state": "claimed", "state_1": "queued"}
        values = tuple(words.get(name, 1) for name in statement.positiontup or ())
        explain = "EXPLAIN QUERY PLAN" if book.database.is_sqlite else "EXPLAIN"
        plan = await connection.exec_driver_sql(f"{explain} {statement}", values)
        assert "ix_batches_first" in " ".join(str(row) for row in plan)


async def test_what_waits_for_sign_in_is_woken_for_its_owner_alone(book: Book) -> None:
    delivery = await book.submit()
    [batch] = await book.claim()
    await book.queue.settle(batch, State.NEEDS_SIGN_IN, worker="w1", problem="SignInNeeded")
    assert await book.ledger.wake(MEGAN) == []
    assert await book.ledger.wake(ADELE) == [delivery.id]
    assert len(await book.claim()) == 1


async def test_what_waits_for_its_time_keeps_it_through_a_lost_sign_in(database: Database) -> None:
    book = Book(database, now_ms=1_000_000)
    delivery = await book.submit(due_at_ms=1_060_000)
    assert await book.ledger.owners_waiting() == [ADELE]
    assert await book.ledger.needs_sign_in(ADELE, "SignInNeeded") == [delivery.id]
    await book.ledger.wake(ADELE)
    assert await book.states(delivery) == [State.SCHEDULED]


async def test_cancelling_takes_back_what_is_claimed_and_leaves_alone_what_is_on_the_wire(
    book: Book,
) -> None:
    delivery = await book.submit(people=tuple([n] for n in range(12)))
    on_the_wire, claimed, *_ = await book.claim()
    await book.queue.fence(on_the_wire, "w1", lease_ms=1)
    assert await book.ledger.cancel(delivery) == 11
    assert set(await book.states(delivery)) == {State.CANCELLED, State.SENDING}
    assert not await book.queue.fence(claimed, "w1", lease_ms=1)
    await book.queue.settle(on_the_wire, State.ACCEPTED, worker="w1")
    assert set(await book.states(delivery)) == {State.CANCELLED, State.ACCEPTED}


@pytest.mark.parametrize(
    ("doubt", "ends"), [(False, State.CANCELLED), (True, State.UNKNOWN)], ids=["surely", "perhaps"]
)
async def test_what_was_on_the_wire_when_its_owner_cancelled_does_not_go_again(
    book: Book, doubt: bool, ends: State
) -> None:
    delivery = await book.submit(kind=Kind.NOTICE)
    [batch] = await book.claim(kind=Kind.NOTICE)
    await book.queue.fence(batch, "w1", lease_ms=1)
    assert await book.ledger.cancel(delivery) == 0
    await book.queue.again(batch, worker="w1", after_ms=0, problem="GraphSilent", doubt=doubt)
    assert await book.states(delivery) == [ends]
    assert await book.claim(kind=Kind.NOTICE) == []


async def test_what_a_crash_left_on_the_wire_does_not_go_again_after_it_was_cancelled(
    book: Book,
) -> None:
    delivery = await book.submit(kind=Kind.NOTICE)
    [batch] = await book.claim(kind=Kind.NOTICE)
    await book.queue.fence(batch, "w1", lease_ms=1)
    await book.ledger.cancel(delivery)
    await book.queue.recover(all_of_them=True)
    assert await book.states(delivery) == [State.UNKNOWN]


async def test_what_waits_to_go_again_after_a_doubt_is_unknown_once_cancelled(book: Book) -> None:
    delivery = await book.submit(kind=Kind.NOTICE)
    [batch] = await book.claim(kind=Kind.NOTICE)
    await book.queue.again(batch, worker="w1", after_ms=0, problem="GraphSilent", doubt=True)
    assert await book.ledger.cancel(delivery) == 0
    assert await book.states(delivery) == [State.UNKNOWN]


async def test_after_the_retention_nothing_goes_again(database: Database) -> None:
    book = Book(database, now_ms=1_000_000)
    delivery = await book.submit()
    [batch] = await book.claim()
    await book.queue.settle(batch, State.REFUSED, worker="w1")
    await book.ledger.erase(before_ms=2_000_000)
    assert await book.ledger.retry(delivery, seen_ms=2_000_000) == 0


async def test_a_result_that_cannot_be_written_costs_no_other_its_own(book: Book) -> None:
    delivery = await book.submit(people=(["1"], ["2"]))
    one, another = await book.claim()
    results = await asyncio.gather(
        book.queue.settle(one, State.ACCEPTED, worker="w1"),
        book.queue.settle(another, State.REFUSED, worker="w1", status="no number"),  # type: ignore[arg-type]
        return_exceptions=True,
    )
    assert results[0] is None
    found = await book.ledger.delivery(ADELE, delivery.id)
    assert found.batches(State.ACCEPTED) == 1


async def test_graphs_own_words_can_always_be_written(book: Book) -> None:
    delivery = await book.submit()
    [batch] = await book.claim()
    await book.queue.settle(batch, State.REFUSED, worker="w1", code="bad\x00 \ud800code")
    assert await book.states(delivery) == [State.REFUSED]


async def test_what_was_refused_goes_again_when_its_owner_says_so(book: Book) -> None:
    delivery = await book.submit()
    [batch] = await book.claim()
    await book.queue.settle(batch, State.REFUSED, worker="w1", problem="PremiumMissing")
    assert await book.claim() == []
    seen = (await book.ledger.delivery(ADELE, delivery.id)).seen_ms
    assert await book.ledger.retry(delivery, seen_ms=seen) == 2
    assert await book.ledger.retry(delivery, seen_ms=seen) == 0
    [again] = await book.claim()
    await asyncio.sleep(0.002)
    await book.queue.settle(again, State.REFUSED, worker="w1", problem="PremiumMissing")
    assert await book.ledger.retry(delivery, seen_ms=seen) == 0


async def test_a_press_that_comes_twice_sends_once_also_where_the_clock_was_put_back(
    database: Database,
) -> None:
    book = Book(database, now_ms=10_000_000)
    delivery = await book.submit()
    [batch] = await book.claim()
    await book.queue.settle(batch, State.UNKNOWN, worker="w1", problem="GraphSilent")
    seen = (await book.ledger.delivery(ADELE, delivery.id)).seen_ms
    assert await book.ledger.send_again(delivery, seen_ms=seen) == 2
    book.now_ms += 60_000
    [batch] = await book.claim()
    book.now_ms -= 120_000
    await book.queue.settle(batch, State.UNKNOWN, worker="w1", problem="GraphSilent")
    assert await book.ledger.send_again(delivery, seen_ms=seen) == 0


async def test_a_clock_that_is_put_right_by_an_hour_stops_nothing(database: Database) -> None:
    book = Book(database, now_ms=10_000_000)  # an hour fast
    await book.submit("fast")
    [batch] = await book.claim()
    book.queue.leaves_now(batch)
    await book.queue.settle(batch, State.ACCEPTED, worker="w1")
    assert not await book.queue.mind_the_clock()
    book.now_ms -= 3_600_000
    await book.submit("right")
    book.now_ms += 1_000
    assert await book.claim() == []
    assert await book.queue.mind_the_clock()
    book.now_ms += 1_000
    [batch] = await book.claim()
    assert book.queue.too_soon_ms(batch) <= 0


@pytest.mark.parametrize("state", [State.HELD, State.NEEDS_SIGN_IN])
async def test_what_its_owner_was_asked_for_in_vain_is_erased_too(
    database: Database, state: State
) -> None:
    book = Book(database, now_ms=1_000_000)
    delivery = await book.submit()
    [batch] = await book.claim()
    await book.queue.settle(batch, state, worker="w1", problem="MeetingMoved")
    assert await book.ledger.erase(before_ms=1_000_000) == 0
    assert await book.states(delivery) == [state]
    assert await book.ledger.erase(before_ms=2_000_000) == 1
    assert await book.states(delivery) == [State.CANCELLED]
    assert await book.ledger.people(delivery.id) == []


async def test_of_what_nobody_can_tell_the_owner_decides(book: Book) -> None:
    for form_id, decide in (("a", book.ledger.arrived), ("b", book.ledger.send_again)):
        delivery = await book.submit(form_id)
        [batch] = await book.claim()
        await book.queue.settle(batch, State.UNKNOWN, worker="w1", problem="GraphSilent")
        seen = (await book.ledger.delivery(ADELE, delivery.id)).seen_ms
        assert await decide(delivery, seen_ms=seen - 1) == 0
        assert await decide(delivery, seen_ms=seen) == 2
    assert len(await book.claim()) == 1


async def test_another_time_and_now(database: Database) -> None:
    book = Book(database, now_ms=1_000_000)
    delivery = await book.submit(due_at_ms=1_060_000)
    await book.ledger.change_time(delivery, 1_120_000)
    book.now_ms = 1_060_000
    assert await book.claim() == []
    assert await book.ledger.send_now(delivery) == 2
    [batch] = await book.claim()
    assert not batch.insisted  # sooner, but not whatever has changed: that is asked of what is held


async def test_after_the_retention_numbers_and_texts_are_gone_and_counts_and_keys_remain(
    database: Database,
) -> None:
    book = Book(database, now_ms=1_000_000)
    delivery = await book.submit()
    [batch] = await book.claim()
    assert await book.ledger.erase(before_ms=2_000_000) == 0
    await book.queue.settle(batch, State.ACCEPTED, worker="w1")
    assert await book.ledger.erase(before_ms=2_000_000) == 1
    found = await book.ledger.delivery(ADELE, delivery.id)
    assert found.request == {}
    assert found.people(State.ACCEPTED) == 2
    assert await book.ledger.people(delivery.id) == []
    assert (await book.submit()).id == delivery.id


async def test_one_replica_draws_a_card_at_a_time(database: Database) -> None:
    book = Book(database, now_ms=1_000_000)
    delivery = await book.submit()
    assert await book.ledger.undrawn() == [delivery.id]
    assert await book.ledger.may_draw(delivery.id, spacing_ms=950)
    assert not await book.ledger.may_draw(delivery.id, spacing_ms=950)
    book.now_ms = 1_000_950
    assert await book.ledger.may_draw(delivery.id, spacing_ms=950)


async def test_a_card_is_drawn_again_when_whoever_drew_it_may_have_died_over_it(
    database: Database,
) -> None:
    book = Book(database, now_ms=1_000_000)
    delivery = await book.submit()
    [batch] = await book.claim()
    assert await book.ledger.may_draw(delivery.id, spacing_ms=950)
    book.now_ms = 1_010_000
    await book.queue.settle(batch, State.ACCEPTED, worker="w1")
    assert await book.ledger.undrawn() == [delivery.id]
    book.now_ms = 1_010_100
    assert await book.ledger.may_draw(delivery.id, spacing_ms=950)
    assert await book.ledger.undrawn() == [delivery.id]
    book.now_ms = 1_060_000
    assert await book.ledger.may_draw(delivery.id, spacing_ms=950)
    assert await book.ledger.undrawn() == []


async def test_one_replica_posts_a_first_card_and_another_may_when_it_died_over_it(
    database: Database,
) -> None:
    book = Book(database, now_ms=1_000_000)
    delivery = await book.submit()
    asked = [book.ledger.may_post(delivery.id) for _ in range(5)]
    assert sorted(await asyncio.gather(*asked)) == [False] * 4 + [True]
    book.now_ms += 59_000
    assert not await book.ledger.may_post(delivery.id)
    book.now_ms += 1_000
    assert await book.ledger.may_post(delivery.id)
    await book.ledger.was_posted(delivery.id)
    assert await book.ledger.may_post(delivery.id)


async def test_what_was_posted_is_drawn_as_of_when_it_was_read(book: Book) -> None:
    book.now_ms = 1_000_000
    delivery = await book.submit()
    [batch] = await book.claim()
    book.now_ms = 1_001_000
    await book.queue.settle(batch, State.ACCEPTED, worker="w1")
    place = replace(PLACE, activity_id="1:posted")
    await book.ledger.move_card(delivery.id, place, drawn_at_ms=1_000_500)
    found = await book.ledger.delivery(ADELE, delivery.id)
    assert (found.drawn_at_ms, found.place) == (1_000_500, place)
    assert await book.ledger.undrawn() == [delivery.id]  # settled while it was posted


async def test_the_cards_that_were_not_drawn_for_longest_are_looked_at_first(
    book: Book,
) -> None:
    book.now_ms = 1_000_000
    first, second, third = [await book.submit(f"f{number}") for number in range(3)]
    for delivery in (third, first, second):
        book.now_ms += 1_000
        assert await book.ledger.may_draw(delivery.id, spacing_ms=950)
    assert await book.ledger.undrawn(most=2) == [third.id, first.id]


@pytest.mark.parametrize("state", [State.NEEDS_SIGN_IN, State.HELD])
async def test_what_began_to_wait_for_its_owner_is_looked_at(book: Book, state: State) -> None:
    book.now_ms = 1_000_000
    delivery = await book.submit()
    [batch] = await book.claim()
    await book.queue.settle(batch, state, worker="w1", problem="SignInNeeded")
    assert await book.ledger.undrawn() == [delivery.id]
    book.now_ms += 25 * 3_600_000
    assert await book.ledger.undrawn() == []


async def test_a_large_audience_is_read_as_it_is_written(book: Book) -> None:
    most = 0
    alive = 0

    def audience() -> Iterator[list[str]]:
        nonlocal alive, most
        for start in range(0, 100_000, 100):
            alive += 1
            most = max(most, alive)
            yield [f"{start + n}" for n in range(100)]
            alive -= 1

    wanted = NewDelivery(ADELE, "big", Kind.NOTICE, PLACE, {}, {})
    delivery, _ = await book.ledger.submit(wanted, audience())
    assert delivery.total == 100_000
    assert delivery.batches(State.QUEUED) == 1_000
    assert most == 1


async def test_the_owners_name_and_chat_are_erased_with_the_rest(book: Book) -> None:
    book.now_ms = 1_000_000
    delivery = await book.submit("f1")
    named = replace(PLACE, owner_name="Adele Vance", owner_id="29:adele", zone="America/Chicago")
    await book.ledger.move_card(delivery.id, named)
    await book.ledger.cancel(delivery)
    assert await book.ledger.erase(before_ms=2_000_000) == 1
    erased = await book.ledger.delivery(ADELE, delivery.id)
    assert erased.is_readable
    assert erased.place == Place("", "", zone="America/Chicago")


async def test_a_name_that_was_left_when_the_rest_was_erased_goes_too(
    database: Database, book: Book
) -> None:
    book.now_ms = 1_000_000
    delivery = await book.submit("f1")
    await book.ledger.cancel(delivery)
    async with database.write() as connection:
        await connection.execute(
            text("UPDATE deliveries SET sealed_call = NULL, sealed_request = NULL")
        )
    assert await book.ledger.erase(before_ms=2_000_000) == 1
    assert (await book.ledger.delivery(ADELE, delivery.id)).place == Place("", "")


async def test_what_is_erased_is_erased_once(book: Book) -> None:
    book.now_ms = 1_000_000
    for number in range(5):
        await book.ledger.cancel(await book.submit(f"f{number}"))
    waits = await book.submit("waits")
    assert await book.ledger.erase(before_ms=2_000_000) == 5
    assert await book.ledger.erase(before_ms=2_000_000) == 0
    assert (await book.ledger.delivery(ADELE, waits.id)).request


async def test_a_batch_whose_key_was_taken_away_stops_itself_and_not_the_worker(
    database: Database, book: Book
) -> None:
    lost = await book.submit("f1")
    newer = Book(database, key="n" * 40)
    await newer.submit("f2", actor=MEGAN)
    claimed = await newer.claim()
    assert [batch.actor for batch in claimed] == [MEGAN]
    assert await book.states(lost) == [State.REFUSED]
    seen = await newer.ledger.delivery(ADELE, lost.id)
    assert not seen.is_readable


async def test_a_full_or_locked_database_is_one_clear_sentence(database: Database) -> None:
    async def fill_up() -> None:
        async with database.write() as connection:
            if not database.is_sqlite:
                disk_full = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END $$"
                await connection.execute(text(disk_full))
            await connection.execute(text("PRAGMA max_page_count = 1"))
            await connection.execute(text("CREATE TABLE filler AS SELECT randomblob(9000000) AS b"))

    with pytest.raises(StorageUnavailable, match="nothing was sent"):
        await fill_up()


async def test_the_database_holds_no_number(database: Database, book: Book, tmp_path: Path) -> None:
    await book.submit()
    await Drafts(database, Seal([KEY], "drafts")).keep(ADELE, "f2", Kind.TEXT, {"to": NUMBER})
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())  # noqa: ASYNC240
    async with database.read() as connection:
        for table in models.METADATA.sorted_tables:
            rows = (await connection.execute(table.select())).all()
            written += b"".join(bytes(str(value), "utf-8") for row in rows for value in row)
            written += b"".join(value for row in rows for value in row if type(value) is bytes)
    assert len(written) > 500
    assert NUMBER.encode() not in written


async def test_a_draft_is_its_owners_and_its_newest_word_counts(database: Database) -> None:
    drafts = Drafts(database, Seal([KEY], "drafts"))
    await drafts.keep(ADELE, "f1", Kind.TEXT, {"n": 1})
    await drafts.keep(ADELE, "f1", Kind.TEXT, {"n": 2})
    assert (await drafts.read(ADELE, "f1", Kind.TEXT)).request == {"n": 2}
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
