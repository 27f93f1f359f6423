"""The crash matrix: processes killed around every write of a send, and what must be true after it.

`tests/bot/delivery/test_crash_matrix.py` runs it with a few kills a point, `bench/crash_matrix.py`
with many.
"""

import asyncio
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.delivery.database import Database
from bot.delivery.models import BATCHES, DELIVERIES
from sandbox.entra import Entra
from sandbox.graph import Graph
from sandbox.world import GraphCall, World, clinic

ROOT = Path(__file__).resolve().parent.parent.parent.parent
_KILLED = -9
_AREAS = (206, 253, 360, 425, 509)
_SCOPES = (
    "VirtualAppointmentNotification.Send",
    "TeamsActivity.Send",
    "TeamsAppInstallation.ReadForUser",
    "User.ReadBasic.All",
)


@dataclass(frozen=True)
class Point:
    """A write around a send.

    `script` is what Graph answers (sandbox/graph_faults.py); `first` is a kill that comes before,
    because only a process that finds another's remains makes this write. `ends` are the states
    that a delivery may end in when the process died there.
    """

    kind: str
    name: str
    when: str
    ends: frozenset[str]
    script: tuple[str, ...] = ()
    first: tuple[str, str] | None = None
    refused: bool = False

    def __str__(self) -> str:
        what = f"{self.kind}, {self.when} {self.name}"
        if self.script:
            what += f" (Graph: {' '.join(self.script)})"
        return f"{what} (over a crash's remains)" if self.first else what


def _points() -> list[Point]:
    sent, doubt, refused = frozenset({"accepted"}), frozenset({"unknown"}), frozenset({"refused"})
    found = []
    for kind in ("text", "notice"):
        # What is in doubt is over for a text, and goes again for a notice.
        lost = doubt if kind == "text" else sent
        no = refused if kind == "text" else doubt
        found += [
            Point(kind, "submitted", "before", sent),
            Point(kind, "submitted", "after", sent),
            Point(kind, "claimed", "before", sent),
            Point(kind, "claimed", "after", sent),
            Point(kind, "sending", "before", sent),
            Point(kind, "sending", "after", lost),
            Point(kind, "post", "before", lost),
            Point(kind, "post", "during", lost | sent),
            Point(kind, "post", "after", lost),
            Point(kind, "accepted", "before", lost),
            Point(kind, "accepted", "after", sent),
            Point(kind, "lease", "before", lost | sent),
            Point(kind, "lease", "after", lost | sent),
            Point(kind, "lane", "before", lost, ("429:none",)),
            Point(kind, "lane", "after", lost, ("429:none",)),
            Point(kind, "queued", "before", lost, ("429:none",)),
            Point(kind, "queued", "after", sent, ("429:none",)),
            Point(kind, "refused", "before", no if kind == "notice" else doubt, refused=True),
            Point(kind, "refused", "after", refused, refused=True),
        ]
    found += [
        Point("text", "unknown", "before", doubt, ("503_after",)),
        Point("text", "unknown", "after", doubt, ("503_after",)),
        Point("notice", "queued", "before", sent, ("503_after",)),
        Point("notice", "queued", "after", sent, ("503_after",)),
        # The process that finds a crash's remains crashes itself over them.
        Point("text", "unknown", "before", doubt, first=("post", "after")),
        Point("text", "unknown", "after", doubt, first=("post", "after")),
        Point("notice", "queued", "before", sent, first=("post", "after")),
        Point("notice", "queued", "after", sent, first=("post", "after")),
    ]
    return found


POINTS = _points()


@dataclass
class Outcome:
    """What came of the kills at one point: how many there were, and the deliveries' states."""

    kills: int = 0
    states: Counter[str] = field(default_factory=Counter)


async def prepare(database_url: str) -> str:
    """Make the tables in an empty database; one after the other, as Alembic wants it."""
    database = Database(database_url)
    await database.migrate()
    await database.close()
    return database_url


async def run(
    database_url: str, kind: str, *, kills: int, seed: int
) -> AsyncIterator[tuple[Point, Outcome]]:
    """Every point of a kind, on a database that is prepared and empty.

    Raises AssertionError where a rule is broken.
    """
    async with Matrix(database_url, seed=seed).running() as matrix:
        for point in POINTS:
            if point.kind == kind:
                outcome = await matrix.kill_at(point, kills)
                assert outcome.kills == kills
                assert set(outcome.states) <= point.ends, f"seed {seed}: {point}: {outcome.states}"
                yield point, outcome


class Matrix:
    """One database, one Graph stand-in, and the process whose lives are taken."""

    def __init__(self, database_url: str, *, seed: int) -> None:
        self.world: World = clinic()
        self.world.limits_enforced = False
        self._entra = Entra(self.world)
        self._entra.token_life_s = 24 * 3600  # a thousand kills a point take hours
        self._graph = Graph(self.world, self._entra)
        self._url = database_url
        self._chance = random.Random(seed)  # noqa: S311 - no secret depends on it
        self._number = 0
        self._specs: dict[int, dict[str, Any]] = {}
        self._last: dict[str, Any] | None = None
        self._tokens: dict[str, str] = {}
        self._calls: dict[tuple[str, ...], list[GraphCall]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Matrix"]:
        """Graph listens, the process waits for jobs."""
        for person in self.world.people.values():
            self._tokens[person.id] = self._entra.tokens.graph_token(person, _SCOPES)
        await self._graph.start()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.bot.delivery.victim",
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            for point in (POINTS[0], Point("notice", "", "", frozenset())):
                self._last = self._new_spec(point)
                places = {"database": self._url, "graph": self._graph.url, "tokens": self._tokens}
                await self._life({"submit": self._last, "warm": True} | places)
            yield self
        finally:
            assert self._process.stdin is not None
            self._process.stdin.close()
            await self._process.wait()
            await self._graph.stop()

    async def kill_at(self, point: Point, times: int) -> Outcome:
        """Kill there so often, each time in the middle of another delivery, then look."""
        outcome = Outcome()
        began = self._number + 1
        for _ in range(times):
            spec = self._new_spec(point)
            await self._one(point, spec)
            outcome.kills += 1
        await self.finish()
        rows = await self._rows()
        # Sorted once: looking through all of them for each delivery would keep the other kind's
        # requests waiting until they run out of time.
        self._calls = defaultdict(list)
        for call in self.world.graph_calls:
            self._calls[_sends(call)].append(call)
        for number in range(began, self._number + 1):
            spec, found = self._specs[number], rows[number]
            outcome.states.update(self._judge(spec, found))
            first = found[0]
            if first.state not in point.ends:
                told = f"{point}: {spec['kind']} {number} is {first.state}: {first.problem}"
                raise AssertionError(f"{told}; Graph: {self._calls_of(spec, spec['people'][0])}")
        for old in (self.world.graph_calls, self.world.feeds, self.world.phones):
            old.clear()
        return outcome

    async def _one(self, point: Point, spec: dict[str, Any]) -> None:
        kill: dict[str, Any] = {"point": point.name, "when": point.when}
        if point.when == "during":
            kill["delay_s"] = self._chance.uniform(0, 0.006)
        elif point.kind == "notice" and point.name == "post" and not point.first:
            kill["nth"] = self._chance.randint(1, 2)
        if point.first:
            name, when = point.first
            await self._live(point, submit=spec, kill={"point": name, "when": when})
            await self._live(point, arm_at_once=True, finish=spec, kill=kill)
        else:
            await self._live(point, submit=spec, kill=kill)

    async def finish(self) -> None:
        """A life that nobody takes: everything that was left is done."""
        await self._life({"finish": self._last})

    async def _live(self, point: Point, **job: Any) -> None:
        job.setdefault("finish", self._last)
        slow = point.name == "lease"
        ended = await self._life(
            job | {"heartbeat_s": 0.02 if slow else 10}, point.script, slow=slow
        )
        assert ended == _KILLED, f"{point}: not killed, but {ended}\n{await self._complaints()}"
        self._last = job.get("submit") or self._last

    async def _life(
        self, job: dict[str, Any], script: tuple[str, ...] = (), *, slow: bool = False
    ) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.world.script.clear()
        self.world.faults.slow_s = 0
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        while True:
            line = (await self._process.stdout.readline()).strip()
            if line == b"armed":
                self.world.script[:] = script
                self.world.faults.slow_s = 0.1 if slow else 0
                self._process.stdin.write(b"go\n")
            elif line:
                return int(json.loads(line)["ended"])
            else:
                raise AssertionError(await self._complaints())

    async def _complaints(self) -> str:
        assert self._process.stdin is not None
        assert self._process.stderr is not None
        self._process.stdin.close()
        return (await self._process.stderr.read()).decode()

    def _new_spec(self, point: Point) -> dict[str, Any]:
        self._number += 1
        named = self.world.named
        owner = named("Isaiah") if point.refused and point.kind == "text" else named("Adele")
        meeting = next(m.id for m in self.world.meetings.values() if m.organizer_id == owner.id)
        area, last = divmod(self._number, 10_000)
        number = f"+1{_AREAS[area]}342{last:04d}"
        people: list[list[Any]] = [[[number, "Pacific Standard Time"]]]
        if point.kind == "notice":
            named("Diego").has_app = False
            some = ("Diego", "Lee") if point.refused else ("Megan", "Lee")
            people = [[named(name).id] for name in some]
        spec = {
            "kind": point.kind,
            "number": self._number,
            "actor": [owner.tenant_id, owner.id],
            "meeting": meeting,
            "people": people,
        }
        self._specs[self._number] = spec
        return spec

    async def _rows(self) -> dict[int, list[Any]]:
        """The ledger's batches, by the number of their delivery."""
        database = Database(self._url)
        found: dict[int, list[Any]] = {}
        async with database.read() as connection:
            rows = await connection.execute(
                select(BATCHES, DELIVERIES.c.form_id, DELIVERIES.c.chain_id)
                .join(DELIVERIES, DELIVERIES.c.id == BATCHES.c.delivery_id)
                .order_by(BATCHES.c.id)
            )
            for row in rows:
                found.setdefault(int(row.form_id.removeprefix("form ")), []).append(row)
        await database.close()
        return found

    def _judge(self, spec: dict[str, Any], rows: list[Any]) -> set[str]:
        """Compare the ledger with what Graph knows of one delivery; its first batch's state."""
        assert [row.position for row in rows] == list(range(len(spec["people"]))), "a batch is lost"
        for row, people in zip(rows, spec["people"], strict=True):
            calls = self._calls_of(spec, people)
            told = f"{spec['kind']} {spec['number']}: {row.state}, {[c.status for c in calls]}"
            took = [call for call in calls if call.took_effect]
            if spec["kind"] == "text":
                # Whatever the answer: only a 429 may be followed by another try.
                assert len([call for call in calls if call.status != 429]) <= 1, told
            else:
                assert {call.body["chainId"] for call in calls} <= {row.chain_id}, told
            if row.state == "accepted":
                assert row.request_id in {call.request_id for call in took}, told
            elif row.state == "refused":
                assert not took, told
            else:
                assert row.state == "unknown", told
        return {rows[0].state}

    def _calls_of(self, spec: dict[str, Any], people: list[Any]) -> list[GraphCall]:
        if spec["kind"] == "text":
            return self._calls[(people[0][0],)]
        return self._calls[(str(spec["number"]), *people)]


def _sends(call: GraphCall) -> tuple[str, ...]:
    """What tells a batch's requests apart: a text's number, or a notice's and its people."""
    if "attendees" in call.body:
        return tuple(one["phoneNumber"] for one in call.body["attendees"])
    values = [one["value"] for one in call.body.get("templateParameters", ())]
    return (*values, *(one["userId"] for one in call.body.get("recipients", ())))
