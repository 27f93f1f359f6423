"""What waits for its time: what it costs while it waits, and how punctually it leaves."""

import asyncio
import sys
import time
import uuid
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
from bot.delivery.models import BATCHES, DELIVERIES, LANES, RECIPIENTS, Delivery

_WAITING = 10_000
_TENANTS = 100
_ROUNDS = 5
_TEXTS = 400
_TEXTS_S = 12.0
_TEXT_TENANTS = 40
_FAN_OUT_TENANTS = 3
_DAY_MS = 24 * 3_600_000
_PERSON = ["+12065550100", "Pacific Standard Time"]


async def while_it_waits(folder: Path) -> list[Row]:
    """Processes that start with and without 10,000 waiting deliveries, in turns."""
    empty, full = (f"sqlite+aiosqlite:///{folder / name}.sqlite3" for name in ("empty", "full"))
    async with Graph() as graph:
        async with running(empty, graph.url):
            pass
        async with running(full, graph.url) as core:
            await fill(core, _WAITING)
        found: dict[str, list[dict[str, Any]]] = {empty: [], full: []}
        for _ in range(_ROUNDS):
            for url, results in found.items():
                results.append(await measured("bench.scheduled", url, graph.url))
    started = [median(one["start_s"] for one in found[url]) for url in (full, empty)]
    memory = [median(one["peak_mb"] for one in found[url]) for url in (full, empty)]
    return [
        Row.absolute(
            "start-up added by 10,000 waiting: s", started[0] - started[1], ("<", 1), unit="s"
        ),
        Row.absolute(
            "memory added by 10,000 waiting: MB", memory[0] - memory[1], ("<", 20), unit="MB"
        ),
    ]


async def when_it_is_due(folder: Path) -> list[Row]:
    """Scheduled texts while a fan-out of the same process is throttled, among 10,000 waiting."""
    url = f"sqlite+aiosqlite:///{folder / 'due.sqlite3'}"
    async with Graph(delay_s=0.05, limit=1) as graph, running(url, graph.url, DOCUMENTED) as core:
        await fill(core, _WAITING)
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


async def fill(core: Core, count: int) -> None:
    """So many deliveries that wait for next week, each with its text.

    The first is submitted; the others are its copies, because writing each as a form does, with
    its own commit, would take longer than what is to be measured.
    """
    due_at_ms = core.ledger.clock_ms() + 7 * _DAY_MS
    first, _ = await core.ledger.submit(text(actor(0), "m", due_at_ms=due_at_ms), [[_PERSON]])
    async with core.database.write() as connection:
        delivery = (await connection.execute(_of(DELIVERIES, DELIVERIES.c.id, first))).one()
        batch = (await connection.execute(_of(BATCHES, BATCHES.c.delivery_id, first))).one()
        people = (
            await connection.execute(_of(RECIPIENTS, RECIPIENTS.c.delivery_id, first))
        ).one()
        deliveries, batches, recipients = [], [], []
        for number in range(1, count):
            who = actor(number % _TENANTS)
            ours = {"tenant_id": who.tenant_id, "user_id": who.user_id}
            new_id = uuid.uuid4().hex
            deliveries.append(
                {**delivery._mapping, **ours, "id": new_id, "form_id": f"waiting-{number}"}
            )
            batches.append(
                {**batch._mapping, **ours, "id": int(batch.id) + number, "delivery_id": new_id}
            )
            recipients.append({**people._mapping, "delivery_id": new_id})
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
