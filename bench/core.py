"""Herald's ledger and worker as `bot.wiring` joins them, without Teams and without Entra."""

import asyncio
import logging
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import structlog

from bot.actor import Actor
from bot.delivery.actions import notice_call, text_call
from bot.delivery.database import Database
from bot.delivery.lanes import Lanes, Rates
from bot.delivery.ledger import BATCH, Ledger
from bot.delivery.models import Batch, Delivery, Kind, NewDelivery, Place
from bot.delivery.queue import Queue
from bot.delivery.worker import AT_ONCE, Worker
from bot.graph.bodies import notification_body, text_topic
from bot.graph.client import Graph, open_session
from bot.identity.obo import Identity, Token
from bot.sealing import Seal

UNLIMITED = {kind: Rates(100_000, 100_000) for kind in Kind}
DOCUMENTED = {Kind.TEXT: Rates(5, 50), Kind.NOTICE: Rates(2, 20), Kind.GROUP: Rates(5, 50)}
PLACE = Place("http://127.0.0.1/amer/", "a:1", "")
TOPIC = text_topic("Spring clean-up", "https://teams.microsoft.com/l/chat/0/0?users=x")
PREVIEW = "The car park is closed on Friday afternoon. Please use the one behind the school."
PARAMETERS = {"title": "Car park closed on Friday"}


class FixedToken:
    """Stands in the place of `Identity`: everybody is signed in, and Entra is not asked."""

    async def token(
        self, actor: Actor, scopes: Iterable[str], *, min_life_s: float = 0, renew: bool = False
    ) -> Token:
        """The token that the benchmarks' Graph reads a tenant from."""
        del scopes, min_life_s, renew
        return Token(f"{actor.tenant_id}.{actor.user_id}", datetime.now(UTC) + timedelta(hours=1))


def actor(number: int) -> Actor:
    """Somebody of the tenant of this number."""
    return Actor(str(uuid.UUID(int=2**96 + number)), str(uuid.UUID(int=2**97 + number)))


def people(count: int, *, size: int = BATCH, start: int = 0) -> Iterator[list[str]]:
    """Batches of different Entra object ids, made as they are asked for."""
    for first in range(start, start + count, size):
        last = min(first + size, start + count)
        yield [f"b0000000-0000-4000-8000-{number:012x}" for number in range(first, last)]


def notice(who: Actor, **more: Any) -> NewDelivery:
    """A notification as its form submits it."""
    call = notice_call(
        topic=TOPIC,
        activity_type="announcement",
        preview=PREVIEW,
        parameters=PARAMETERS,
        teams_app_id="0f7ac1c2-7d94-4f5c-93c1-8ac2a9a1c1de",
    )
    form_id = uuid.uuid4().hex
    return NewDelivery(who, form_id, Kind.NOTICE, PLACE, {"text": PREVIEW}, call, **more)


def text(who: Actor, meeting_id: str, **more: Any) -> NewDelivery:
    """An appointment text as its form submits it."""
    call = text_call(meeting_id=meeting_id, message_type="confirmation", language="en-US")
    return NewDelivery(who, uuid.uuid4().hex, Kind.TEXT, PLACE, {"to": "x"}, call, **more)


def ready_made(batches: Iterable[list[str]]) -> list[dict[str, Any]]:
    """The same requests' bodies, for whoever only posts them."""
    return [
        notification_body(
            topic=TOPIC,
            activity_type="announcement",
            preview=PREVIEW,
            parameters=PARAMETERS,
            recipients=some,
            chain_id=4_503_599_627_370_495,
            teams_app_id="0f7ac1c2-7d94-4f5c-93c1-8ac2a9a1c1de",
        )
        for some in batches
    ]


class WatchedQueue(Queue):
    """The queue, and when its batches really left: that is what Herald has in its hands."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.left: list[Departure] = []

    def leaves_now(self, batch: Batch) -> None:
        """It leaves."""
        self.left.append(Departure(batch.actor.tenant_id, time.time() * 1000, batch.due_at_ms))
        super().leaves_now(batch)


@dataclass(frozen=True, slots=True)
class Departure:
    """A request that left, and when it was to leave; milliseconds since 1970."""

    tenant_id: str
    at_ms: float
    due_at_ms: int


class Core:
    """A database, a ledger on it and a worker that sends to one Graph."""

    def __init__(
        self,
        database_url: str,
        graph: Graph,
        rates: Mapping[Kind, Rates] = UNLIMITED,
        *,
        at_once: int = AT_ONCE,
    ) -> None:
        self.database = Database(database_url)
        seal = self.seal = Seal(["benchmark" * 5], "ledger")
        self.ledger = Ledger(self.database, seal)
        self.queue = WatchedQueue(self.database, seal, Lanes(self.database, rates))
        identity = cast(Identity, FixedToken())
        alone = self.database.is_sqlite
        self.worker = Worker(self.ledger, self.queue, identity, graph, alone=alone, at_once=at_once)
        self.worker.tells(self._told)
        self._changes: Counter[str] = Counter()
        self._changed = asyncio.Event()

    async def _told(self, delivery_id: str) -> None:
        self._changes[delivery_id] += 1
        self._changed.set()

    async def settled(self, *deliveries: Delivery) -> None:
        """Wait until the ledger knows what became of every batch; each must have been accepted."""
        for delivery in deliveries:
            batches = sum(tally.batches for tally in delivery.tallies)
            while self._changes[delivery.id] < batches:
                self._changed.clear()
                await self._changed.wait()
            now = await self.ledger.any_delivery(delivery.id)
            while now is None or not now.is_settled:
                self._changed.clear()
                await self._changed.wait()
                now = await self.ledger.any_delivery(delivery.id)
            assert [tally.state.value for tally in now.tallies] == ["accepted"], now.tallies


@asynccontextmanager
async def running(
    database_url: str, graph_url: str, rates: Mapping[Kind, Rates] = UNLIMITED, **more: Any
) -> AsyncIterator[Core]:
    """A core whose tables stand and whose worker works."""
    quiet()
    async with open_session() as session:
        core = Core(database_url, Graph(graph_url, session), rates, **more)
        await core.database.migrate()
        await core.database.read_clock()
        await core.worker.start()
        yield core
        await core.worker.stop()
        await core.database.close()


def quiet() -> None:
    """Log as a production process does whose level is ERROR."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def resident_mb() -> float:
    """Memory of this process now, in MB; 0 where the system doesn't say it this way."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024
    except OSError:
        return 0.0


def peak_mb() -> float:
    """The most memory that this process ever had, in MB; 0 where the system doesn't say it."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
    except OSError:
        return 0.0
