"""Takes queued batches in hand, has each sent once, and keeps what is in hand alive."""

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Callable

import structlog

from bot.delivery import pace
from bot.delivery.database import StorageUnavailable
from bot.delivery.ledger import Ledger
from bot.delivery.models import IN_HAND, OWNER_INSISTS, Batch, Delivery, Kind, State
from bot.delivery.outcomes import Outcomes
from bot.delivery.queue import Queue
from bot.delivery.sender import Sender
from bot.graph.client import Graph
from bot.identity.obo import Identity

log = structlog.get_logger(__name__)

Tell = Callable[[str], Awaitable[None]]

AT_ONCE = 16  # requests of one kind on the wire from this process


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
        self._alone = alone
        self._at_once = at_once
        self._tell: Tell | None = None
        self._nudged = asyncio.Event()
        self._nudges = 0
        self._quiet_until_ms = dict.fromkeys(Kind, 0.0)  # nothing can be claimed before
        self._stopping = asyncio.Event()
        self._in_flight: dict[Kind, dict[asyncio.Task[None], Batch]] = {k: {} for k in Kind}
        self._waiters: dict[str, set[asyncio.Event]] = {}
        self._loops: list[asyncio.Task[None]] = []
        outcomes = Outcomes(queue, self.name, self._stopping, self.nudge)
        self._sender = Sender(
            ledger,
            queue,
            identity,
            graph,
            outcomes,
            self.name,
            self._stopping,
            at_once=at_once,
        )

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

    async def first_results(
        self, delivery: Delivery, *, timeout_s: float, is_fresh: bool = False
    ) -> Delivery:
        """Wait until nothing of the delivery is on its way, or it is known why it waits.

        Returns it as the ledger knows it then. `is_fresh`: as it is given it was written just now,
        so that what waits for its time needs no look.
        """
        self.nudge()
        if is_fresh and not _is_moving(delivery):
            return delivery
        event = asyncio.Event()
        waiters = self._waiters.setdefault(delivery.id, set())
        waiters.add(event)
        try:
            return await self._first_results(delivery, event, timeout_s)
        finally:
            waiters.discard(event)
            if not waiters:
                self._waiters.pop(delivery.id, None)

    async def _first_results(
        self, delivery: Delivery, event: asyncio.Event, timeout_s: float
    ) -> Delivery:
        clock = asyncio.get_running_loop().time
        ends_at = clock() + timeout_s
        while True:
            delivery = await self._ledger.any_delivery(delivery.id) or delivery
            if not _is_moving(delivery) or (clock() >= ends_at and not event.is_set()):
                return delivery
            # Another replica's results wake nobody here: they are looked for.
            look_at = ends_at if self._alone else min(ends_at, clock() + pace.LOOK_S)
            # Only this wait is cut short: a cancelled read would cost its connection.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(look_at):
                    await event.wait()
            if not event.is_set() and clock() >= ends_at:
                # As it is by now: what waited may be on its way.
                return await self._ledger.any_delivery(delivery.id) or delivery
            event.clear()

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
        batches = await self._queue.claim(self.name, kind=kind, most=most, lease_ms=pace.LEASE_MS)
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
        return pace.LONGEST_PAUSE_S if self._alone else pace.POLL_S

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
                async with asyncio.timeout(pace.HEARTBEAT_S / (1 if self._alone else 2)):
                    await self._stopping.wait()
            try:
                await self._ledger.database.read_clock()
                if await self._queue.mind_the_clock():
                    self.nudge()
                running = [batch for tasks in self._in_flight.values() for batch in tasks.values()]
                await self._queue.keep(running, self.name, lease_ms=pace.LEASE_MS)
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

    async def _work(self, batch: Batch) -> None:
        await self._sender.send(batch)
        await self._changed(batch.delivery_id)

    async def _changed(self, delivery_id: str) -> None:
        for waiter in self._waiters.get(delivery_id, ()):
            waiter.set()
        if self._tell is None:
            return
        try:
            await self._tell(delivery_id)
        except Exception:
            # A card that cannot be drawn must not undo what was sent.
            log.exception("worker.tell_failed", delivery=delivery_id)


def _is_moving(delivery: Delivery) -> bool:
    moving = (State.QUEUED, *IN_HAND)
    return any(
        tally.state in moving and tally.problem in {"", OWNER_INSISTS} for tally in delivery.tallies
    )
