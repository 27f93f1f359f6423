"""The ledger's rules hold after every step, whatever happens in whatever order.

Two workers share a database, owners decide, processes die, leases run out. Graph is a function here
that remembers what it was sent and how it answered; the clock moves when the test says so.
"""

import asyncio
import json
import os
import tempfile
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)
from sqlalchemy import delete, event, select
from structlog.testing import capture_logs

from bot.actor import Actor
from bot.delivery import pace
from bot.delivery.actions import notice_call, text_call
from bot.delivery.database import Database
from bot.delivery.lanes import Lanes, Rates
from bot.delivery.ledger import Ledger
from bot.delivery.models import (
    BATCHES,
    DELIVERIES,
    IN_HAND,
    LANES,
    RECIPIENTS,
    SETTLED,
    Batch,
    Delivery,
    Kind,
    NewDelivery,
    Place,
    State,
)
from bot.delivery.queue import Queue
from bot.delivery.worker import Worker
from bot.errors import EntraUnavailable, SignInNeeded
from bot.graph.client import Accepted, Graph
from bot.graph.errors import (
    GraphError,
    GraphRefused,
    GraphSilent,
    GraphThrottled,
    GraphUnavailable,
    GraphUnreachable,
    TokenRejected,
    TokenTooOld,
)
from bot.identity.obo import Identity, Token
from bot.sealing import Seal

OWNERS = [Actor("tenant-1", "ann"), Actor("tenant-1", "bob"), Actor("tenant-2", "cleo")]
NO_LIMIT = {kind: Rates(1_000_000, 1_000_000) for kind in Kind}
NAMES = ("left", "right")
_T = TypeVar("_T")

# What Graph does with a POST, and whether it took effect.
TAKEN = {"accepted": True, "silent after": True, "broken after": True, "dies after": True}
SURELY_NOT = ("throttled", "unreachable", "refused", "token rejected", "token too old")
NO_TOKEN: dict[str, type[Exception]] = {"no sign-in": SignInNeeded, "no Entra": EntraUnavailable}
OUTCOMES = (*TAKEN, *SURELY_NOT, *NO_TOKEN, "silent before", "broken before", "dies before")


DECISIONS = ("cancel", "send_again", "retry", "arrived", "change_time", "send_now")
OFTEN = {"send": 6, "owner": 4, "claim": 3, "time": 2}
STEPS = tuple(
    step
    for step in ("send", "owner", "claim", "time", "submit", "sign-in", "death", "erasure")
    for _ in range(OFTEN.get(step, 1))
)


class Dies(BaseException):
    """The process ends here."""


@dataclass
class Post:
    """One POST as Graph remembers it; `turn` counts its owner's decisions to send again."""

    batch_id: int
    outcome: str
    turn: int
    chain_id: int | None
    at_ms: int


class Wire(Graph):
    """Graph, as the machine says it is just now."""

    outcome = "accepted"
    answered: str | None = None  # the outcome of the last POST

    def __init__(self) -> None:
        """Nothing of the real one is needed."""

    async def post(self, *args: Any, **_: Any) -> Accepted:
        self.answered = self.outcome
        body = args[2] if isinstance(args[2], dict) else json.loads(args[2])
        self.chain_id = body.get("chainId")
        if self.outcome.startswith("dies"):
            raise Dies
        if self.outcome == "accepted":
            return Accepted(202, "request-1")
        raise self._error()

    def _error(self) -> GraphError:
        match self.outcome:
            case "throttled":
                error = GraphThrottled(429)
                error.retry_after_s = 3
                return error
            case "unreachable":
                return GraphUnreachable()
            case "refused":
                return GraphRefused(403)
            case "token rejected":
                return TokenRejected(401)
            case "token too old":
                return TokenTooOld(412)
            case "broken before" | "broken after":
                return GraphUnavailable(503)
            case _:
                return GraphSilent()


class Doorkeeper:
    """Stands in the place of `Identity`."""

    error: type[Exception] | None = None

    async def token(self, *_: object, **__: object) -> Token:
        if self.error is not None:
            raise self.error
        return Token("token", datetime.now(UTC) + timedelta(hours=1))

    async def signed_in_since(self, *_: object) -> bool:
        return False


@dataclass
class Kept:
    """What the machine knows of a batch beside the ledger."""

    delivery_id: str
    kind: Kind
    turn: int = 0
    posts: list[Post] = field(default_factory=list)
    may_change: set[str] = field(default_factory=set)  # from its settled state, by its owner
    owner_says: bool = False
    cancelled_turn: int | None = None
    not_before_ms: int = 0
    last: str = ""
    settled_at_ms: int | None = None  # of its last result

    def possible(self) -> list[Post]:
        """The POSTs that may have reached somebody."""
        return [post for post in self.posts if post.outcome not in SURELY_NOT]


class Room:
    """One database and one event loop for all runs: what they know of statements stays known."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="herald-", ignore_cleanup_errors=True)
        self.loop = asyncio.new_event_loop()
        path = Path(self.folder.name) / "ledger.sqlite3"
        self.database = Database(f"sqlite+aiosqlite:///{path}")
        event.listen(self.database._writer.sync_engine, "connect", _in_haste)
        self.loop.run_until_complete(self.database.migrate())

    async def clear(self) -> None:
        async with self.database.write() as connection:
            for table in (RECIPIENTS, BATCHES, DELIVERIES, LANES):
                await connection.execute(delete(table))

    def close(self) -> None:
        self.loop.run_until_complete(self.database.close())
        self.loop.close()
        self.folder.cleanup()


_room = cache(Room)


@pytest.fixture(scope="module", autouse=True)
def _closed_at_the_end() -> Iterator[None]:
    yield
    if _room.cache_info().currsize:
        _room().close()


class Rules(RuleBasedStateMachine):
    """Everything that can happen to deliveries."""

    @initialize(batches=st.lists(st.integers(0, 3), min_size=1, max_size=3))
    def begin(self, batches: list[int]) -> None:
        """A few deliveries to start with: a text where the number is 0, else a notice."""
        self.room = _room()
        self.database = self.room.database
        self.do(self.room.clear())
        self.now_ms = 1_000_000_000
        seal = Seal(["k" * 40], "ledger")
        self.ledger = Ledger(self.database, seal, clock_ms=lambda: self.now_ms)
        self.queue = Queue(
            self.database, seal, Lanes(self.database, NO_LIMIT), clock_ms=lambda: self.now_ms
        )
        self.wire = Wire()
        self.door = Doorkeeper()
        self.workers = {name: self.new_worker() for name in NAMES}
        self.hands: dict[str, list[Batch]] = {name: [] for name in NAMES}
        self.deliveries: list[Delivery] = []
        self.steps = 0
        self.kept: dict[int, Kept] = {}
        for who, size in zip(OWNERS, batches, strict=False):
            self.submit(who, Kind.NOTICE if size else Kind.TEXT, size, None)

    def new_worker(self) -> Worker:
        identity = cast(Identity, self.door)
        return Worker(self.ledger, self.queue, identity, self.wire, alone=False)

    def do(self, work: Coroutine[Any, Any, _T]) -> _T:
        return self.room.loop.run_until_complete(work)

    # What happens --------------------------------------------------------------------------------

    @rule(data=st.data(), what=st.sampled_from(STEPS))
    def step(self, data: st.DataObject, what: str) -> None:
        """One rule for all, so that each happens as often as `STEPS` has it."""
        match what:
            case "submit":
                kind = data.draw(st.sampled_from([Kind.TEXT, Kind.NOTICE]))
                wait_s = data.draw(st.sampled_from([None, 30, 120]))
                who = data.draw(st.sampled_from(OWNERS))
                self.submit(who, kind, data.draw(st.integers(1, 3)), wait_s)
            case "claim":
                self.claim(data.draw(st.sampled_from(NAMES)), data.draw(st.integers(1, 3)))
            case "send" if names := [name for name in NAMES if self.hands[name]]:
                name = data.draw(st.sampled_from(names))
                self.work(name, data, data.draw(st.sampled_from(OUTCOMES)))
            case "time":
                seconds = data.draw(st.sampled_from([1, 5, 40, 130]))
                self.time_passes(seconds, data.draw(st.sets(st.sampled_from(NAMES))))
            case "death":
                self.processes_die(data.draw(st.sets(st.sampled_from(NAMES), min_size=1)))
            case "sign-in":
                who = data.draw(st.sampled_from(OWNERS))
                self.sign_in(who, comes_back=data.draw(st.booleans()))
            case "erasure":
                self.do(self.ledger.erase(before_ms=self.now_ms))
            case "owner":
                self.owner_decides(data, data.draw(st.sampled_from(DECISIONS)))

    def submit(self, who: Actor, kind: Kind, batches: int, wait_s: int | None) -> None:
        number = len(self.deliveries)
        due_at_ms = self.now_ms + wait_s * 1000 if wait_s else None
        wanted = NewDelivery(
            who, f"form {number}", kind, Place("", ""), {}, _call(kind), due_at_ms=due_at_ms
        )
        people = [["dave"] for _ in range(batches)] if kind is Kind.NOTICE else [[["+1206", "x"]]]
        delivery, is_new = self.do(self.ledger.submit(wanted, people))
        assert is_new
        self.deliveries.append(delivery)
        for row in self.do(self.rows(delivery.id)):
            self.kept[row.id] = Kept(
                delivery.id, kind, not_before_ms=due_at_ms or 0, last=row.state
            )
        again, is_new = self.do(self.ledger.submit(wanted, people))
        assert not is_new
        assert again.id == delivery.id

    def claim(self, name: str, most: int) -> None:
        worker = self.workers[name].name
        for kind in Kind:
            self.hands[name] += self.do(
                self.queue.claim(worker, kind=kind, most=most, lease_ms=pace.LEASE_MS)
            )

    def work(self, name: str, data: st.DataObject, outcome: str) -> None:
        hand = self.hands[name]
        batch = hand.pop(data.draw(st.integers(0, len(hand) - 1)))
        self.wire.outcome, self.wire.answered = outcome, None
        self.door.error = NO_TOKEN.get(outcome)
        with capture_logs() as logs:
            try:
                self.do(self.workers[name]._work(batch))
            except Dies:
                self.crash(name)
        self.door.error = None
        assert not [line for line in logs if line["log_level"] == "error"]
        if self.wire.answered is not None:
            kept = self.kept[batch.id]
            post = Post(batch.id, outcome, kept.turn, self.wire.chain_id, self.now_ms)
            kept.posts.append(post)
            self.check_post(kept, post)

    def crash(self, name: str) -> None:
        self.workers[name] = self.new_worker()
        self.hands[name] = []

    def time_passes(self, seconds: int, beating: set[str]) -> None:
        """Some workers keep their leases meanwhile, and take over what others let go."""
        self.now_ms += seconds * 1000
        for name in beating:
            worker = self.workers[name].name
            self.do(self.queue.keep(self.hands[name], worker, lease_ms=pace.LEASE_MS))
            self.do(self.queue.recover(all_of_them=False))

    def processes_die(self, names: set[str]) -> None:
        for name in names:
            self.crash(name)
        if names == set(NAMES):
            self.do(self.queue.recover(all_of_them=True))

    # What owners decide --------------------------------------------------------------------------

    def owner_decides(self, data: st.DataObject, what: str) -> None:
        delivery = self.some_delivery(data)
        if what == "change_time":
            self.change_time(delivery, data.draw(st.sampled_from([0, 20, 200])))
        else:
            getattr(self, what)(delivery)

    def cancel(self, delivery: Delivery) -> None:
        self.do(self.ledger.cancel(delivery))
        for kept in self.batches_of(delivery):
            kept.cancelled_turn = kept.turn

    def change_time(self, delivery: Delivery, seconds: int) -> None:
        due_at_ms = self.now_ms + seconds * 1000
        waiting = self.in_states(delivery, State.SCHEDULED, State.HELD)
        changed = self.do(self.ledger.change_time(delivery, due_at_ms))
        assert bool(changed) == bool(waiting)
        for kept in waiting:
            kept.not_before_ms = due_at_ms

    def send_now(self, delivery: Delivery) -> None:
        for kept in self.in_states(delivery, State.SCHEDULED, State.HELD):
            kept.not_before_ms = 0
        self.do(self.ledger.send_now(delivery))

    def retry(self, delivery: Delivery) -> None:
        refused = self.in_states(delivery, State.REFUSED)
        went = self.do(self.ledger.retry(delivery, seen_ms=delivery.seen_ms))
        self.again(refused, went)

    def send_again(self, delivery: Delivery) -> None:
        unknown = self.in_states(delivery, State.UNKNOWN)
        went = self.do(self.ledger.send_again(delivery, seen_ms=delivery.seen_ms))
        self.again(unknown, went)

    def arrived(self, delivery: Delivery) -> None:
        for kept in self.in_states(delivery, State.UNKNOWN):
            kept.may_change = {State.ACCEPTED}
            kept.owner_says = True
        self.do(self.ledger.arrived(delivery, seen_ms=delivery.seen_ms))

    def again(self, some: list[Kept], went: int) -> None:
        assert not went or some
        for kept in some if went else []:
            kept.may_change = {State.QUEUED}
            kept.turn += 1
            kept.not_before_ms = 0

    def sign_in(self, who: Actor, *, comes_back: bool) -> None:
        if comes_back:
            self.do(self.ledger.wake(who))
        else:
            self.do(self.ledger.needs_sign_in(who, "SignInNeeded"))

    # What must be true ---------------------------------------------------------------------------

    def check_post(self, kept: Kept, post: Post) -> None:
        assert kept.cancelled_turn != kept.turn, "it left after it was cancelled"
        assert post.at_ms >= kept.not_before_ms, "it left before its time"
        if kept.kind is Kind.TEXT:
            this_turn = [one for one in kept.possible() if one.turn == kept.turn]
            assert len(this_turn) <= 1, "a text may have gone twice"
            assert this_turn[:1] in ([], [kept.posts[-1]]), "a text went on after a doubt"
        else:
            assert len({one.chain_id for one in kept.posts}) == 1, "a chain broke"

    @invariant()
    def the_rules_hold(self) -> None:
        if not hasattr(self, "kept"):
            return
        for row in self.do(self.rows()):
            kept = self.kept[row.id]
            self.results_have_their_time(row, kept)
            self.what_is_settled_stays(row, kept)
            self.the_ledger_says_what_graph_knows(row, kept)
            self.what_is_in_hand_has_an_owner(row)
        self.counts_add_up()

    def results_have_their_time(self, row: Any, kept: Kept) -> None:
        """None before the first result; the next one is later, and nothing else moves it."""
        if row.state in SETTLED and kept.last not in SETTLED:
            assert row.settled_at_ms is not None
            assert kept.settled_at_ms is None or row.settled_at_ms > kept.settled_at_ms
            kept.settled_at_ms = row.settled_at_ms
        assert row.settled_at_ms == kept.settled_at_ms

    def what_is_settled_stays(self, row: Any, kept: Kept) -> None:
        if kept.last in SETTLED and row.state != kept.last:
            assert row.state in kept.may_change, f"{kept.last} became {row.state}"
        kept.last = row.state
        kept.may_change = set()

    def the_ledger_says_what_graph_knows(self, row: Any, kept: Kept) -> None:
        taken = [post for post in kept.posts if post.outcome in TAKEN]
        if row.state == State.ACCEPTED:
            assert kept.owner_says or taken, "accepted, but Graph knows nothing of it"
        elif row.state in {State.REFUSED, State.CANCELLED}:
            assert not kept.possible(), f"{row.state}, but it may have left"
        elif row.state == State.UNKNOWN:
            assert kept.possible(), "unknown without a doubt"

    def what_is_in_hand_has_an_owner(self, row: Any) -> None:
        in_hand = row.state in IN_HAND
        assert (row.owner is not None) == in_hand
        assert (row.lease_until_ms is not None) == in_hand
        assert row.attempt >= 0

    def counts_add_up(self) -> None:
        self.steps += 1
        for delivery in self.deliveries if self.steps % 5 == 0 else []:
            now = self.do(self.ledger.any_delivery(delivery.id))
            assert now is not None
            assert now.total == sum(tally.people for tally in now.tallies)
            assert len(self.batches_of(delivery)) == sum(tally.batches for tally in now.tallies)

    # Looking -------------------------------------------------------------------------------------

    async def rows(self, delivery_id: str | None = None) -> list[Any]:
        query = select(BATCHES).order_by(BATCHES.c.id)
        if delivery_id is not None:
            query = query.where(BATCHES.c.delivery_id == delivery_id)
        async with self.database.read() as connection:
            return list((await connection.execute(query)).all())

    def some_delivery(self, data: st.DataObject) -> Delivery:
        """One of them as its owner sees it now."""
        in_hand = {batch.delivery_id for hand in self.hands.values() for batch in hand}
        busy = [one for one in self.deliveries if one.id in in_hand]
        delivery = data.draw(st.sampled_from(busy or self.deliveries))
        return self.do(self.ledger.delivery(delivery.actor, delivery.id))

    def batches_of(self, delivery: Delivery) -> list[Kept]:
        return [kept for kept in self.kept.values() if kept.delivery_id == delivery.id]

    def in_states(self, delivery: Delivery, *states: State) -> list[Kept]:
        return [self.kept[row.id] for row in self.do(self.rows(delivery.id)) if row.state in states]


def _in_haste(connection: Any, _record: object) -> None:
    # No power cut is tested here, so nothing waits for the disk.
    connection.cursor().execute("PRAGMA synchronous=OFF")


def _call(kind: Kind) -> dict[str, Any]:
    if kind is Kind.TEXT:
        return text_call(meeting_id="m", message_type="confirmation", language="en-US")
    return notice_call(
        topic={"source": "text", "value": "x", "webUrl": "https://teams.microsoft.com/l/x"},
        activity_type="x",
        preview="x",
        parameters={},
        teams_app_id=None,
    )


Rules.TestCase.settings = settings(
    # `make test` should end in a few minutes; CI has the time for more.
    max_examples=100 if os.environ.get("CI") else 15,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
TestRules = pytest.mark.timeout(600)(Rules.TestCase)
