"""A process that sends with Herald's own ledger and worker, and kills itself where it is told.

`python -m tests.bot.delivery.victim` loads everything once and then forks a life for each line of
its input, a job as JSON. What a job that warms up says of the database, Graph and tokens goes for
all that come after it. A life that was given a kill dies by SIGKILL, just before or just after one
commit or one POST; nothing in the product knows of it. What happens is told line by line:
`armed` when the job's own delivery is about to be submitted (any line lets it go on), then
`{"ended": …}` with the exit code, or with minus the signal.
"""

import asyncio
import gc
import json
import logging
import os
import signal
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Self, cast

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.actor import Actor
from bot.delivery import pace
from bot.delivery.actions import notice_call, text_call
from bot.delivery.database import Database
from bot.delivery.lanes import Lanes, Rates
from bot.delivery.ledger import Ledger
from bot.delivery.models import BATCHES, LANES, Kind, NewDelivery, Place
from bot.delivery.queue import Queue
from bot.delivery.worker import Worker
from bot.graph.bodies import text_topic
from bot.graph.client import Accepted, Graph, open_session
from bot.identity.obo import Identity, Token
from bot.sealing import Seal

SECRET = "v" * 40
NOT_REACHED = 3
_NO_LIMIT = {kind: Rates(100_000, 100_000) for kind in Kind}
_LINK = "https://teams.microsoft.com/l/chat/0/0?users=x"
_PATIENCE_S = 60.0  # with a machine that others use too

_LOOK = (
    select(
        BATCHES.c.id,
        BATCHES.c.state,
        BATCHES.c.lease_until_ms,
        select(func.sum(LANES.c.free_at_ms)).scalar_subquery().label("lanes"),
    )
    .order_by(BATCHES.c.id.desc())
    .limit(20)
)


@dataclass
class Kill:
    """Where to die: `when` is before or after the `nth` write (or POST) of this name, or during.

    During a POST is `delay_s` after it was begun.
    """

    point: str
    when: str
    nth: int = 1
    delay_s: float = 0.0
    armed: bool = False
    met: int = 0

    def reached(self, names: set[str], when: str) -> None:
        """A write or POST of these names is about to happen, or has happened."""
        if not self.armed or self.point not in names or when != self.when:
            return
        self.met += 1
        if self.met == self.nth:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Snapshot:
    """What one transaction can change; of the batches the newest, where all the work is."""

    lanes: float = 0.0
    batches: dict[int, tuple[str, int | None]] = field(default_factory=dict)

    @classmethod
    async def of(cls, connection: AsyncConnection) -> "Snapshot":
        # One statement: there is a look before and after every write of every life.
        rows = (await connection.execute(_LOOK)).all()
        batches = {row.id: (row.state, row.lease_until_ms) for row in rows}
        return cls(rows[0].lanes or 0.0, batches) if rows else cls()

    def names_of(self, after: "Snapshot") -> set[str]:
        """What the transaction did: states that batches came to, `submitted`, `lease`, `lane`."""
        # Only a submission makes batches, with their delivery; counting deliveries would look
        # through thousands of them.
        if max(after.batches, default=0) > max(self.batches, default=0):
            return {"submitted"}
        changed = {key for key, batch in after.batches.items() if self.batches.get(key) != batch}
        states = {
            after.batches[key][0]
            for key in changed
            if key not in self.batches or self.batches[key][0] != after.batches[key][0]
        }
        if states:
            return states
        if changed:
            return {"lease"}
        return {"lane"} if self.lanes != after.lanes else set()


class WatchedDatabase(Database):
    """The database, with somebody looking over its shoulder at every commit."""

    kill: Kill

    @classmethod
    @cache
    def at(cls, url: str) -> Self:
        """One for all lives: statements that were compiled before a fork are known in it."""
        return cls(url)

    def live(self, kill: Kill) -> None:
        """Begin another life, in another event loop."""
        self.kill = kill
        self._seen: Snapshot | None = None
        self._watching = asyncio.Lock()
        self._one_writer = asyncio.Lock()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        # One at a time on either database, so that what changed meanwhile was changed here.
        async with self._watching, super().write() as connection:
            # Nobody else can have changed it since our last look.
            before = self._seen or await Snapshot.of(connection)
            self._seen = None
            yield connection
            after = await Snapshot.of(connection)
            names = before.names_of(after)
            self.kill.reached(names, "before")
        self._seen = after
        self.kill.reached(names, "after")


class WatchedGraph(Graph):
    """Graph, with somebody looking over its shoulder at every POST."""

    kill: Kill

    async def post(self, *args: Any, **kwargs: Any) -> Accepted:
        self.kill.reached({"post"}, "before")
        asyncio.get_running_loop().call_later(
            self.kill.delay_s, self.kill.reached, {"post"}, "during"
        )
        try:
            return await super().post(*args, **kwargs)
        finally:
            self.kill.reached({"post"}, "after")


class SignedIn:
    """Stands in the place of `Identity`: the tokens that the job brought."""

    def __init__(self, tokens: Mapping[str, str]) -> None:
        self._tokens = tokens

    async def token(self, actor: Actor, *_: object, **__: object) -> Token:
        return Token(self._tokens[actor.user_id], datetime.now(UTC) + timedelta(hours=1))


def wanted(spec: Mapping[str, Any]) -> NewDelivery:
    """What this specification submits: {kind, number, actor, meeting, people}."""
    kind, number = Kind(spec["kind"]), spec["number"]
    if kind is Kind.TEXT:
        call = text_call(meeting_id=spec["meeting"], message_type="confirmation", language="en-US")
    else:
        call = notice_call(
            topic=text_topic("Deployment", _LINK),
            activity_type="deploymentApprovalRequired",
            preview="Please look.",
            parameters={"deploymentId": str(number)},
            teams_app_id=None,
        )
    place = Place("http://127.0.0.1/amer/", "a:1")
    return NewDelivery(Actor(*spec["actor"]), f"form {number}", kind, place, {"n": number}, call)


class Life:
    """One life of the process: finish what the last one left, then do the job's own delivery."""

    def __init__(self, job: Mapping[str, Any], told: Callable[[str], None]) -> None:
        self._job = job
        self._told = told
        self._kill = Kill(**job["kill"]) if job.get("kill") else Kill("", "")
        self._changed = asyncio.Event()

    async def run(self) -> int:
        job = self._job
        async with open_session() as session:
            database = WatchedDatabase.at(job["database"])
            database.live(self._kill)
            seal = Seal([SECRET], "ledger")
            ledger = Ledger(database, seal)
            graph = WatchedGraph(job["graph"], session)
            graph.kill = self._kill
            queue = Queue(database, seal, Lanes(database, _NO_LIMIT))
            identity = cast(Identity, SignedIn(job["tokens"]))
            # Alone on either database: each life is the only one, and judges what the last left.
            worker = Worker(ledger, queue, identity, graph, alone=True)
            worker.tells(self._note)
            pace.HEARTBEAT_S = job.get("heartbeat_s", 10.0)
            self._kill.armed = bool(job.get("arm_at_once"))
            await worker.start()
            if job.get("finish"):
                await self._settled(ledger, worker, job["finish"])
            if job.get("submit"):
                self._told("armed")
                self._kill.armed = True
                await self._settled(ledger, worker, job["submit"])
            if job.get("kill"):
                await asyncio.sleep(0.5)  # a kill during a POST may come after its answer
                return NOT_REACHED
            await worker.stop()
            await database.close()
        return 0

    async def _settled(self, ledger: Ledger, worker: Worker, spec: Mapping[str, Any]) -> None:
        delivery, _ = await ledger.submit(wanted(spec), spec["people"])
        worker.nudge()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not delivery.is_settled:
                    await self._changed.wait()
                    self._changed.clear()
                    delivery = await ledger.any_delivery(delivery.id) or delivery
        except TimeoutError:
            now = await ledger.any_delivery(delivery.id)
            raise AssertionError(f"number {spec['number']} is not settled: {now}") from None

    async def _note(self, _delivery_id: str) -> None:
        self._changed.set()


def hurry() -> None:
    """What is minutes in production is milliseconds here."""
    pace.LONGEST_PAUSE_S = 0.05
    pace.THROTTLED_S = 0.005


def _tell(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def _line() -> bytes:
    """The next line of input, and not a byte more: the rest is for somebody else to read."""
    line = b""
    while not line.endswith(b"\n") and (more := os.read(0, 1)):
        line += more
    return line


def _live(job: Mapping[str, Any]) -> int:
    def armed(word: str) -> None:
        _tell(word)
        _line()

    return asyncio.run(Life(job, armed).run())


def main() -> None:
    """Fork a life for each job, one after the other; one that is to warm up is lived here."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    hurry()
    known: dict[str, Any] = {}
    while line := _line():
        job = known | json.loads(line)
        if job.pop("warm", False):
            known = {name: job[name] for name in ("database", "graph", "tokens")}
            _tell(json.dumps({"ended": _live(job)}))
            gc.freeze()
            gc.disable()  # or every life would touch, and so copy, all that was loaded before
            continue
        child = os.fork()
        if not child:
            code = 1
            try:
                code = _live(job)
            except BaseException:  # noqa: BLE001 - the fork must not go on as its parent
                traceback.print_exc()
            os._exit(code)
        _, status = os.waitpid(child, 0)
        _tell(json.dumps({"ended": os.waitstatus_to_exitcode(status)}))


if __name__ == "__main__":
    main()
