"""Sending to many: beside a bare loop, at the documented limit, and as fast as it will go."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from bench import bare
from bench.core import DOCUMENTED, Core, actor, notice, people, ready_made, running
from bench.graph import Graph
from bench.postgres import postgres
from bench.table import Row, median
from bot.delivery.models import Kind

_AT_ONCE = 16
_DELAY_S = 0.05
_ROUNDS = 7
_BATCHES = 100
_INSTANT_ROUNDS = 3
_INSTANT_BATCHES = 1_500
_TENANTS = 30
_LIMITED_BATCHES = 60


async def beside_a_bare_loop(folder: Path) -> list[Row]:
    """10,000 recipients at 50 ms, 16 at once."""
    bodies = bare.encoded(ready_made(people(_BATCHES * 100)))
    rows = []
    async with Graph(delay_s=_DELAY_S) as graph, aiohttp.ClientSession() as session:
        async for database, core in _on_either(folder, graph):
            ours: list[float] = []
            peers: list[float] = []
            await _send(core, 1, 20)
            await bare.post_all(session, graph.url, bodies[:20], at_once=_AT_ONCE)
            for _ in range(_ROUNDS):
                began = time.perf_counter()
                await bare.post_all(session, graph.url, bodies, at_once=_AT_ONCE)
                peers.append(time.perf_counter() - began)
                ours.append(await _send(core, 1, _BATCHES))
            bar = ("≤", 1.25) if database == "SQLite" else None
            name = f"10,000 recipients, 50 ms, 16 at once, {database}: s"
            rows.append(Row.compared(name, median(ours), median(peers), bar))
    return rows


async def at_the_documented_limit(folder: Path) -> list[Row]:
    """Three tenants side by side, each with 2 requests a second, inside the app's 20."""
    tenants = 3
    async with (
        Graph(delay_s=_DELAY_S) as graph,
        running(f"sqlite+aiosqlite:///{folder / 'limited.sqlite3'}", graph.url, DOCUMENTED) as core,
    ):
        began = time.time()
        await _send(core, tenants, tenants * _LIMITED_BATCHES)
        report = await graph.report()
    # The last request leaves when all others have had their half second, and is answered.
    limit_s = (_LIMITED_BATCHES - 1) / DOCUMENTED[Kind.NOTICE].tenant + _DELAY_S
    ours = median(last - began + _DELAY_S for _, last, _ in report["spans"])
    assert [count for *_, count in report["spans"]] == [_LIMITED_BATCHES] * tenants
    most = report["most_in_a_second"]
    return [
        Row.compared("6,000 recipients, 2 requests a second: s", ours, limit_s, ("≤", 1.02)),
        Row.absolute("most requests of one tenant within any second", most, ("≤", 2), peer=2),
    ]


async def as_fast_as_it_goes(folder: Path) -> list[Row]:
    """Batches of 100 a second, of many tenants, to a Graph that answers at once."""
    bodies = bare.encoded(ready_made(people(_INSTANT_BATCHES * 100)))
    rows = []
    async with Graph() as graph, aiohttp.ClientSession() as session:
        async for database, core in _on_either(folder, graph):
            ours: list[float] = []
            peers: list[float] = []
            await _send(core, _TENANTS, 60)
            for _ in range(_INSTANT_ROUNDS):
                began = time.perf_counter()
                await bare.post_all(session, graph.url, bodies, at_once=_AT_ONCE)
                peers.append(_INSTANT_BATCHES / (time.perf_counter() - began))
                seconds = await _send(core, _TENANTS, _INSTANT_BATCHES)
                ours.append(_INSTANT_BATCHES / seconds)
            name = f"batches of 100 a second, submit to settled, {database}"
            bar = ("≥", 400.0)
            rows.append(Row.absolute(name, median(ours), bar, unit="/s", peer=median(peers)))
    return rows


async def _send(core: Core, tenants: int, batches: int) -> float:
    """Seconds from submit until the ledger knows what became of all."""
    each = batches // tenants
    parts = [list(people(each * 100, start=n * each * 100)) for n in range(tenants)]
    began = time.perf_counter()
    deliveries = []
    for number, part in enumerate(parts):
        delivery, _ = await core.ledger.submit(notice(actor(number)), part)
        deliveries.append(delivery)
        core.worker.nudge()
    await core.settled(*deliveries)
    return time.perf_counter() - began


async def _on_either(folder: Path, graph: Graph) -> AsyncIterator[tuple[str, Core]]:
    """A core on SQLite, then one on PostgreSQL."""
    async with _core(f"sqlite+aiosqlite:///{folder / 'bench.sqlite3'}", graph) as core:
        yield "SQLite", core
    with contextlib.ExitStack() as stack:
        server = await asyncio.to_thread(stack.enter_context, postgres(folder / "postgres"))
        async with _core(server.new(), graph) as core:
            yield "PostgreSQL", core


@asynccontextmanager
async def _core(url: str, graph: Graph) -> AsyncIterator[Core]:
    async with running(url, graph.url, at_once=_AT_ONCE) as core:
        yield core
