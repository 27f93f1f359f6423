"""Sending to many: beside a bare loop and the Graph SDK, and at the documented limit."""

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from bench.core import DOCUMENTED, Core, Departure, actor, notice, people, running
from bench.graph import Graph
from bench.postgres import postgres
from bench.sender import SDK_PYTHON, Sender, Took
from bench.table import Row, median
from bot.delivery.models import Kind

_AT_ONCE = 16
_DELAY_S = 0.05
_WARM = 2_000  # recipients
# How long Graph takes, to how many, in how many rounds.
_ROUNDS = ((0.0, 10_000, 5), (0.0, 100_000, 3), (_DELAY_S, 10_000, 9), (_DELAY_S, 100_000, 3))
_SDK_SENDS = 30_000  # recipients in a case, if more than one round: it needs seconds for each
_BUDGET_S = 40.0  # of a case: on a busy machine there are fewer rounds
_TENANTS = 3
_Bar = tuple[str, float] | None
_LIMITED_BATCHES = 60


async def beside_the_peers(folder: Path) -> list[Row]:
    """10,000 and 100,000 recipients, Graph at once and after 50 ms, 16 requests at once.

    Each sender is a process of its own, and so is Graph; in each round they take turns.
    """
    found: dict[tuple[float, int], dict[str, list[Took]]] = {}
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(postgres(folder / "postgres"))
        for delay_s in (0.0, _DELAY_S):
            async with AsyncExitStack() as closing:
                graph = await closing.enter_async_context(Graph(delay_s=delay_s))
                sqlite = f"sqlite+aiosqlite:///{folder / f'{delay_s}.sqlite3'}"
                senders = {
                    "bare": Sender.bare(graph.url, _AT_ONCE),
                    "SQLite": Sender.herald(sqlite, graph.url, _AT_ONCE),
                    "PostgreSQL": Sender.herald(server.new(), graph.url, _AT_ONCE),
                }
                if SDK_PYTHON.exists():
                    senders["sdk"] = Sender.sdk(graph.url, _AT_ONCE)
                else:
                    print("  (the Graph SDK is not measured: `make bench` installs it)", flush=True)
                for sender in senders.values():
                    await closing.enter_async_context(sender)
                    await sender.send(_WARM)
                for delay, recipients, rounds in _ROUNDS:
                    if delay == delay_s:
                        found[delay, recipients] = await _rounds(senders, recipients, rounds)
    return [row for case, took in found.items() for row in _rows(*case, took)]


async def _rounds(
    senders: dict[str, Sender], recipients: int, rounds: int
) -> dict[str, list[Took]]:
    found: dict[str, list[Took]] = {name: [] for name in senders}
    ends_at = time.monotonic() + _BUDGET_S
    for number in range(rounds):
        for name, sender in senders.items():
            if name != "sdk" or number * recipients < _SDK_SENDS:
                found[name].append(await sender.send(recipients))
        if time.monotonic() > ends_at:
            break
    return found


def _rows(delay_s: float, recipients: int, took: dict[str, list[Took]]) -> list[Row]:
    what = f"{recipients:,} recipients, {delay_s * 1000:.0f} ms"
    rows = []

    def beside(
        name: str,
        ours: str,
        peer: str,
        measure: Callable[[Took], float],
        bar: _Bar = None,
    ) -> None:
        numbers = [median(map(measure, took[side])) for side in (ours, peer)]
        rows.append(Row.compared(f"{what}, {name}", *numbers, bar))

    def micros(one: Took) -> float:
        return one.cpu_s / recipients * 1e6

    def wall(one: Took) -> float:
        return one.wall_s

    for ours in ("SQLite", "PostgreSQL"):
        bar = ("≤", 1.15) if delay_s and ours == "SQLite" else None
        beside(f"{ours} beside a bare loop: s", ours, "bare", wall, bar)
        if "sdk" not in took:
            continue
        beside(f"{ours} beside the Graph SDK: s", ours, "sdk", wall)
        beside(f"{ours} beside the Graph SDK: CPU, µs a recipient", ours, "sdk", micros, ("≤", 0.3))
        beside(
            f"{ours} beside the Graph SDK: memory, MB", ours, "sdk", lambda one: one.memory_mb, None
        )
    beside("SQLite beside a bare loop: CPU, µs a recipient", "SQLite", "bare", micros)
    return rows


async def at_the_documented_limit(folder: Path) -> list[Row]:
    """Three tenants side by side, each with 2 requests a second, inside the app's 20."""
    url = f"sqlite+aiosqlite:///{folder / 'limited.sqlite3'}"
    async with Graph(delay_s=_DELAY_S) as graph, running(url, graph.url, DOCUMENTED) as core:
        began = time.time()
        await _send(core, _TENANTS, _TENANTS * _LIMITED_BATCHES)
        report = await graph.report()
        most = most_in_a_second(core.queue.left)
    # The last request leaves when all others have had their half second, and is answered.
    limit_s = (_LIMITED_BATCHES - 1) / DOCUMENTED[Kind.NOTICE].tenant + _DELAY_S
    ours = median(last - began + _DELAY_S for _, last, _ in report["spans"])
    assert [count for *_, count in report["spans"]] == [_LIMITED_BATCHES] * _TENANTS
    arrived = report["most_in_a_second"]
    return [
        Row.compared("6,000 recipients, 2 requests a second: s", ours, limit_s, ("≤", 1.02)),
        Row.absolute("most requests of one tenant that leave in a second", most, ("≤", 2), peer=2),
        Row.absolute("most that arrive in a second, however late each", arrived, None, peer=2),
    ]


def most_in_a_second(left: list[Departure]) -> int:
    """The most requests of one tenant that left within any second."""
    by_tenant: dict[str, list[float]] = defaultdict(list)
    for departure in left:
        by_tenant[departure.tenant_id].append(departure.at_ms)
    most = 0
    for times in by_tenant.values():
        times.sort()
        first = 0
        for last, at_ms in enumerate(times):
            while times[first] <= at_ms - 1000:
                first += 1
            most = max(most, last - first + 1)
    return most


async def _send(core: Core, tenants: int, batches: int) -> None:
    each = batches // tenants
    deliveries = []
    for number in range(tenants):
        part = people(each * 100, start=number * each * 100)
        delivery, _ = await core.ledger.submit(notice(actor(number)), part)
        deliveries.append(delivery)
        core.worker.nudge()
    await core.settled(*deliveries)
