"""From the start of the process to the first turn that was answered."""

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

from bench.process import ROOT, listening
from bench.stage import Stage
from bench.table import Row, median
from bench.turns import Requests

_ROUNDS = 5


async def to_the_first_answer(folder: Path) -> list[Row]:
    """`python app.py` on SQLite, a `help` as soon as somebody listens; with and without tables."""
    async with AsyncExitStack() as closing:
        stage = await closing.enter_async_context(Stage(str(folder)))
        asks = Requests(stage.around, {})
        database = folder / "start.sqlite3"
        first = [await _one(stage, asks, folder / f"{n}.sqlite3") for n in range(_ROUNDS)]
        await _one(stage, asks, database)
        again = [await _one(stage, asks, database) for _ in range(_ROUNDS)]
    bar = ("≤", 1.5)
    return [
        Row.absolute("start to the first answered turn, SQLite: s", median(again), bar, unit="s"),
        Row.absolute("the same, with the tables to be made: s", median(first), None),
    ]


async def _one(stage: Stage, asks: Requests, database: Path) -> float:
    environment = stage.around.environment | {
        "DATABASE_URL": f"sqlite+aiosqlite:///{database}",
        "METRICS_PORT": "0",
    }
    request = next(asks.messages("help"))
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "app.py",
        cwd=ROOT,
        env=environment,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        caller = await listening(process, int(environment["PORT"]))
        status, _ = await caller.ask(request)
        seconds = time.perf_counter() - began
        assert status == 200
        caller.close()
    finally:
        process.terminate()
        await process.wait()
    return seconds
