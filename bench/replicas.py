"""Two replicas on one PostgreSQL: how they share, and what becomes of a killed one's work."""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from bench.core import UNLIMITED, Core, actor, notice, people, running
from bench.graph import Graph
from bench.postgres import postgres
from bench.table import Row
from bot.delivery.models import Delivery

_BATCHES = 10_000
_TENANTS = 50
_LEFT_BEHIND = 200
_SLOW_S = 0.5


async def shared(folder: Path) -> list[Row]:
    """10,000 batches, one person each; then one of two is killed while it is sending."""
    with postgres(folder / "postgres") as server:
        url = server.new()
        async with Graph() as graph:
            one = await _send_all(server.new(), graph, replicas=1, batches=_BATCHES // 5)
            two = await _send_all(url, graph, replicas=2, batches=_BATCHES)
        taken_s = await _take_over(server.new())
    return [
        Row.absolute(
            "10,000 batches on two replicas: most sends of one", two["most"], ("=", 1), peer=1
        ),
        Row.absolute(
            "10,000 batches on two replicas: sent", two["distinct"], ("=", _BATCHES), peer=_BATCHES
        ),
        Row.compared("batches a second, two replicas beside one", two["rate"], one["rate"], None),
        Row.absolute(
            "a killed replica's work is taken over within: s", taken_s, ("≤", 45), unit="s"
        ),
    ]


async def _send_all(url: str, graph: Graph, *, replicas: int, batches: int) -> dict[str, float]:
    async with running(url, graph.url) as core:
        await core.worker.stop()  # this process only submits and watches
        await graph.reset()
        deliveries = await _submit(core, batches)
        began = time.time()
        workers = [await _replica(url, graph) for _ in range(replicas)]
        await _settled(core, deliveries)
        report = await graph.report()
        for worker in workers:
            await _end(worker)
    rate = report["received"] / (report["last_at"] - began)
    return {"most": report["most_for_one"], "distinct": report["distinct"], "rate": rate}


async def _take_over(url: str) -> float:
    """Seconds from the kill until everything that the killed one had is settled by the other."""
    async with Graph(delay_s=_SLOW_S) as graph, running(url, graph.url) as core:
        await core.worker.stop()
        deliveries = await _submit(core, _LEFT_BEHIND)
        workers = [await _replica(url, graph) for _ in range(2)]
        await asyncio.sleep(1.5 * _SLOW_S)
        workers[0].kill()
        killed_at = time.perf_counter()
        await _settled(core, deliveries)
        seconds = time.perf_counter() - killed_at
        assert (await graph.report())["distinct"] == _LEFT_BEHIND
        await workers[0].wait()
        await _end(workers[1])
    return seconds


async def _submit(core: Core, batches: int) -> list[Delivery]:
    each = batches // _TENANTS
    deliveries = []
    for number in range(_TENANTS):
        parts = people(each, size=1, start=number * each)
        delivery, _ = await core.ledger.submit(notice(actor(number)), parts)
        deliveries.append(delivery)
    return deliveries


async def _settled(core: Core, deliveries: list[Delivery]) -> None:
    for delivery in deliveries:
        now = await core.ledger.any_delivery(delivery.id)
        while now is None or not now.is_settled:
            await asyncio.sleep(0.2)
            now = await core.ledger.any_delivery(delivery.id)


async def _replica(url: str, graph: Graph) -> Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __spec__.name, url, graph.url, stdin=PIPE, stdout=PIPE
    )
    assert process.stdout is not None
    await process.stdout.readline()
    return process


async def _end(process: Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    await process.wait()


async def _work(database_url: str, graph_url: str) -> None:
    async with running(database_url, graph_url, UNLIMITED):
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.buffer.read)


if __name__ == "__main__":
    asyncio.run(_work(sys.argv[1], sys.argv[2]))
