"""Takes queued batches, sends each once, and writes what is known of it.

What is known after a POST: Graph took it (202), Graph said no (4xx), it surely never left
(connection refused, 429), or nobody can tell (a time-out, a reset, a 5xx). After a doubt a
notification goes again, because its `chainId` makes a repetition replace; a text never does.
"""

import asyncio
import random
import uuid
from collections.abc import Awaitable, Callable

import structlog

from bot.delivery.actions import ACTIONS
from bot.delivery.ledger import Ledger
from bot.delivery.models import SETTLED, Batch, Delivery, Kind, State
from bot.delivery.pace import Pace
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
    GraphThrottled,
    GraphUnreachable,
    TokenRejected,
    TokenTooOld,
)
from bot.identity.obo import Identity

log = structlog.get_logger(__name__)

Tell = Callable[[str], Awaitable[None]]

LEASE_MS = 45_000  # longer than the HTTP time-out, so that no lease ends while a POST is out
AT_ONCE = 8  # batches of one kind in flight in this process
_TRIES = 8  # about four minutes of back-off
_LONGEST_PAUSE_S = 60.0
_WAITS_FOR_OWNER = (SignInNeeded, ConsentNeeded, WrongPerson)


class Worker:
    """One asyncio worker. `tell(delivery_id)` is called after every change of a delivery."""

    def __init__(
        self, ledger: Ledger, identity: Identity, graph: Graph, *, alone: bool = True
    ) -> None:
        self.name = f"worker-{uuid.uuid4().hex[:12]}"
        self._ledger = ledger
        self._identity = identity
        self._graph = graph
        self._alone = alone
        self._pace = Pace()
        self._tell: Tell | None = None
        self._nudged = asyncio.Event()
        self._stopping = False
        self._in_flight: dict[Kind, set[asyncio.Task[None]]] = {kind: set() for kind in Kind}
        self._waiters: dict[str, asyncio.Event] = {}
        self._loop_task: asyncio.Task[None] | None = None

    def tells(self, tell: Tell) -> None:
        """Whom to tell of changes."""
        self._tell = tell

    async def start(self) -> None:
        """Judge what a crash left behind, then start taking batches."""
        left_behind = await self._ledger.recover(all_of_them=self._alone)
        self._loop_task = asyncio.create_task(self._run(), name=self.name)
        for delivery_id in left_behind:
            await self._changed(delivery_id)

    async def stop(self) -> None:
        """Take nothing more; finish what is on the wire; give the rest back."""
        self._stopping = True
        self._nudged.set()
        if self._loop_task is not None:
            await self._loop_task
        tasks = [task for tasks in self._in_flight.values() for task in tasks]
        await asyncio.gather(*tasks, return_exceptions=True)

    def nudge(self) -> None:
        """Something was queued: look now."""
        self._nudged.set()

    async def first_results(self, delivery: Delivery, *, timeout_s: float) -> None:
        """Wait until the delivery came to rest, at most so long."""
        event = self._waiters.setdefault(delivery.id, asyncio.Event())
        self.nudge()
        try:
            async with asyncio.timeout(timeout_s):
                while await self._is_moving(delivery):
                    event.clear()
                    await event.wait()
        except TimeoutError:
            pass
        finally:
            self._waiters.pop(delivery.id, None)

    async def _is_moving(self, delivery: Delivery) -> bool:
        now = await self._ledger.delivery(delivery.actor, delivery.id)
        resting = SETTLED | {State.NEEDS_SIGN_IN}
        return any(b.state not in resting and not b.problem for b in now.batches)

    # The loop ------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while not self._stopping:
            self._nudged.clear()
            try:
                took = await self._take()
            except Exception:
                # The database is away: nothing is lost, it is asked again.
                log.exception("worker.claim_failed")
                await self._sleep(2.0)
                continue
            if not took:
                await self._sleep(await self._pause_s())

    async def _take(self) -> bool:
        took = False
        for kind, tasks in self._in_flight.items():
            room = AT_ONCE - len(tasks)
            if room <= 0:
                continue
            for batch in await self._ledger.claim(
                self.name, kind=kind, most=room, lease_ms=LEASE_MS
            ):
                task = asyncio.create_task(self._work(batch))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                task.add_done_callback(lambda _done: self._nudged.set())
                took = True
        return took

    async def _pause_s(self) -> float:
        due = await self._ledger.next_due_ms()
        if due is None:
            return _LONGEST_PAUSE_S
        return min(_LONGEST_PAUSE_S, max(0.01, (due - self._ledger.clock_ms()) / 1000))

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._nudged.wait()
        except TimeoutError:
            pass

    # One batch -----------------------------------------------------------------------------------

    async def _work(self, batch: Batch) -> None:
        try:
            await self._send(batch)
        except Exception:
            # Nothing escapes a batch: its lease runs out and it is judged by the rules.
            log.exception("worker.batch_failed", batch=batch.id, delivery=batch.delivery_id)
        await self._changed(batch.delivery_id)

    async def _send(self, batch: Batch) -> None:
        action = ACTIONS[batch.kind]
        # After a 412 in spite of our own look, the next token must live still longer.
        spare_s = 600 if batch.problem == TokenTooOld.__name__ else 0
        try:
            token = await self._identity.token(
                batch.actor, action.scopes, min_life_s=action.token_life_s + spare_s
            )
        except HeraldError as error:
            await self._no_token(batch, error)
            return
        await self._pace.turn(batch.actor.tenant_id, batch.kind)
        if self._stopping:
            await self._ledger.again(batch.id, worker=self.name, after_ms=0, problem="")
            return
        if not await self._ledger.fence(batch, self.name, lease_ms=LEASE_MS):
            return
        request_id = str(uuid.uuid4())
        try:
            accepted = await action.send(self._graph, token.value, batch.call, request_id)
        except GraphError as error:
            await self._not_accepted(batch, error)
        else:
            await self._accepted(batch, accepted)

    async def _accepted(self, batch: Batch, accepted: Accepted) -> None:
        await self._ledger.settle(
            batch.id,
            State.ACCEPTED,
            worker=self.name,
            status=accepted.status,
            request_id=accepted.request_id,
        )
        log.info(
            "batch.accepted",
            delivery=batch.delivery_id,
            batch=batch.position,
            people=batch.people,
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

    async def _not_accepted(self, batch: Batch, error: GraphError) -> None:
        problem = type(error).__name__
        log.warning(
            "batch.not_accepted",
            delivery=batch.delivery_id,
            batch=batch.position,
            problem=problem,
            status=error.status,
            code=error.code,
            graph_request_id=error.request_id,
        )
        last = batch.attempt >= _TRIES
        if isinstance(error, GraphThrottled):
            pause_s = error.retry_after_s or _back_off_s(batch.attempt)
            self._pace.hold(batch.actor.tenant_id, batch.kind, pause_s)
            await self._again_or(State.REFUSED, batch, error, pause_s, last=last)
        elif isinstance(error, GraphUnreachable):
            pause_s = _back_off_s(batch.attempt)
            await self._again_or(State.REFUSED, batch, error, pause_s, last=last)
        elif isinstance(error, TokenTooOld):
            await self._again_or(State.REFUSED, batch, error, 0, last=batch.attempt > 1)
        elif isinstance(error, TokenRejected):
            await self._settle(batch, State.NEEDS_SIGN_IN, problem, error)
        elif isinstance(error, GraphRefused):
            await self._settle(batch, State.REFUSED, problem, error)
        elif ACTIONS[batch.kind].repeatable:
            pause_s = _back_off_s(batch.attempt)
            await self._again_or(State.UNKNOWN, batch, error, pause_s, last=last)
        else:
            await self._settle(batch, State.UNKNOWN, problem, error)

    async def _again_or(
        self, state: State, batch: Batch, error: GraphError, pause_s: float, *, last: bool
    ) -> None:
        if last:
            await self._settle(batch, state, type(error).__name__, error)
        else:
            await self._again(batch, type(error).__name__, pause_s, status=error.status)

    async def _again(
        self, batch: Batch, problem: str, pause_s: float, *, status: int | None = None
    ) -> None:
        await self._ledger.again(
            batch.id,
            worker=self.name,
            after_ms=int(pause_s * 1000),
            problem=problem,
            status=status,
        )

    async def _settle(
        self, batch: Batch, state: State, problem: str, error: GraphError | None = None
    ) -> None:
        await self._ledger.settle(
            batch.id,
            state,
            worker=self.name,
            problem=problem,
            status=error.status if error else None,
            code=error.code if error else "",
            request_id=error.request_id if error else "",
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
