"""Past this machine: the real lanes and ledger, a simulated clock and Graph.

1,000 tenants, a million recipients an hour, ten replicas. Time is ours: it jumps to where something
happens next. What is not simulated is the work on the database (SQLite in a file, which takes the
place of PostgreSQL's row locks by taking turns): its statements are counted and timed. Tokens live
70 minutes, and a notice needs one with 45 minutes left, as in Graph.
"""

import heapq
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import event

from bench.core import actor, notice, people, quiet
from bench.table import Row, share
from bot.delivery.claims import Claims
from bot.delivery.database import Database
from bot.delivery.lanes import Lanes, Rates
from bot.delivery.ledger import Ledger
from bot.delivery.models import Kind, State
from bot.delivery.queue import Queue
from bot.delivery.sqlite_thread import _PLAIN  # where statements pass
from bot.delivery.worker import AT_ONCE
from bot.delivery.writes import _fence_all, _put_all  # the worker's own
from bot.sealing import Seal

_TENANTS = 1_000
_REPLICAS = 10
_HOUR_MS = 3_600_000
_RECIPIENTS = 1_000_000  # an hour
_GRAPH_MS = 300.0
_LEASE_MS = 30_000
_TOKEN_LIFE_MS = 70 * 60_000
_TOKEN_NEEDS_MS = 45 * 60_000
_RATES = {kind: Rates(2, 20) for kind in Kind}
_BUDGET_S = 75.0  # of real time, for all of it


@dataclass(frozen=True)
class Load:
    """How much comes in a simulated stretch: recipients an hour, of so many a notice."""

    name: str
    an_hour: int
    people: int
    minutes: float


LOADS = (
    # Notices of 1,000 to a team: most batches are full.
    Load("a million an hour, 1,000 a notice", _RECIPIENTS, 1_000, 6),
    # Notices of 8: nearly every request is a small one.
    Load("a million an hour, 8 a notice", _RECIPIENTS, 8, 2),
    # What the whole app may send: 20 requests a second of 100 are 7.2 million an hour.
    Load("six million an hour, 1,000 a notice", 6 * _RECIPIENTS, 1_000, 3),
)


@dataclass
class Simulated:
    """What one load came to."""

    waited_s: list[float] = field(default_factory=list)  # from submit to leaving, each batch
    submitted: int = 0
    sent: int = 0
    statements: int = 0
    renewals: int = 0
    claims: int = 0
    empty_claims: int = 0
    refused: int = 0  # by the simulated Graph: above 2 or 20 within a second
    real_s: float = 0.0
    simulated_s: float = 0.0


class Clock:
    """Milliseconds since 1970; it stands until somebody moves it."""

    def __init__(self) -> None:
        self.now_ms = 1_800_000_000_000

    def __call__(self) -> int:
        """Now."""
        return int(self.now_ms)


class SimulatedGraph:
    """Counts what is asked of it within any second: 2 of a tenant, 20 of the whole app."""

    def __init__(self) -> None:
        self._left: dict[str, list[float]] = {}
        self.refused = 0

    def asked(self, tenant_id: str, at_ms: float) -> None:
        """One request."""
        for key, most in ((tenant_id, 2), ("", 20)):
            times = self._left.setdefault(key, [])
            times.append(at_ms)
            while times[0] <= at_ms - 1_000:
                times.pop(0)
            self.refused += len(times) > most


class Simulation:
    """Ten replicas and what they share."""

    def __init__(self, database: Database) -> None:
        self.clock = Clock()
        seal = Seal(["simulated" * 5], "ledger")
        self.database = database
        self.ledger = Ledger(database, seal, clock_ms=self.clock)
        lanes = Lanes(database, _RATES)
        self.claims = Claims(database, lanes, self.clock)
        self.queue = Queue(database, seal, lanes, clock_ms=self.clock)
        self.graph = SimulatedGraph()
        self._tokens: dict[str, float] = {}
        self._events: list[tuple[float, int, str, Any]] = []
        self._count = 0
        self._random = random.Random(7)  # noqa: S311 - the same load in each run
        self._busy = Counter[int]()
        self._looks_ms = [0.0] * _REPLICAS

    async def run(self, load: Load, result: Simulated, budget_s: float) -> None:
        """Let it happen, until the stretch is over and all has left, or the budget is used."""
        began = time.perf_counter()
        start_ms = self.clock.now_ms
        ends_ms = start_ms + load.minutes * 60_000
        every_ms = _HOUR_MS / (load.an_hour / load.people)
        moment = start_ms
        while (moment := moment + self._random.expovariate(1 / every_ms)) < ends_ms:
            self._at(moment, "submit", load.people)
        for replica in range(_REPLICAS):
            self._at(start_ms + 50 * replica, "look", replica)
        while self._events and time.perf_counter() - began < budget_s:
            at_ms, _, what, about = heapq.heappop(self._events)
            self.clock.now_ms = max(self.clock.now_ms, at_ms)
            await getattr(self, f"_{what}")(about, result)
            if self.clock.now_ms > ends_ms and result.sent == result.submitted:
                break
        result.real_s = time.perf_counter() - began
        result.simulated_s = (self.clock.now_ms - start_ms) / 1000
        result.refused = self.graph.refused

    def _at(self, at_ms: float, what: str, about: Any) -> None:
        self._count += 1
        heapq.heappush(self._events, (at_ms, self._count, what, about))

    async def _submit(self, size: int, result: Simulated) -> None:
        who = actor(self._random.randrange(_TENANTS))
        delivery, _ = await self.ledger.submit(notice(who), people(size))
        result.submitted += delivery.batches(State.QUEUED)
        self._at(self.clock.now_ms, "look", self._random.randrange(_REPLICAS))

    async def _look(self, replica: int, result: Simulated) -> None:
        """One replica's loop: claim what there is room for, or sleep as the worker does."""
        if self.clock.now_ms < self._looks_ms[replica]:
            return
        room = 2 * AT_ONCE - self._busy[replica]
        if room <= 0:
            return
        claimed = await self.claims.take(
            f"replica {replica}", kind=Kind.NOTICE, most=room, lease_ms=_LEASE_MS
        )
        result.claims += 1
        result.empty_claims += not claimed
        self._looks_ms[replica] = self.clock.now_ms + (20 if claimed else 500)
        self._at(self._looks_ms[replica], "look", replica)
        for one in claimed:
            self._busy[replica] += 1
            result.waited_s.append(max(0.0, one.starts_at_ms - one.row.due_at_ms) / 1000)
            self._at(max(one.starts_at_ms, self.clock.now_ms), "leave", (replica, one.row))

    async def _leave(self, about: tuple[int, Any], result: Simulated) -> None:
        replica, row = about
        now = self.clock.now_ms
        if self._tokens.get(row.user_id, 0.0) - now < _TOKEN_NEEDS_MS:
            self._tokens[row.user_id] = now + _TOKEN_LIFE_MS
            result.renewals += 1
        self.graph.asked(row.tenant_id, now)
        self._at(now + _GRAPH_MS, "settle", (replica, row))

    async def _settle(self, about: tuple[int, Any], result: Simulated) -> None:
        replica, row = about
        # All that are answered by now share a transaction, as they do in `Writes`.
        rows = [row]
        while self._events and self._events[0][2] == "settle":
            if self._events[0][0] > self.clock.now_ms + 2:
                break
            other, more = heapq.heappop(self._events)[3]
            self._busy[other] -= 1
            rows.append(more)
        self._busy[replica] -= 1
        await self.database.write_in_one(lambda connection: _fence_and_settle(connection, rows))
        result.sent += len(rows)


def _fence_and_settle(connection: Any, rows: list[Any]) -> None:
    by_owner: dict[str, list[Any]] = {}
    for row in rows:
        by_owner.setdefault(row.owner, []).append(row)
    for owner, some in by_owner.items():
        _fence_all(connection, [{"b_id": row.id, "b_owner": owner, "lease": 0} for row in some])
    _put_all(
        connection,
        [
            {
                "b_id": row.id,
                "b_owner": row.owner,
                "new_state": State.ACCEPTED.value,
                "problem": "",
                "status": 202,
                "code": "",
                "request_id": "simulated",
                "settled_at_ms": 1,
            }
            for row in rows
        ],
    )


async def simulated(folder: Path) -> list[Row]:
    """Each load in turn; what it waited, and what it cost the database."""
    quiet()
    rows = []
    for number, load in enumerate(LOADS):
        database = Database(f"sqlite+aiosqlite:///{folder / f'scale{number}.sqlite3'}")
        await database.migrate()
        result = Simulated()
        with _counting(result):
            await Simulation(database).run(load, result, _BUDGET_S / len(LOADS))
        await database.close()
        rows += _rows(load, result)
    return rows


@contextmanager
def _counting(result: Simulated) -> Iterator[None]:
    def counted(*_: Any) -> None:
        result.statements += 1

    event.listen(_PLAIN, "before_cursor_execute", counted)
    yield
    event.remove(_PLAIN, "before_cursor_execute", counted)


def _rows(load: Load, result: Simulated) -> list[Row]:
    what = f"simulated, {load.name}"
    seconds = max(1.0, result.simulated_s)
    return [
        Row.absolute(f"{what}: requests a second", result.sent / seconds, None),
        Row.absolute(f"{what}: wait for its slot, p50 s", share(result.waited_s, 50), None),
        Row.absolute(f"{what}: wait for its slot, p99 s", share(result.waited_s, 99), None),
        Row.absolute(f"{what}: statements a batch", result.statements / max(1, result.sent), None),
        Row.absolute(f"{what}: claims a second, ten replicas", result.claims / seconds, None),
        Row.absolute(f"{what}: of these in vain", result.empty_claims / seconds, None),
        Row.absolute(f"{what}: tokens renewed a minute", 60 * result.renewals / seconds, None),
        Row.absolute(f"{what}: requests that Graph throttled", result.refused, None),
        Row.absolute(f"{what}: simulated seconds a real one", seconds / result.real_s, None),
    ]
