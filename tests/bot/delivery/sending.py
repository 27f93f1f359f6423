"""The ledger and the worker as `bot.wiring` joins them, without Teams, in a test's own hands."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy import select

from bot.actor import Actor
from bot.delivery.actions import notice_call, text_call
from bot.delivery.database import Database
from bot.delivery.lanes import Lanes, Rates
from bot.delivery.ledger import Ledger
from bot.delivery.models import BATCHES, DELIVERIES, Delivery, Kind, NewDelivery, Place, State
from bot.delivery.queue import Queue
from bot.delivery.worker import Worker
from bot.graph.bodies import text_topic
from bot.graph.client import Graph, open_session
from bot.identity.obo import Identity, Token
from bot.sealing import Seal
from sandbox.entra import Entra
from sandbox.world import Person, World

NO_LIMIT = {kind: Rates(100_000, 100_000) for kind in Kind}
SCOPES = (
    "VirtualAppointmentNotification.Send",
    "TeamsActivity.Send",
    "TeamsAppInstallation.ReadForUser",
    "User.ReadBasic.All",
    "OnlineMeetings.Read",
    "Calendars.Read",
)
_LINK = "https://teams.microsoft.com/l/chat/0/0?users=x"
_PLACE = Place("http://127.0.0.1/amer/", "a:1")


class SignedIn:
    """Stands in the place of `Identity`: everybody is signed in, with tokens that Graph takes."""

    def __init__(self, entra: Entra) -> None:
        self._entra = entra
        self._tokens: dict[str, Token] = {}

    async def token(self, actor: Actor, *_: object, **__: object) -> Token:
        if actor.user_id not in self._tokens:
            person = self._entra.world.person(actor.user_id)
            value = self._entra.tokens.graph_token(person, SCOPES)
            later = datetime.now(UTC) + timedelta(hours=1)
            self._tokens[actor.user_id] = Token(value, later)
        return self._tokens[actor.user_id]


class Sending:
    """A database, a ledger on it, and a worker that sends to the Graph of a world."""

    def __init__(self, world: World, database: Database, graph: Graph, identity: Identity) -> None:
        self.world = world
        self.database = database
        self.graph = graph
        self.identity = identity
        seal = Seal(["s" * 40], "ledger")
        self.ledger = Ledger(database, seal)
        self.queue = Queue(database, seal, Lanes(database, NO_LIMIT))
        self.worker = self.new_worker()
        self._numbers = itertools.count(1)
        self._told = asyncio.Event()

    def new_worker(self) -> Worker:
        worker = Worker(self.ledger, self.queue, self.identity, self.graph)
        worker.tells(self._tell)
        return worker

    async def _tell(self, _delivery_id: str) -> None:
        self._told.set()

    def actor(self, person: Person) -> Actor:
        return Actor(person.tenant_id, person.id)

    def new_number(self) -> str:
        """A valid number of the United States that no other text goes to."""
        return f"+1206342{next(self._numbers):04d}"

    async def text(
        self, owner: str = "Adele", *, due_at_ms: int | None = None, **call: Any
    ) -> Delivery:
        """Submit a text to one new number, about the owner's first meeting."""
        person = self.world.named(owner)
        meetings = self.world.meetings.values()
        meeting = next(one for one in meetings if one.organizer_id == person.id)
        number = self.new_number()
        wanted = NewDelivery(
            self.actor(person),
            f"form {number}",
            Kind.TEXT,
            _PLACE,
            {"number": number},
            text_call(meeting_id=meeting.id, message_type="confirmation", language="en-US") | call,
            due_at_ms=due_at_ms,
        )
        return await self._submit(wanted, [[[number, "Pacific Standard Time"]]])

    async def notice(self, people: Sequence[Sequence[str]], owner: str = "Lee") -> Delivery:
        """Submit a notification to these batches of Entra object ids."""
        number = next(self._numbers)
        call = notice_call(
            topic=text_topic("Deployment", _LINK),
            activity_type="deploymentApprovalRequired",
            preview="Please look.",
            parameters={"deploymentId": str(number)},
            teams_app_id=None,
        )
        actor = self.actor(self.world.named(owner))
        wanted = NewDelivery(actor, f"form {number}", Kind.NOTICE, _PLACE, {}, call)
        return await self._submit(wanted, people)

    async def _submit(self, wanted: NewDelivery, people: Sequence[Sequence[Any]]) -> Delivery:
        delivery, is_new = await self.ledger.submit(wanted, people)
        assert is_new
        self.worker.nudge()
        return delivery

    async def until(
        self, delivery: Delivery, done: Callable[[Delivery], bool], *, timeout_s: float = 20
    ) -> Delivery:
        """Wait until it is so; the delivery as it is then."""
        async with asyncio.timeout(timeout_s):
            while True:
                self._told.clear()
                now = await self.ledger.any_delivery(delivery.id)
                assert now is not None
                if done(now):
                    return now
                await self._told.wait()

    async def settled(self, delivery: Delivery, *, timeout_s: float = 20) -> Delivery:
        return await self.until(delivery, lambda now: now.is_settled, timeout_s=timeout_s)

    async def reaches(self, delivery: Delivery, state: State) -> Delivery:
        """Wait until all of it is in this state."""
        return await self.until(delivery, lambda now: {t.state for t in now.tallies} == {state})

    async def rows(self) -> list[Any]:
        """Every batch, with its delivery's form and chain."""
        async with self.database.read() as connection:
            query = (
                select(BATCHES, DELIVERIES.c.form_id, DELIVERIES.c.chain_id)
                .join(DELIVERIES, DELIVERIES.c.id == BATCHES.c.delivery_id)
                .order_by(BATCHES.c.id)
            )
            return list((await connection.execute(query)).all())


@asynccontextmanager
async def sending(
    world: World,
    graph_url: str,
    database_url: str,
    identity: object,
    *,
    timeout_s: float = 20,
) -> AsyncIterator[Sending]:
    """A worker that works, on a database whose tables stand."""
    database = Database(database_url)
    await database.migrate()
    async with open_session() as session:
        graph = Graph(graph_url, session, timeout_s=timeout_s)
        room = Sending(world, database, graph, cast(Identity, identity))
        await room.worker.start()
        yield room
        await room.worker.stop()
    await database.close()
