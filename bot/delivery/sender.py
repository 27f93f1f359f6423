"""One batch after the other's way to Graph: its token, its slot, its fence, its POST."""

import asyncio
import contextlib
import time
import uuid
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars

from bot.delivery import pace
from bot.delivery.actions import ACTIONS
from bot.delivery.database import StorageUnavailable
from bot.delivery.ledger import Ledger
from bot.delivery.models import Batch, Kind, State
from bot.delivery.outcomes import WAITS_FOR_OWNER, Outcomes
from bot.delivery.queue import Queue
from bot.delivery.recheck import Changed, recheck
from bot.errors import HeraldError
from bot.graph.client import Accepted, Graph
from bot.graph.errors import GraphError, GraphSilent, TokenRejected, TokenTooOld
from bot.identity.obo import Identity
from bot.sealing import Unreadable

log = structlog.get_logger(__name__)

_CALLS_KEPT = 64


class Sender:
    """Sends the batches that `worker` holds, so many of a kind at once on the wire."""

    def __init__(
        self,
        ledger: Ledger,
        queue: Queue,
        identity: Identity,
        graph: Graph,
        outcomes: Outcomes,
        worker: str,
        stopping: asyncio.Event,
        *,
        at_once: int,
    ) -> None:
        self._ledger = ledger
        self._queue = queue
        self._identity = identity
        self._graph = graph
        self._outcomes = outcomes
        self._worker = worker
        self._stopping = stopping
        self._wire = {kind: asyncio.Semaphore(at_once) for kind in Kind}
        self._calls: OrderedDict[str, asyncio.Task[dict[str, Any]]] = OrderedDict()

    async def send(self, batch: Batch) -> None:
        """Send it, if it still may be, and write what came of it. Raises nothing."""
        # In every line on its way, Graph's too; but the worker's own events say it themselves.
        with bound_contextvars(delivery=batch.delivery_id, batch=batch.position):
            try:
                await self._prepare_and_send(batch)
            except StorageUnavailable:
                await self._not_begun(batch)
            except Exception:
                log.exception("worker.batch_failed", batch=batch.id, delivery=batch.delivery_id)

    async def _not_begun(self, batch: Batch) -> None:
        """The database went away before anything left; what comes after a POST is written on."""
        log.warning("worker.batch_put_off", batch=batch.id)
        # When we are stopping, it stays as it is: its lease runs out, and it is judged.
        with contextlib.suppress(StorageUnavailable):
            if not self._stopping.is_set():
                await self._outcomes.again(batch, batch.problem, 0, counts=False)

    async def _prepare_and_send(self, batch: Batch) -> None:
        try:
            call = await self._call(batch)
        except Unreadable:
            log.warning("batch.unreadable")  # which one, its context says
            await self._outcomes.settle(batch, State.REFUSED, Unreadable.__name__)
            return
        batch, began_s = batch.evolve(call=call), time.time()
        try:
            if not batch.insisted:
                await recheck(self._identity, self._graph, batch, call, self._now())
            token = await self._token(batch)
        except Changed as error:
            await self._outcomes.settle(batch, State.HELD, type(error).__name__)
        except GraphError as error:
            await self._outcomes.not_rechecked(batch, error)
        except HeraldError as error:
            await self._outcomes.no_token(batch, error)
            if isinstance(error, WAITS_FOR_OWNER):
                await self._look_again(batch, began_s)
        except Exception:
            # It would fail again and again: its owner is told that nothing left.
            log.exception("worker.not_prepared", batch=batch.id, delivery=batch.delivery_id)
            await self._outcomes.settle(batch, State.REFUSED, HeraldError.__name__)
        else:
            await self._send(batch, token)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._queue.clock_ms() / 1000, UTC)

    async def _look_again(self, batch: Batch, since_s: float) -> None:
        """Who signed in while this was written down woke what waited then, which this did not."""
        scopes = ACTIONS[batch.kind].scopes
        if await self._identity.signed_in_since(batch.actor, scopes, since_s):
            await self._ledger.wake(batch.actor)
            self._outcomes.requeued()

    async def _call(self, batch: Batch) -> dict[str, Any]:
        delivery_id = batch.delivery_id
        if batch.kind is Kind.TEXT:  # what is kept of it may be renewed by its owner's decision
            return await self._ledger.call(delivery_id)
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
        await self._until(batch.starts_at_ms - pace.FENCED_AHEAD_S * 1000)
        # What replaces itself when it goes twice is fenced before it has a free wire, which so has
        # no write to wait for. A text is not: if we died, it would count as perhaps sent.
        is_ours = ACTIONS[batch.kind].repeatable and await self._fence(batch)
        fenced_at_ms = self._queue.clock_ms()
        async with self._wire[batch.kind]:
            is_stale = is_ours and self._queue.clock_ms() > fenced_at_ms + pace.FENCE_HOLDS_MS
            if self._stopping.is_set() or is_stale:
                await self._queue.again(
                    batch, worker=self._worker, after_ms=0, problem=batch.problem, counts=False
                )
                return
            if not is_ours and not await self._fence(batch):
                return
            await self._until(self._queue.leaves_at_ms(batch))
            while (too_soon_ms := self._queue.too_soon_ms(batch)) > 0:
                await asyncio.sleep(too_soon_ms / 1000)
            self._queue.leaves_now(batch)
            result = await self._post(batch, token)
        # The wire is free for the next one while this result is written.
        if isinstance(result, Accepted):
            await self._outcomes.accepted(batch, result)
        else:
            await self._outcomes.not_accepted(batch, result)

    async def _fence(self, batch: Batch) -> bool:
        return not self._stopping.is_set() and await self._queue.fence(
            batch, self._worker, lease_ms=pace.LEASE_MS
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
