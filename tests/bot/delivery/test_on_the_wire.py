"""How many batches a worker has in hand, fenced and on the wire."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import select

from bot.actor import Actor
from bot.delivery.actions import notice_call, text_call
from bot.delivery.database import Database
from bot.delivery.lanes import Lanes, Rates
from bot.delivery.ledger import Ledger
from bot.delivery.models import BATCHES, Kind, NewDelivery, Place, State
from bot.delivery.queue import Queue
from bot.delivery.spacing import Spacing
from bot.delivery.worker import Worker
from bot.graph.bodies import text_topic
from bot.graph.client import Graph, open_session
from bot.identity.obo import Identity, Token
from bot.sealing import Seal

ADELE = Actor("5eafa5f0-6c1f-4f4e-9d3d-0c4b3b1a7e01", "a0000001-0000-4000-8000-000000000001")
LINK = "https://teams.microsoft.com/l/chat/0/0?users=x"
WIRES = 2
BATCHES_SENT = 12


class SlowGraph:
    """Takes every send, and answers when it is let go."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.waiting = asyncio.Semaphore(0)
        self.now = 0
        self.most = 0

    async def answer(self, _request: web.Request) -> web.Response:
        self.now += 1
        self.most = max(self.most, self.now)
        self.waiting.release()
        await self.let_go.wait()
        self.now -= 1
        return web.json_response({}, status=202)


class SignedIn:
    async def token(self, *_: object, **__: object) -> Token:
        return Token("token", datetime.now(UTC) + timedelta(hours=1))


class Post:
    """A worker with two wires, its ledger and a Graph that takes its time."""

    def __init__(self, folder: Path, graph: Graph, slow: SlowGraph) -> None:
        self.slow = slow
        self.database = Database(f"sqlite+aiosqlite:///{folder / 'ledger.sqlite3'}")
        seal = Seal(["k" * 40], "ledger")
        self.ledger = Ledger(self.database, seal)
        rates = {kind: Rates(100_000, 100_000) for kind in Kind}
        queue = Queue(self.database, seal, Lanes(self.database, rates))
        identity = cast(Identity, SignedIn())
        self.worker = Worker(self.ledger, queue, identity, graph, at_once=WIRES)

    async def submit(self, kind: Kind) -> None:
        call: dict[str, Any] = text_call(meeting_id="m", message_type="confirmation", language="")
        people: list[Any] = ["+12063428631", "Pacific Standard Time"]
        if kind is Kind.NOTICE:
            topic = text_topic("Deployment", LINK)
            call = notice_call(
                topic=topic, activity_type="a", preview="p", parameters={}, teams_app_id=None
            )
            people = ADELE.user_id
        wanted = NewDelivery(ADELE, "f1", kind, Place("", ""), {}, call)
        await self.ledger.submit(wanted, ([people] for _ in range(BATCHES_SENT)))
        self.worker.nudge()
        for _ in range(WIRES):
            await self.slow.waiting.acquire()

    async def states(self) -> Counter[str]:
        async with self.database.read() as connection:
            return Counter((await connection.scalars(select(BATCHES.c.state))).all())

    async def until(self, state: State, count: int) -> None:
        async with asyncio.timeout(10):
            while (await self.states())[state.value] < count:
                await asyncio.sleep(0.01)


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[Post]:
    slow = SlowGraph()
    app = web.Application()
    app.router.add_post("/{path:.*}", slow.answer)
    async with TestServer(app) as server, open_session() as session:
        post = Post(tmp_path, Graph(str(server.make_url("")), session), slow)
        await post.database.migrate()
        await post.worker.start()
        yield post
        slow.let_go.set()
        await post.worker.stop()
        await post.database.close()


async def test_no_more_texts_are_fenced_than_are_on_the_wire(post: Post) -> None:
    await post.submit(Kind.TEXT)
    await post.until(State.CLAIMED, 2 * WIRES)
    assert (await post.states())[State.SENDING.value] == WIRES
    assert post.slow.now == WIRES


async def test_notices_are_fenced_ahead_and_no_more_of_them_are_on_the_wire(post: Post) -> None:
    await post.submit(Kind.NOTICE)
    await post.until(State.SENDING, 2 * WIRES)
    assert post.slow.now == WIRES
    post.slow.let_go.set()
    await post.until(State.ACCEPTED, BATCHES_SENT)
    assert post.slow.most == WIRES


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.NOTICE])
async def test_a_stop_gives_back_what_waited_for_the_wire(post: Post, kind: Kind) -> None:
    await post.submit(kind)
    stopping = asyncio.create_task(post.worker.stop())
    await asyncio.sleep(0)
    post.slow.let_go.set()
    await stopping
    assert await post.states() == {"accepted": WIRES, "queued": BATCHES_SENT - WIRES}


def test_a_request_that_left_late_pushes_those_behind_it() -> None:
    spacing = Spacing({Kind.NOTICE: Rates(2, 20)})
    assert spacing.leaves_at_ms("t", Kind.NOTICE, 1_000, 1_100) == 1_100
    assert spacing.leaves_at_ms("t", Kind.NOTICE, 1_505, 1_400) == 1_605
    assert spacing.leaves_at_ms("t", Kind.NOTICE, 9_000, 8_900) == 9_000
    assert spacing.leaves_at_ms("another", Kind.NOTICE, 1_000, 900) == 1_000


def test_no_more_leave_in_a_second_than_may_however_late_each_is() -> None:
    spacing = Spacing({Kind.NOTICE: Rates(2, 20)})
    lane = ("t", Kind.NOTICE)
    planned = [spacing.leaves_at_ms(*lane, 1_000 + 505 * n, 900) for n in range(4)]
    assert planned == [1_000, 1_505, 2_010, 2_515]
    # All four are planned when the machine falls asleep over the first.
    assert spacing.too_soon_ms(*lane, 1_400) == 0
    spacing.leaves_now(*lane, 1_400)
    assert spacing.too_soon_ms(*lane, 1_505) == 0
    spacing.leaves_now(*lane, 1_505)
    assert spacing.too_soon_ms(*lane, 2_010) == 400
    spacing.leaves_now(*lane, 2_410)
    assert spacing.too_soon_ms(*lane, 2_515) == 0
    assert spacing.too_soon_ms("another", Kind.NOTICE, 2_010) == 0


def test_a_rate_below_one_a_second_keeps_its_own_distance() -> None:
    spacing = Spacing({Kind.NOTICE: Rates(0.5, 20)})
    spacing.leaves_now("t", Kind.NOTICE, 1_000)
    assert spacing.too_soon_ms("t", Kind.NOTICE, 2_000) == 1_020
