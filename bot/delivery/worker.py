"""Takes queued batches, sends each once, and writes what is known of it.

What is known after a POST: Graph took it (202), Graph said no (4xx), it surely never left
(connection refused, 429), or nobody can tell (a time-out, a reset, a 5xx). After a doubt a
notification goes again, because its `chainId` makes a repetition replace; a text never does.
"""

import asyncio
import contextlib
import random
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from bot.delivery.actions import ACTIONS
from bot.delivery.database import StorageUnavailable, until_written
from bot.delivery.ledger import Ledger
from bot.delivery.models import IN_HAND, OWNER_INSISTS, Batch, Delivery, Kind, State
from bot.delivery.queue import Queue
from bot.delivery.recheck import Changed, MeetingUnreadable, recheck
from bot.errors import (
    ConsentNeeded,
    EntraUnavailable,
    HeraldError,
    IdentityError,
    SignInNeeded,
    WrongPerson,
)
from bot.graph.client import Accepted, Graph
from bot.graph.errors import (
    GraphError,
    GraphRefused,
    GraphSilent,
    GraphThrottled,
    GraphUnreachable,
    TokenRejected,
    TokenTooOld,
)
from bot.identity.obo import Identity
from bot.sealing import Unreadable

log = structlog.get_logger(__name__)

Tell = Callable[[str], Awaitable[None]]

LEASE_MS = 30_000  # longer than the HTTP time-out, so that no lease ends while a POST is out
AT_ONCE = 16  # requests of one kind on the wire from this process
_HEARTBEAT_S = 10.0
_TRIES = 8  # about four minutes of back-off
_LONGEST_PAUSE_S = 60.0
_LONGEST_WAIT_S = 3600.0  # whatever Retry-After says; then Graph is asked again
_THROTTLED_S = 5.0  # a 429 without Retry-After
_POLL_S = 0.5  # another replica may have queued something; on SQLite there is none
_LOOK_S = 0.1  # a turn that waits for what another replica may be sending
_CALLS_KEPT = 64
_FENCED_AHEAD_S = 0.05  # so that a slot is not missed by the time that writing takes
_FENCE_HOLDS_MS = LEASE_MS / 3  # the rest is the POST's
_WAITS_FOR_OWNER = (SignInNeeded, ConsentNeeded, WrongPerson)


class Worker:
    """One asyncio worker. `tell(delivery_id)` is called after every change of a delivery.

    `alone`: no other worker uses this database (SQLite, under its file lock).
    """

    def __init__(
        self,
        ledger: Ledger,
        queue: Queue,
        identity: Identity,
        graph: Graph,
        *,
        alone: bool = True,
        at_once: int = AT_ONCE,
    ) -> None:
        self.name = f"worker-{uuid.uuid4().hex[:12]}"
        self._ledger = ledger
        self._queue = queue
        self._identity = identity
        self._graph = graph
        self._alone = alone
        self._at_once = at_once
        self._tell: Tell | None = None
        self._nudged = asyncio.Event()
        self._nudges = 0
        self._quiet_until_ms = dict.fromkeys(Kind, 0.0)  # nothing can be claimed before
        self._stopping = asyncio.Event()
        self._in_flight: dict[Kind, dict[asyncio.Task[None], Batch]] = {k: {} for k in Kind}
        self._wire = {kind: asyncio.Semaphore(at_once) for kind in Kind}
        self._waiters: dict[str, asyncio.Event] = {}
        self._calls: OrderedDict[str, asyncio.Task[dict[str, Any]]] = OrderedDict()
        self._loops: list[asyncio.Task[None]] = []

    def tells(self, tell: Tell) -> None:
        """Whom to tell of changes."""
        self._tell = tell

    async def start(self) -> None:
        """Judge what a crash left behind, then start taking batches."""
        await self._recover(all_of_them=self._alone)
        self._loops = [
            asyncio.create_task(self._run(), name=self.name),
            asyncio.create_task(self._beat(), name=f"{self.name} heartbeat"),
        ]

    async def stop(self) -> None:
        """Take nothing more; finish what is on the wire; give the rest back."""
        self._stopping.set()
        self._nudged.set()
        # First the loops: a claim that is under way still brings batches, which go back too.
        await asyncio.gather(*self._loops)
        await asyncio.gather(*(task for tasks in self._in_flight.values() for task in tasks))

    def nudge(self) -> None:
        """Something was queued: look now."""
        self._nudges += 1
        self._quiet_until_ms = dict.fromkeys(Kind, 0.0)
        self._nudged.set()

    async def first_results(self, delivery: Delivery, *, timeout_s: float) -> None:
        """Wait until nothing of the delivery is on its way, or it is known why it waits."""
        event = self._waiters.setdefault(delivery.id, asyncio.Event())
        self.nudge()
        clock = asyncio.get_running_loop().time
        ends_at = clock() + timeout_s
        try:
            while await self._is_moving(delivery):
                # Another replica's results wake nobody here: they are looked for.
                look_at = ends_at if self._alone else min(ends_at, clock() + _LOOK_S)
                # Only this wait is cut short: a cancelled read would cost its connection.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(look_at):
                        await event.wait()
                if not event.is_set() and clock() >= ends_at:
                    return
                event.clear()
        finally:
            self._waiters.pop(delivery.id, None)

    async def _is_moving(self, delivery: Delivery) -> bool:
        now = await self._ledger.any_delivery(delivery.id)
        moving = (State.QUEUED, *IN_HAND)
        return now is not None and any(
            tally.state in moving and tally.problem in {"", OWNER_INSISTS} for tally in now.tallies
        )

    # The loops -----------------------------------------------------------------------------------

    async def _run(self) -> None:
        while not self._stopping.is_set():
            self._nudged.clear()
            try:
                if not await self._take():
                    await self._sleep(self._pause_s())
            except StorageUnavailable:
                await self._sleep(1.0)  # nothing is lost: it is asked again
            except Exception:
                log.exception("worker.failed")
                await self._sleep(1.0)

    async def _take(self) -> bool:
        took = False
        for kind in Kind:
            if self._room(kind) and self._quiet_until_ms[kind] <= self._queue.clock_ms():
                took |= await self._take_some(kind, self._room(kind))
        return took

    def _room(self, kind: Kind) -> int:
        """How many more to take in hand: some ahead of the wire, which then never waits for them.

        0 until there are so many that the claim is worth its transaction.
        """
        ahead = self._queue.ahead(kind, 2 * self._at_once)
        room = self._at_once + ahead - len(self._in_flight[kind])
        return room if room > ahead // 2 else 0

    async def _take_some(self, kind: Kind, room: int) -> bool:
        tasks, nudges = self._in_flight[kind], self._nudges
        most = room if tasks else self._at_once  # the first of many are sent while more are taken
        batches = await self._queue.claim(self.name, kind=kind, most=most, lease_ms=LEASE_MS)
        for batch in batches:
            task = asyncio.create_task(self._work(batch))
            tasks[task] = batch
            task.add_done_callback(tasks.pop)
            task.add_done_callback(lambda _done: self._nudged.set())
        if not batches:
            at_ms = await self._queue.next_at_ms([kind])
            longest_ms = self._queue.clock_ms() + 1000 * self._longest_pause_s
            if nudges == self._nudges:  # nothing new came meanwhile
                self._quiet_until_ms[kind] = min(at_ms or longest_ms, longest_ms)
        return bool(batches)

    @property
    def _longest_pause_s(self) -> float:
        return _LONGEST_PAUSE_S if self._alone else _POLL_S

    def _pause_s(self) -> float:
        # The end of a batch wakes us, so a kind that has no room waits for that.
        now = self._queue.clock_ms()
        waits_ms = [until - now for kind, until in self._quiet_until_ms.items() if self._room(kind)]
        return min([self._longest_pause_s, *(max(2, wait_ms) / 1000 for wait_ms in waits_ms)])

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._nudged.wait()

    async def _beat(self) -> None:
        """Extend the leases of what runs here; take over what expired elsewhere."""
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_HEARTBEAT_S if self._alone else _HEARTBEAT_S / 2):
                    await self._stopping.wait()
            try:
                await self._ledger.database.read_clock()
                running = [batch for tasks in self._in_flight.values() for batch in tasks.values()]
                await self._queue.keep(running, self.name, lease_ms=LEASE_MS)
                if not self._stopping.is_set():
                    # Ours too, where a write failed and nobody holds the batch any more.
                    await self._recover(all_of_them=False)
            except StorageUnavailable:
                continue
            except Exception:
                log.exception("worker.heartbeat_failed")

    async def _recover(self, *, all_of_them: bool) -> None:
        left_behind = await self._queue.recover(all_of_them=all_of_them)
        if left_behind:
            log.warning("worker.took_over", deliveries=len(left_behind))
            self.nudge()
        for delivery_id in left_behind:
            await self._changed(delivery_id)

    # One batch -----------------------------------------------------------------------------------

    async def _work(self, batch: Batch) -> None:
        try:
            await self._prepare_and_send(batch)
        except StorageUnavailable:
            await self._not_begun(batch)
        except Exception:
            log.exception("worker.batch_failed", batch=batch.id, delivery=batch.delivery_id)
        await self._changed(batch.delivery_id)

    async def _not_begun(self, batch: Batch) -> None:
        """The database went away before anything left; what comes after a POST is written on."""
        log.warning("worker.batch_put_off", batch=batch.id)
        # When we are stopping, it stays as it is: its lease runs out, and it is judged.
        with contextlib.suppress(StorageUnavailable):
            if not self._stopping.is_set():
                await self._again(batch, batch.problem, 0, counts=False)

    async def _prepare_and_send(self, batch: Batch) -> None:
        try:
            call = await self._call(batch.delivery_id)
        except Unreadable:
            await self._settle(batch, State.REFUSED, Unreadable.__name__)
            return
        batch = batch.evolve(call=call)
        try:
            if not batch.insisted:
                await recheck(self._identity, self._graph, batch, call)
            token = await self._token(batch)
        except Changed as error:
            await self._settle(batch, State.HELD, type(error).__name__)
        except GraphError as error:
            await self._not_rechecked(batch, error)
        except HeraldError as error:
            await self._no_token(batch, error)
        except Exception:
            # It would fail again and again: its owner is told that nothing left.
            log.exception("worker.not_prepared", batch=batch.id, delivery=batch.delivery_id)
            await self._settle(batch, State.REFUSED, HeraldError.__name__)
        else:
            await self._send(batch, token)

    async def _call(self, delivery_id: str) -> dict[str, Any]:
        reading = self._calls.get(delivery_id)
        if reading is None:  # read once, also when many batches of it start together
            reading = asyncio.create_task(self._ledger.call(delivery_id))
            self._calls[delivery_id] = reading
            while len(self._calls) > _CALLS_KEPT:
                self._calls.popitem(last=False)
        try:
            return await reading
        except Exception:
            self._calls.pop(delivery_id, None)
            raise

    async def _token(self, batch: Batch) -> str:
        action = ACTIONS[batch.kind]
        # After a 412 in spite of our own look, the next token must live still longer; after a 401
        # it must be another one.
        spare_s = 600 if batch.problem == TokenTooOld.__name__ else 0
        token = await self._identity.token(
            batch.actor,
            action.scopes,
            min_life_s=action.token_life_s + spare_s,
            renew=batch.problem == TokenRejected.__name__,
        )
        return token.value

    async def _send(self, batch: Batch, token: str) -> None:
        await self._until(batch.starts_at_ms - _FENCED_AHEAD_S * 1000)
        # What replaces itself when it goes twice is fenced before it has a free wire, which so has
        # no write to wait for. A text is not: if we died, it would count as perhaps sent.
        is_ours = ACTIONS[batch.kind].repeatable and await self._fence(batch)
        fenced_at_ms = self._queue.clock_ms()
        async with self._wire[batch.kind]:
            is_stale = is_ours and self._queue.clock_ms() > fenced_at_ms + _FENCE_HOLDS_MS
            if self._stopping.is_set() or is_stale:
                await self._queue.again(
                    batch, worker=self.name, after_ms=0, problem=batch.problem, counts=False
                )
                return
            if not is_ours and not await self._fence(batch):
                return
            await self._until(self._queue.leaves_at_ms(batch))
            self._queue.leaves_now(batch)
            result = await self._post(batch, token)
        # The wire is free for the next one while this result is written.
        if isinstance(result, Accepted):
            await self._accepted(batch, result)
        else:
            await self._not_accepted(batch, result)

    async def _fence(self, batch: Batch) -> bool:
        return not self._stopping.is_set() and await self._queue.fence(
            batch, self.name, lease_ms=LEASE_MS
        )

    async def _until(self, at_ms: float) -> None:
        wait_s = (at_ms - self._queue.clock_ms()) / 1000
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    async def _post(self, batch: Batch, token: str) -> Accepted | GraphError:
        try:
            return await ACTIONS[batch.kind].send(self._graph, token, batch, str(uuid.uuid4()))
        except GraphError as error:
            return error
        except Exception as error:
            # Nobody foresaw it, so nobody can tell how far it came.
            log.exception("worker.post_failed", batch=batch.id, delivery=batch.delivery_id)
            return GraphSilent(code=type(error).__name__)

    async def _accepted(self, batch: Batch, accepted: Accepted) -> None:
        await until_written(
            lambda: self._queue.settle(
                batch,
                State.ACCEPTED,
                worker=self.name,
                status=accepted.status,
                request_id=accepted.request_id,
            ),
            stop=self._stopping,
        )
        log.info(
            "batch.accepted",
            delivery=batch.delivery_id,
            batch=batch.position,
            people=batch.count,
            graph_request_id=accepted.request_id,
        )

    async def _no_token(self, batch: Batch, error: HeraldError) -> None:
        """No token: nothing left. The owner signs in, or Entra is asked again."""
        problem = type(error).__name__
        if isinstance(error, EntraUnavailable) and batch.attempt < _TRIES:
            await self._again(batch, problem, _back_off_s(batch.attempt))
        elif isinstance(error, _WAITS_FOR_OWNER):
            await self._settle(batch, State.NEEDS_SIGN_IN, problem)
        elif isinstance(error, IdentityError):
            await self._settle(batch, State.REFUSED, problem)
        else:
            raise error

    async def _not_rechecked(self, batch: Batch, error: GraphError) -> None:
        """The meeting could not be read again: tried a few times, then its owner decides."""
        problem = type(error).__name__
        if isinstance(error, TokenRejected):
            if batch.problem == problem:
                await self._settle(batch, State.NEEDS_SIGN_IN, problem, error)
            else:
                await self._again(batch, problem, 0)
        elif isinstance(error, GraphRefused) or batch.attempt >= _TRIES // 2:
            await self._settle(batch, State.HELD, MeetingUnreadable.__name__, error)
        else:
            await self._again(batch, problem, _back_off_s(batch.attempt))

    async def _not_accepted(self, batch: Batch, error: GraphError) -> None:
        log.warning(
            "batch.not_accepted",
            delivery=batch.delivery_id,
            batch=batch.position,
            problem=type(error).__name__,
            status=error.status,
            code=error.code,
            graph_request_id=error.request_id,
        )
        last = batch.attempt >= _TRIES
        pause_s = _back_off_s(batch.attempt)
        if isinstance(error, GraphThrottled):
            await self._throttled(batch, error)
        elif isinstance(error, GraphUnreachable):
            await self._again_or(State.REFUSED, batch, error, pause_s, last=last)
        elif isinstance(error, TokenTooOld | TokenRejected):
            refused = State.REFUSED if isinstance(error, TokenTooOld) else State.NEEDS_SIGN_IN
            tried = batch.problem == type(error).__name__
            await self._again_or(refused, batch, error, 0, last=tried or last)
        elif isinstance(error, GraphRefused):
            await self._settle(batch, State.REFUSED, type(error).__name__, error)
        elif ACTIONS[batch.kind].repeatable:
            await self._again_or(State.UNKNOWN, batch, error, pause_s, last=last)
        else:
            await self._settle(batch, State.UNKNOWN, type(error).__name__, error)

    async def _throttled(self, batch: Batch, error: GraphThrottled) -> None:
        # Surely not accepted, so it does not count as a try: a long fan-out outlives throttling.
        pause_s = _THROTTLED_S if error.retry_after_s is None else error.retry_after_s
        pause_s = min(pause_s, _LONGEST_WAIT_S)
        await until_written(
            lambda: self._queue.hold_lane(batch.actor.tenant_id, batch.kind, pause_s),
            stop=self._stopping,
        )
        await self._again(batch, type(error).__name__, pause_s, status=error.status, counts=False)

    async def _again_or(
        self, state: State, batch: Batch, error: GraphError, pause_s: float, *, last: bool
    ) -> None:
        if last:
            await self._settle(batch, state, type(error).__name__, error)
        else:
            await self._again(
                batch,
                type(error).__name__,
                pause_s,
                status=error.status,
                doubt=state is State.UNKNOWN,
            )

    async def _again(
        self,
        batch: Batch,
        problem: str,
        pause_s: float,
        *,
        status: int | None = None,
        counts: bool = True,
        doubt: bool = False,
    ) -> None:
        await until_written(
            lambda: self._queue.again(
                batch,
                worker=self.name,
                after_ms=int(pause_s * 1000),
                problem=problem,
                status=status,
                counts=counts,
                doubt=doubt,
            ),
            stop=self._stopping,
        )
        self.nudge()

    async def _settle(
        self, batch: Batch, state: State, problem: str, error: GraphError | None = None
    ) -> None:
        if state is State.REFUSED and batch.doubted:
            # This try was refused, but an earlier one may have been accepted.
            state = State.UNKNOWN
        await until_written(
            lambda: self._queue.settle(
                batch,
                state,
                worker=self.name,
                problem=problem,
                status=error.status if error else None,
                code=error.code if error else "",
                request_id=error.request_id if error else "",
            ),
            stop=self._stopping,
        )

    async def _changed(self, delivery_id: str) -> None:
        waiter = self._waiters.get(delivery_id)
        if waiter is not None:
            waiter.set()
        if self._tell is None:
            return
        try:
            await self._tell(delivery_id)
        except Exception:
            # A card that cannot be drawn must not undo what was sent.
            log.exception("worker.tell_failed", delivery=delivery_id)


def _back_off_s(attempt: int) -> float:
    # Jitter only: no secret depends on it.
    return float(min(_LONGEST_PAUSE_S, 2 ** max(0, attempt - 1)) * random.uniform(0.8, 1.2))  # noqa: S311
