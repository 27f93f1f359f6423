"""What a batch's try came to, written down: settled, or given back to go again.

What is known after a POST: Graph took it (202), Graph said no (4xx), it surely never left
(connection refused, 429), or nobody can tell (a time-out, a reset, a 5xx). After a doubt a
notification goes again, because its `chainId` makes a repetition replace; a text never does.
"""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.delivery import pace
from bot.delivery.actions import ACTIONS
from bot.delivery.database import until_written
from bot.delivery.models import Batch, State
from bot.delivery.queue import Queue
from bot.delivery.recheck import MeetingUnreadable
from bot.errors import (
    ConsentNeeded,
    EntraUnavailable,
    HeraldError,
    IdentityError,
    SignInNeeded,
    WrongPerson,
)
from bot.graph.client import Accepted
from bot.graph.errors import (
    GraphError,
    GraphRefused,
    GraphThrottled,
    GraphUnavailable,
    GraphUnreachable,
    TokenRejected,
    TokenTooOld,
)

log = structlog.get_logger(__name__)

WAITS_FOR_OWNER = (SignInNeeded, ConsentNeeded, WrongPerson)


class Outcomes:
    """Writes what became of the batches that `worker` holds.

    Written again until the database is back, or for `pace.STOP_GRACE_S` more once `stopping` is
    set. `requeued` is called when something was given back.
    """

    def __init__(
        self, queue: Queue, worker: str, stopping: asyncio.Event, requeued: Callable[[], None]
    ) -> None:
        self._queue = queue
        self._worker = worker
        self._stopping = stopping
        self.requeued = requeued

    async def accepted(self, batch: Batch, accepted: Accepted) -> None:
        """Graph took it."""
        await self._written(
            lambda: self._queue.settle(
                batch,
                State.ACCEPTED,
                worker=self._worker,
                status=accepted.status,
                request_id=accepted.request_id,
            )
        )
        log.info(
            "batch.accepted",
            delivery=batch.delivery_id,
            batch=batch.position,
            people=batch.count,
            graph_request_id=accepted.request_id,
        )

    async def no_token(self, batch: Batch, error: HeraldError) -> None:
        """No token: nothing left. The owner signs in, or Entra is asked again."""
        problem = type(error).__name__
        if isinstance(error, EntraUnavailable):
            await self._away(batch, problem)
        elif isinstance(error, WAITS_FOR_OWNER):
            await self.settle(batch, State.NEEDS_SIGN_IN, problem)
        elif isinstance(error, IdentityError):
            await self.settle(batch, State.REFUSED, problem)
        else:
            raise error

    async def not_rechecked(self, batch: Batch, error: GraphError) -> None:
        """The meeting could not be read again: tried a few times, then its owner decides."""
        problem = type(error).__name__
        if isinstance(error, TokenRejected):
            if batch.problem == problem:
                await self.settle(batch, State.NEEDS_SIGN_IN, problem, error)
            else:
                await self.again(batch, problem, 0)
        elif isinstance(error, GraphRefused) or batch.attempt >= pace.TRIES // 2:
            await self.settle(batch, State.HELD, MeetingUnreadable.__name__, error)
        else:
            await self.again(batch, problem, pace.back_off_s(batch.attempt))

    async def not_accepted(self, batch: Batch, error: GraphError) -> None:
        """Graph did not take it, or did not say: what follows from which error."""
        log.warning(
            "batch.not_accepted",
            delivery=batch.delivery_id,
            batch=batch.position,
            problem=type(error).__name__,
            status=error.status,
            code=error.code,
            graph_request_id=error.request_id,
        )
        last = batch.attempt >= pace.TRIES
        pause_s = max(pace.back_off_s(batch.attempt), _asked_s(error))
        if isinstance(error, GraphThrottled):
            await self._throttled(batch, error)
        elif isinstance(error, GraphUnreachable):
            await self._away(batch, type(error).__name__)
        elif isinstance(error, TokenTooOld | TokenRejected):
            refused = State.REFUSED if isinstance(error, TokenTooOld) else State.NEEDS_SIGN_IN
            tried = batch.problem == type(error).__name__
            await self._again_or(refused, batch, error, 0, last=tried or last)
        elif isinstance(error, GraphRefused):
            await self.settle(batch, State.REFUSED, type(error).__name__, error)
        elif ACTIONS[batch.kind].repeatable:
            await self._again_or(State.UNKNOWN, batch, error, pause_s, last=last)
        else:
            await self.settle(batch, State.UNKNOWN, type(error).__name__, error)

    async def _away(self, batch: Batch, problem: str) -> None:
        """Nobody is there, so surely nothing left: it waits until somebody is.

        After a few tries the lane waits with it, and a try is none: however long the outage, it
        costs no batch its patience with errors of another kind.
        """
        if batch.attempt < pace.TRIES // 2:
            await self.again(batch, problem, pace.back_off_s(batch.attempt))
            return
        await self._hold_lane(batch, pace.AWAY_S)
        await self.again(batch, problem, pace.AWAY_S, counts=False)

    async def _hold_lane(self, batch: Batch, pause_s: float) -> None:
        await self._written(
            lambda: self._queue.hold_lane(batch.actor.tenant_id, batch.kind, pause_s)
        )

    async def _throttled(self, batch: Batch, error: GraphThrottled) -> None:
        # Surely not accepted, so it does not count as a try: a long fan-out outlives throttling.
        pause_s = pace.THROTTLED_S if error.retry_after_s is None else error.retry_after_s
        pause_s = min(pause_s, pace.LONGEST_WAIT_S)
        await self._hold_lane(batch, pause_s)
        await self.again(batch, type(error).__name__, pause_s, status=error.status, counts=False)

    async def _again_or(
        self, state: State, batch: Batch, error: GraphError, pause_s: float, *, last: bool
    ) -> None:
        if last:
            await self.settle(batch, state, type(error).__name__, error)
        else:
            await self.again(
                batch,
                type(error).__name__,
                pause_s,
                status=error.status,
                doubt=state is State.UNKNOWN,
            )

    async def again(
        self,
        batch: Batch,
        problem: str,
        pause_s: float,
        *,
        status: int | None = None,
        counts: bool = True,
        doubt: bool = False,
    ) -> None:
        """It goes again after a while; see `Queue.again`."""
        await self._written(
            lambda: self._queue.again(
                batch,
                worker=self._worker,
                after_ms=int(pause_s * 1000),
                problem=problem,
                status=status,
                counts=counts,
                doubt=doubt,
            )
        )
        self.requeued()

    async def settle(
        self, batch: Batch, state: State, problem: str, error: GraphError | None = None
    ) -> None:
        """It goes no more, or not before its owner did something."""
        if state is State.REFUSED and batch.doubted:
            # This try was refused, but an earlier one may have been accepted.
            state = State.UNKNOWN
        await self._written(
            lambda: self._queue.settle(
                batch,
                state,
                worker=self._worker,
                problem=problem,
                status=error.status if error else None,
                code=error.code if error else "",
                request_id=error.request_id if error else "",
            )
        )

    async def _written(self, work: Callable[[], Awaitable[None]]) -> None:
        await until_written(work, stop=self._stopping, grace_s=pace.STOP_GRACE_S)


def _asked_s(error: GraphError) -> float:
    """How long Graph asked us to wait, as far as it is believed."""
    said = error.retry_after_s if isinstance(error, GraphUnavailable) else None
    return min(said or 0.0, pace.LONGEST_WAIT_S)
