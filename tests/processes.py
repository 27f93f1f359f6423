"""Herald's real processes: started, watched by their logs, killed."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# Leases are as long as production's can be waited for in a benchmark, not in every test.
_HURRIED = """
import sys
from bot.delivery import pace
pace.LEASE_MS, pace.FENCE_HOLDS_MS, pace.HEARTBEAT_S = 4_000, 1_300, 0.5
"""
# A next version: this one with one more step of the database.
_NEWER = """
import pathlib, sys
from bot.delivery import upgrade
upgrade._MIGRATIONS = pathlib.Path(sys.argv[1])
"""
_APP = "import app; sys.exit(app.main())"
_WORKER = "from bot.admin.cli import app; app(['worker'])"


class Process:
    """One process; what it logs can be waited for, and counted."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self.lines.append(line.decode())

    @property
    def id(self) -> int:
        """The process's id."""
        return self._process.pid

    def logged(self, *names: str) -> list[dict[str, Any]]:
        """The events of these names so far."""
        events = [json.loads(line) for line in self.lines if line.startswith("{")]
        return [each for each in events if each["event"] in names]

    async def until(self, *names: str, count: int = 1, timeout_s: float = 20) -> None:
        """Wait for one of these events in the log."""
        async with asyncio.timeout(timeout_s):
            while len(self.logged(*names)) < count:
                assert self._process.returncode is None, "".join(self.lines)
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """SIGKILL: nothing is finished, nothing is said."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM, and the end that follows."""
        await self._end(signal.SIGTERM)

    async def ended(self) -> int:
        """Wait for the end; the exit code."""
        code = await asyncio.wait_for(self._process.wait(), 20)
        await self._reading
        return code

    async def _end(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            self._process.send_signal(number)
        await self.ended()


async def start_app(
    environment: dict[str, str], *, hurried: bool = False, idle_s: float = 75.0
) -> Process:
    """`python app.py`; hurried, with leases of four seconds, and silent callers let go earlier."""
    idle = f"from bot import server\nserver.IDLE_S = {idle_s}\n"
    arguments = ["-c", _HURRIED + idle + _APP] if hurried else ["app.py"]
    return await _start(arguments, environment)


async def start_newer_app(environment: dict[str, str], migrations: Path) -> Process:
    """`python app.py` of a next version, whose steps of the database are in this folder."""
    return await _start(["-c", _NEWER + _APP, str(migrations)], environment)


async def start_worker(environment: dict[str, str], *, hurried: bool = False) -> Process:
    """`python -m bot worker`."""
    arguments = ["-c", _HURRIED + _WORKER] if hurried else ["-m", "bot", "worker"]
    return await _start(arguments, environment)


async def kill_all(processes: Iterable[Process]) -> None:
    """Whatever still lives at the end of a test."""
    await asyncio.gather(*(process.kill() for process in processes))


async def _start(arguments: list[str], environment: dict[str, str]) -> Process:
    return Process(
        await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=2**20,
        )
    )
