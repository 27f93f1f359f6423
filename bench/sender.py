"""Whoever sends to many, in a process of its own: Herald's ledger and worker, a bare loop, the SDK.

Each is told numbers of recipients on its input, sends to so many, and says what that took: wall and
CPU time, and the most memory above what it had before.
"""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import aiohttp

from bench import bare
from bench.core import Core, actor, notice, peak_mb, people, ready_made, resident_mb, running
from bench.process import ROOT

SDK_PYTHON = ROOT / ".venv-bench" / ("Scripts" if sys.platform == "win32" else "bin") / "python"


@dataclass(frozen=True)
class Took:
    """What one fan-out took."""

    wall_s: float
    cpu_s: float
    memory_mb: float


class Sender:
    """One of them: `async with Sender("herald", …) as sender: await sender.send(10_000)`."""

    def __init__(self, *arguments: str, python: str = sys.executable) -> None:
        self._command = [python, *arguments]

    @classmethod
    def herald(cls, database_url: str, graph_url: str, at_once: int) -> Self:
        """Herald's ledger and worker on a database of its own."""
        return cls("-m", __spec__.name, "herald", graph_url, str(at_once), database_url)

    @classmethod
    def bare(cls, graph_url: str, at_once: int) -> Self:
        """A loop that posts ready-made bodies."""
        return cls("-m", __spec__.name, "bare", graph_url, str(at_once))

    @classmethod
    def sdk(cls, graph_url: str, at_once: int) -> Self:
        """The Graph SDK, from its own environment."""
        script = ROOT / "bench" / "graph_sdk.py"
        return cls(str(script), graph_url, str(at_once), python=str(SDK_PYTHON))

    async def __aenter__(self) -> Self:
        self._process: Process = await asyncio.create_subprocess_exec(
            *self._command, cwd=ROOT, stdin=PIPE, stdout=PIPE
        )
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def send(self, recipients: int) -> Took:
        """Send to so many."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{recipients}\n".encode())
        line = await self._process.stdout.readline()
        assert line, f"{self._command} ended"
        return Took(**json.loads(line))


async def _herald(graph_url: str, at_once: int, database_url: str) -> None:
    async with running(database_url, graph_url, at_once=at_once) as core:
        await _obey(lambda count: _submit(core, count))


async def _submit(core: Core, count: int) -> None:
    delivery, _ = await core.ledger.submit(notice(actor(1)), people(count))
    core.worker.nudge()
    await core.settled(delivery)


async def _bare(graph_url: str, at_once: int) -> None:
    ready: dict[int, list[bytes]] = {}

    async def post(count: int) -> None:
        await bare.post_all(session, graph_url, ready[count], at_once=at_once)

    async with aiohttp.ClientSession() as session:
        await _obey(
            post,
            before=lambda count: ready.setdefault(count, bare.encoded(ready_made(people(count)))),
        )


async def _obey(
    send: Callable[[int], Awaitable[None]], *, before: Callable[[int], object] = lambda _count: None
) -> None:
    while line := await asyncio.to_thread(sys.stdin.readline):
        count = int(line)
        before(count)
        _forget_peak()
        idle = resident_mb()
        began, used = time.perf_counter(), time.process_time()
        await send(count)
        wall_s, cpu_s = time.perf_counter() - began, time.process_time() - used
        took = {"wall_s": wall_s, "cpu_s": cpu_s, "memory_mb": peak_mb() - idle}
        print(json.dumps(took), flush=True)


def _forget_peak() -> None:
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as peak:
            peak.write("5")
    except OSError:
        return


if __name__ == "__main__":
    kind, url, width, *rest = sys.argv[1:]
    asyncio.run(_herald(url, int(width), *rest) if kind == "herald" else _bare(url, int(width)))
