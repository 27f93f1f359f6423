"""What the worker does when the database, Entra or Graph do not."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text, update
from structlog.testing import capture_logs

from bot.actor import Actor
from bot.delivery import engines, pace
from bot.delivery.database import Database, StorageUnavailable
from bot.delivery.lanes import Lanes, Rates
from bot.delivery.ledger import Ledger
from bot.delivery.models import BATCHES, Kind, NewDelivery, Place, State
from bot.delivery.queue import Queue
from bot.errors import SignInNeeded
from bot.graph.routes import SEND_NOTIFICATION
from bot.identity.obo import MEETINGS, NOTIFY, TEXT, Identity, Token
from bot.identity.token_cache import TokenCache
from bot.sealing import Seal
from sandbox.entra import Entra
from sandbox.stage import Stage
from tests.bot.delivery.sending import Sending, SignedIn, sending
from tests.conftest import settings_of

SMS = "sendVirtualAppointmentSms"
BULK = "sendActivityNotificationToRecipients"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "LONGEST_PAUSE_S", 0.05)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite3'}"


@pytest.fixture
async def identity(stage: Stage, sqlite_url: str) -> AsyncIterator[Identity]:
    settings = settings_of(stage.environment())
    database = Database(sqlite_url)
    await database.migrate()
    identity = Identity(settings, TokenCache(database, settings.secrets))
    yield identity
    await identity.close()
    await database.close()


@pytest.fixture
async def room(stage: Stage, identity: Identity, sqlite_url: str) -> AsyncIterator[Sending]:
    async with sending(stage.world, stage.graph.url, sqlite_url, identity) as room:
        yield room


async def sign_in(stage: Stage, identity: Identity, name: str) -> Actor:
    person = stage.world.named(name)
    actor = Actor(person.tenant_id, person.id)
    for scopes in (NOTIFY, TEXT, MEETINGS):
        await identity.exchange(actor, stage.entra.sso_token(person), scopes)
    return actor


def sent(stage: Stage, action: str) -> list[int]:
    """What Graph answered to each of these sends."""
    return [call.status for call in stage.world.graph_calls if call.path.endswith(f"/{action}")]


def asked_entra(stage: Stage) -> int:
    return len(stage.entra.requests)


# Signing in ---------------------------------------------------------------------------------------


async def test_without_a_sign_in_it_waits_and_after_it_goes_on(
    stage: Stage, identity: Identity, room: Sending
) -> None:
    delivery = await room.text()
    waiting = await room.reaches(delivery, State.NEEDS_SIGN_IN)
    assert waiting.tallies[0].problem == "SignInNeeded"
    assert sent(stage, SMS) == []

    actor = await sign_in(stage, identity, "Adele")
    assert await room.ledger.wake(actor) == [delivery.id]
    room.worker.nudge()
    await room.reaches(delivery, State.ACCEPTED)
    assert sent(stage, SMS) == [202]


class TooEarly:
    """An identity whose first answer is that nobody is signed in, when somebody just was."""

    def __init__(self, identity: Identity, signs_in: Callable[[], Awaitable[object]]) -> None:
        self._identity = identity
        self._signs_in: Callable[[], Awaitable[object]] | None = signs_in

    async def token(self, *what: Any, **more: Any) -> Token:
        try:
            return await self._identity.token(*what, **more)
        except SignInNeeded:
            if self._signs_in is not None:
                await self._signs_in()
                self._signs_in = None
            raise

    async def signed_in_since(self, *what: Any) -> bool:
        return await self._identity.signed_in_since(*what)


async def test_a_sign_in_in_the_moment_when_it_is_written_that_one_is_needed_counts(
    stage: Stage, identity: Identity, sqlite_url: str
) -> None:
    early = TooEarly(identity, lambda: sign_in(stage, identity, "Adele"))
    async with sending(stage.world, stage.graph.url, sqlite_url, early) as room:
        delivery = await room.text()
        await room.reaches(delivery, State.ACCEPTED)
    assert sent(stage, SMS) == [202]


async def test_a_revoked_sign_in_waits_for_its_owner(
    stage: Stage, identity: Identity, room: Sending
) -> None:
    stage.entra.token_life_s = 60  # too short to be used once more
    actor = await sign_in(stage, identity, "Adele")
    stage.entra.revoke(stage.world.named("Adele"))
    delivery = await room.text()
    await room.reaches(delivery, State.NEEDS_SIGN_IN)
    assert sent(stage, SMS) == []

    stage.entra.token_life_s = 4500
    await sign_in(stage, identity, "Adele")
    await room.ledger.wake(actor)
    room.worker.nudge()
    await room.reaches(delivery, State.ACCEPTED)


async def test_while_entra_is_away_it_is_asked_again(
    stage: Stage, identity: Identity, room: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "TRIES", 1_000)
    stage.entra.token_life_s = 60
    await sign_in(stage, identity, "Adele")
    stage.entra.token_life_s = 4500
    stage.world.faults.entra_down = True
    delivery = await room.text()
    await room.until(delivery, lambda now: now.tallies[0].problem == "EntraUnavailable")
    assert sent(stage, SMS) == []

    stage.world.faults.entra_down = False
    await room.reaches(delivery, State.ACCEPTED)
    assert sent(stage, SMS) == [202]


async def test_an_outage_of_entra_is_outlived_however_long_it_is(
    stage: Stage, identity: Identity, room: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "TRIES", 2)
    monkeypatch.setattr(pace, "AWAY_S", 0.05)
    stage.entra.token_life_s = 60
    await sign_in(stage, identity, "Adele")
    stage.entra.token_life_s = 4500
    stage.world.faults.entra_down = True
    delivery = await room.text()
    await room.until(delivery, lambda now: now.tallies[0].problem == "EntraUnavailable")
    await asyncio.sleep(0.5)  # ten times as long as it has patience
    assert sent(stage, SMS) == []
    [row] = await room.rows()
    assert (row.attempt <= 2, row.settled_at_ms) == (True, None)

    stage.world.faults.entra_down = False
    await room.reaches(delivery, State.ACCEPTED)
    assert sent(stage, SMS) == [202]


async def test_a_token_that_graph_rejects_is_renewed_once(
    stage: Stage, identity: Identity, room: Sending
) -> None:
    await sign_in(stage, identity, "Adele")
    before = asked_entra(stage)
    rejected = rejecting(stage, times=1)
    delivery = await room.reaches(await room.text(), State.ACCEPTED)
    assert sent(stage, SMS) == [401, 202]
    assert asked_entra(stage) == before + 1
    assert not rejected
    assert delivery.is_settled


async def test_a_token_that_graph_rejects_twice_needs_its_owner(
    stage: Stage, identity: Identity, room: Sending
) -> None:
    await sign_in(stage, identity, "Adele")
    rejecting(stage, times=2)
    delivery = await room.reaches(await room.text(), State.NEEDS_SIGN_IN)
    assert sent(stage, SMS) == [401, 401]
    assert delivery.tallies[0].problem == "TokenRejected"


async def test_a_token_that_graph_finds_too_old_is_renewed_once(
    stage: Stage, identity: Identity, room: Sending
) -> None:
    stage.entra.token_life_s = SEND_NOTIFICATION.min_token_life_s + 60
    await sign_in(stage, identity, "Lee")
    stage.entra.token_life_s = 4500
    ours = stage.world.now
    stage.world.now = lambda: ours() + timedelta(minutes=3)  # Graph's clock is ahead of ours
    delivery = await room.notice([[stage.world.named("Adele").id]])
    await room.reaches(delivery, State.ACCEPTED)
    assert sent(stage, BULK) == [412, 202]


async def test_tokens_that_are_always_too_short_are_refused_with_that_sentence(
    stage: Stage, identity: Identity, room: Sending
) -> None:
    stage.world.faults.short_tokens = True
    await sign_in(stage, identity, "Lee")
    delivery = await room.notice([[stage.world.named("Adele").id]])
    refused = await room.reaches(delivery, State.REFUSED)
    assert refused.tallies[0].problem == "TokenTooShort"
    assert sent(stage, BULK) == []


def rejecting(stage: Stage, *, times: int) -> list[int]:
    """Graph believes the next so many tokens to be revoked; what is left of that."""
    left = list(range(times))
    real = stage.graph._caller

    def caller(authorization: str) -> Any:
        if left:
            left.pop()
            return real("Bearer revoked")
        return real(authorization)

    stage.graph._caller = caller  # type: ignore[method-assign]
    return left


# The database -------------------------------------------------------------------------------------


class Lock:
    """Somebody else's transaction on the SQLite file, which nobody can write beside."""

    def __init__(self, url: str) -> None:
        self._path = url.removeprefix("sqlite+aiosqlite:///")
        self._other: sqlite3.Connection | None = None

    async def take(self) -> None:
        self._other = sqlite3.connect(self._path, timeout=10, check_same_thread=False)
        await asyncio.to_thread(self._other.execute, "BEGIN IMMEDIATE")

    def release(self) -> None:
        if self._other is not None:
            self._other.close()
            self._other = None


class LocksOnce(SignedIn):
    """Signs in as the other does, but the first token that is asked for finds the file locked."""

    def __init__(self, entra: Entra, lock: Lock) -> None:
        super().__init__(entra)
        self._lock: Lock | None = lock

    async def token(self, *args: Any, **kwargs: Any) -> Token:
        lock, self._lock = self._lock, None
        if lock is not None:
            await lock.take()
        return await super().token(*args, **kwargs)


@pytest.fixture
def lock(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lock]:
    monkeypatch.setattr(engines, "_BUSY_TIMEOUT_MS", 20)
    lock = Lock(sqlite_url)
    yield lock
    lock.release()


async def until_refused(logs: list[Any]) -> None:
    """Wait until a write has failed twice."""
    async with asyncio.timeout(10):
        while [line["event"] for line in logs].count("database.unavailable") < 2:
            await asyncio.sleep(0.01)


async def test_a_result_that_finds_the_database_locked_is_written_when_it_is_free(
    stage: Stage, sqlite_url: str, lock: Lock
) -> None:
    stage.world.faults.slow_s = 0.3
    signed_in = SignedIn(stage.entra)
    async with sending(stage.world, stage.graph.url, sqlite_url, signed_in) as room:
        with capture_logs() as logs:
            delivery = await room.text()
            await stage.world.until(lambda: len(sent(stage, SMS)) == 1)
            await lock.take()
            await until_refused(logs)
        now = await room.ledger.any_delivery(delivery.id)
        assert now is not None
        assert now.batches(State.SENDING) == 1
        lock.release()
        await room.reaches(delivery, State.ACCEPTED)
    assert sent(stage, SMS) == [202]


async def test_a_fence_that_finds_the_database_locked_sends_nothing_until_it_is_free(
    stage: Stage, sqlite_url: str, lock: Lock
) -> None:
    signed_in = LocksOnce(stage.entra, lock)
    async with sending(stage.world, stage.graph.url, sqlite_url, signed_in) as room:
        with capture_logs() as logs:
            delivery = await room.text()
            await until_refused(logs)
        assert sent(stage, SMS) == []
        lock.release()
        await room.reaches(delivery, State.ACCEPTED)
    assert sent(stage, SMS) == [202]


async def test_a_full_disk_is_told_at_once_and_what_was_recorded_before_goes_on(
    stage: Stage, sqlite_url: str
) -> None:
    everybody = [[f"person {n}" * 10 for n in range(100)] for _ in range(200)]
    async with sending(stage.world, stage.graph.url, sqlite_url, SignedIn(stage.entra)) as room:
        async with room.database.write() as connection:
            pages = await connection.scalar(text("PRAGMA page_count"))
            await connection.execute(text(f"PRAGMA max_page_count = {pages + 5}"))
        with pytest.raises(StorageUnavailable, match="nothing was sent"):
            await room.notice(everybody)
        delivery = await room.text()
        await room.reaches(delivery, State.ACCEPTED)
        assert len(await room.rows()) == 1
    assert sent(stage, BULK) == []


async def test_a_batch_that_nobody_holds_any_more_is_found_again(
    stage: Stage, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "HEARTBEAT_S", 0.05)
    async with sending(stage.world, stage.graph.url, sqlite_url, SignedIn(stage.entra)) as room:
        due_at_ms = room.queue.clock_ms() + 60_000
        delivery = await room.text(due_at_ms=due_at_ms)
        async with room.database.write() as connection:
            # As after a claim whose worker did not hear that it was written.
            await connection.execute(
                update(BATCHES).values(state="claimed", owner="nobody", lease_until_ms=1)
            )
        await room.reaches(delivery, State.ACCEPTED)


# What nobody foresaw ------------------------------------------------------------------------------


async def test_a_text_that_cannot_be_prepared_ends_and_the_next_one_goes(
    stage: Stage, sqlite_url: str
) -> None:
    async with sending(stage.world, stage.graph.url, sqlite_url, SignedIn(stage.entra)) as room:
        broken = await room.reaches(await room.text(promise={"what": "is this"}), State.REFUSED)
        assert broken.tallies[0].problem == "HeraldError"
        await room.reaches(await room.text(), State.ACCEPTED)
    assert sent(stage, SMS) == [202]


async def test_a_post_that_breaks_on_our_side_is_unknown_for_a_text(
    stage: Stage, sqlite_url: str
) -> None:
    async with sending(stage.world, stage.graph.url, sqlite_url, SignedIn(stage.entra)) as room:
        await room.reaches(await room.text(meeting_id=None), State.UNKNOWN)
        await room.reaches(await room.text(), State.ACCEPTED)


async def test_a_retry_after_of_years_is_believed_for_an_hour(
    stage: Stage, sqlite_url: str
) -> None:
    stage.world.script[:] = [f"429:{'9' * 30}"]
    async with sending(stage.world, stage.graph.url, sqlite_url, SignedIn(stage.entra)) as room:
        delivery = await room.text()
        waits = await room.until(delivery, lambda now: now.tallies[0].problem == "GraphThrottled")
        due_at_ms = waits.tallies[0].due_at_ms
        assert due_at_ms is not None
        assert 0 < due_at_ms - room.queue.clock_ms() <= 3_600_000


async def test_an_outage_of_graph_is_outlived_however_long_it_is(
    stage: Stage, room: Sending, identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "TRIES", 2)
    monkeypatch.setattr(pace, "AWAY_S", 0.05)
    await sign_in(stage, identity, "Adele")
    port = int(stage.graph.url.rpartition(":")[2])
    await stage.graph.stop()
    delivery = await room.text()
    await room.until(delivery, lambda now: now.tallies[0].problem == "GraphUnreachable")
    await asyncio.sleep(0.5)
    [row] = await room.rows()
    assert (row.attempt <= 2, row.settled_at_ms) == (True, None)

    await stage.graph.start(port)
    await room.reaches(delivery, State.ACCEPTED)
    assert sent(stage, SMS) == [202]


async def test_a_503_that_says_when_to_come_back_is_believed(stage: Stage, sqlite_url: str) -> None:
    stage.world.script[:] = ["503:120"]
    async with sending(stage.world, stage.graph.url, sqlite_url, SignedIn(stage.entra)) as room:
        delivery = await room.notice([[stage.world.named("Megan").id]])
        waits = await room.until(delivery, lambda now: now.tallies[0].problem == "GraphUnavailable")
        due_at_ms = waits.tallies[0].due_at_ms
        assert due_at_ms is not None
        assert 100_000 < due_at_ms - room.queue.clock_ms() <= 121_000


# Two tenants --------------------------------------------------------------------------------------


async def slots_of_the_other(folder: Path, *, throttled: bool) -> list[float]:
    """When the other tenant's batches may leave, in ten seconds of an hour that we make up."""
    database = Database(f"sqlite+aiosqlite:///{folder / f'throttled-{throttled}.sqlite3'}")
    await database.migrate()
    now_ms = 1_000_000
    of_graph = {Kind.TEXT: Rates(5, 50), Kind.NOTICE: Rates(2, 20)}
    seal = Seal(["s" * 40], "ledger")
    ledger = Ledger(database, seal, clock_ms=lambda: now_ms)
    queue = Queue(database, seal, Lanes(database, of_graph), clock_ms=lambda: now_ms)
    one, other = Actor("tenant 1", "ann"), Actor("tenant 2", "bob")
    for actor in (one, other):
        wanted = NewDelivery(actor, "f", Kind.NOTICE, Place("", ""), {}, {})
        await ledger.submit(wanted, [["dave"]] * 50)
    slots = []
    for now_ms in range(1_000_000, 1_010_000, 100):  # noqa: B007 - the clock's, by closure
        for batch in await queue.claim("w", kind=Kind.NOTICE, most=16, lease_ms=60_000):
            if batch.actor == other:
                slots.append(batch.starts_at_ms)
            elif throttled:
                await queue.hold_lane(one.tenant_id, Kind.NOTICE, 3)
                await queue.again(batch, worker="w", after_ms=3_000, problem="GraphThrottled")
    await database.close()
    return slots


async def test_a_throttled_tenant_costs_another_no_slot(tmp_path: Path) -> None:
    calm = await slots_of_the_other(tmp_path, throttled=False)
    beside_a_throttled_one = await slots_of_the_other(tmp_path, throttled=True)
    assert beside_a_throttled_one == calm
    assert len(calm) > 18
