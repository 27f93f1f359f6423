"""What waits for its time: what it costs while it waits, and how punctually it leaves."""

import asyncio
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from bench.child import measured, tell
from bench.core import (
    DOCUMENTED,
    Core,
    actor,
    notice,
    peak_mb,
    people,
    running,
    text,
)
from bench.graph import Graph
from bench.table import Row, median, share
from bot.delivery import drawers
from bot.delivery.lanes import Rates
from bot.delivery.models import BATCHES, DELIVERIES, LANES, RECIPIENTS, Delivery, Kind
from bot.sealing import Drawer

_WAITING = (10_000, 100_000)
_TENANTS = 1_000
_ROUNDS = 3
_ENQUEUED = 200
_MINUTE_S = 60.0
_DUE = 10_000
# Graph's 50 texts a second for a whole app are 3,000 a minute: what is measured here is Herald, so
# that limit is lifted. Each tenant keeps its 5 a second.
_MANY_A_SECOND = {kind: Rates(5, 1_000) for kind in Kind}
_TEXTS = 400
_TEXTS_S = 12.0
_TEXT_TENANTS = 40
_FAN_OUT_TENANTS = 3
_DAY_MS = 24 * 3_600_000
_OF_A_DELIVERY = (drawers.PLACE, drawers.REQUEST, drawers.CALL)
_PERSON = ["+12065550100", "Pacific Standard Time"]


async def while_it_waits(folder: Path) -> list[Row]:
    """Processes that start with nothing and with 10,000 and 100,000 waiting, in turns."""
    urls = {count: f"sqlite+aiosqlite:///{folder / f'{count}.sqlite3'}" for count in (0, *_WAITING)}
    enqueued_ms: dict[int, float] = {}
    async with Graph() as graph:
        for count, url in urls.items():
            async with running(url, graph.url) as core:
                if count:
                    await fill(core, count)
                enqueued_ms[count] = await _enqueue(core)
        found: dict[int, list[dict[str, Any]]] = {count: [] for count in urls}
        for _ in range(_ROUNDS):
            for count, url in urls.items():
                found[count].append(await measured("bench.scheduled", url, graph.url))
    rows = []
    for count in _WAITING:
        started, memory = (
            [median(one[what] for one in found[side]) for side in (count, 0)]
            for what in ("start_s", "peak_mb")
        )
        what = f"{count:,} waiting deliveries"
        rows += [
            Row.compared(f"one more beside {what}: ms", enqueued_ms[count], enqueued_ms[0], None),
            Row.absolute(
                f"start-up added by {what}: s",
                started[0] - started[1],
                ("<", 1) if count == _WAITING[0] else None,
                unit="s",
            ),
            Row.absolute(
                f"memory added by {what}: MB", memory[0] - memory[1], ("<", 20), unit="MB"
            ),
        ]
    return rows


async def _enqueue(core: Core) -> float:
    """Milliseconds for submitting one text for next week, each with its own commit."""
    due_at_ms = core.ledger.clock_ms() + 7 * _DAY_MS
    times = []
    for number in range(_ENQUEUED):
        began = time.perf_counter()
        await core.ledger.submit(text(actor(number), "m", due_at_ms=due_at_ms), [[_PERSON]])
        times.append(1000 * (time.perf_counter() - began))
    return median(times)


async def within_a_minute(folder: Path) -> list[Row]:
    """10,000 texts of 1,000 tenants, due one after the other within a minute."""
    url = f"sqlite+aiosqlite:///{folder / 'minute.sqlite3'}"
    async with Graph(delay_s=0.05) as graph, running(url, graph.url, _MANY_A_SECOND) as core:
        began_ms = core.ledger.clock_ms() + 5_000
        await fill(core, _DUE, due_at_ms=lambda n: began_ms + int(n * _MINUTE_S * 1000 / _DUE))
        core.worker.nudge()
        ends_ms = began_ms + 2 * _MINUTE_S * 1000
        left = core.queue.left
        while len(left) < _DUE and core.ledger.clock_ms() < ends_ms:
            await asyncio.sleep(1)
        await asyncio.sleep(1)
        report = await graph.report()
    assert len(left) == len(report["texts"]), (len(left), len(report["texts"]))
    late_s = [max(0.0, one.at_ms - one.due_at_ms) / 1000 for one in left]
    late_s += [_MINUTE_S] * (_DUE - len(left))  # those that had not left a minute after the last
    return [
        Row.absolute(
            "lateness of 10,000 texts due within a minute, p99: s",
            share(late_s, 99),
            ("≤", 0.5),
            unit="s",
        ),
        Row.absolute("lateness of 10,000 texts due within a minute, p50: s", median(late_s), None),
    ]


async def when_it_is_due(folder: Path) -> list[Row]:
    """Scheduled texts while a fan-out of the same process is throttled, among 100,000 waiting."""
    url = f"sqlite+aiosqlite:///{folder / 'due.sqlite3'}"
    async with Graph(delay_s=0.05, limit=1) as graph, running(url, graph.url, DOCUMENTED) as core:
        await fill(core, _WAITING[-1])
        for number in range(_FAN_OUT_TENANTS):
            await core.ledger.submit(notice(actor(number)), list(people(20_000)))
        core.worker.nudge()
        await _schedule_texts(core)
        await asyncio.sleep(_TEXTS_S + 3)
        report = await graph.report()
    assert len(report["texts"]) == _TEXTS, report
    assert report["throttled"] > 0
    late_s = [max(0.0, at - int(meeting) / 1000) for meeting, at in report["texts"]]
    return [
        Row.absolute(
            "lateness of texts beside a throttled fan-out, p99: s",
            share(late_s, 99),
            ("<", 1),
            unit="s",
        ),
        Row.absolute("lateness of texts beside a throttled fan-out, p50: s", median(late_s), None),
    ]


async def fill(core: Core, count: int, *, due_at_ms: Callable[[int], int] | None = None) -> None:
    """So many deliveries that wait for next week, or for their own time, each with its text.

    The first is submitted; the others are its copies, because writing each as a form does, with
    its own commit, would take longer than what is to be measured.
    """
    seal = core.seal

    def moved(drawer: Drawer, first: Any, row: dict[str, Any]) -> bytes:
        """The same record, bound to another row."""
        content = seal.open_json(first._mapping[drawer.column], drawer.binding(first._mapping))
        return seal.seal_json(content, drawer.binding(row))

    next_week_ms = core.ledger.clock_ms() + 7 * _DAY_MS
    due = due_at_ms or (lambda _number: next_week_ms)
    first, _ = await core.ledger.submit(text(actor(0), "m", due_at_ms=due(0)), [[_PERSON]])
    async with core.database.write() as connection:
        delivery = (await connection.execute(_of(DELIVERIES, DELIVERIES.c.id, first))).one()
        batch = (await connection.execute(_of(BATCHES, BATCHES.c.delivery_id, first))).one()
        people = (await connection.execute(_of(RECIPIENTS, RECIPIENTS.c.delivery_id, first))).one()
        deliveries, batches, recipients = [], [], []
        for number in range(1, count):
            who = actor(number % _TENANTS)
            ours = {"tenant_id": who.tenant_id, "user_id": who.user_id, "due_at_ms": due(number)}
            new_id = uuid.uuid4().hex
            row = {**delivery._mapping, **ours, "id": new_id, "form_id": f"waiting-{number}"}
            deliveries.append(row | {d.column: moved(d, delivery, row) for d in _OF_A_DELIVERY})
            row = {**batch._mapping, **ours, "id": int(batch.id) + number, "delivery_id": new_id}
            batches.append(row)
            of_first = {**batch._mapping, "sealed_people": people.sealed_people}
            sealed = seal.seal_json(
                seal.open_json(people.sealed_people, drawers.PEOPLE.binding(of_first)),
                drawers.PEOPLE.binding(row),
            )
            recipients.append({**people._mapping, "delivery_id": new_id, "sealed_people": sealed})
        await connection.execute(insert(DELIVERIES), deliveries)
        await connection.execute(insert(BATCHES), batches)
        await connection.execute(insert(RECIPIENTS), recipients)
        await connection.execute(
            core.database.insert(LANES).on_conflict_do_nothing(),
            [
                {"key": f"text {who.tenant_id}", "kind": "text", "tenant_id": who.tenant_id}
                | {"free_at_ms": 0}
                for who in map(actor, range(_TENANTS))
            ],
        )


def _of(table: Any, column: Any, delivery: Delivery) -> Any:
    return select(table).where(column == delivery.id)


async def _schedule_texts(core: Core) -> None:
    """Texts of many tenants, each due at another moment; a meeting's id says when."""
    begin_ms = core.ledger.clock_ms() + 3_000
    for number in range(_TEXTS):
        due_at_ms = begin_ms + int(number * _TEXTS_S * 1000 / _TEXTS)
        who = actor(number % _TEXT_TENANTS)
        await core.ledger.submit(text(who, str(due_at_ms), due_at_ms=due_at_ms), [[_PERSON]])
        core.worker.nudge()


async def _measure(database_url: str, graph_url: str) -> dict[str, Any]:
    """From the first line of our own code until something new was sent."""
    began = time.perf_counter()
    async with running(database_url, graph_url) as core:
        await core.ledger.undrawn()
        await core.ledger.owners_waiting()
        first, _ = await core.ledger.submit(notice(actor(0)), people(1))
        core.worker.nudge()
        await core.settled(first)
        seconds = time.perf_counter() - began
        await asyncio.sleep(0.5)
        return {"start_s": seconds, "peak_mb": peak_mb()}


if __name__ == "__main__":
    tell(_measure(sys.argv[1], sys.argv[2]))
