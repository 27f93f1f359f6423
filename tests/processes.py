"""Herald's real processes: started, watched by their logs, killed."""

import asyncio
import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
# Leases are as long as production's can be waited for in a benchmark, not in every test.
_HURRIED = """
from bot.delivery import pace
pace.LEASE_MS, pace.FENCE_HOLDS_MS, pace.HEARTBEAT_S = 4_000, 1_300, 0.5
"""
# A next version: this one with one more step of the database.
_NEWER = """
import pathlib
from bot.delivery import upgrade
upgrade._MIGRATIONS = pathlib.Path({path!r})
"""
_APP = "import sys, app; sys.exit(app.main())"
_WORKER = "from bot.admin.cli import app; app(['worker'])"


class Process:
    """One process; what it logs can be waited for, and counted."""

    def __init__(self, process: "asyncio.subprocess.Process | Forked") -> None:
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


class Forked:
    """A process of `tests/forks.py`, as far as asyncio's own are like it."""

    def __init__(self, pid: int, stderr: asyncio.StreamReader, told: asyncio.StreamReader) -> None:
        self.pid = pid
        self.stderr = stderr
        self.returncode: int | None = None
        self._ending = asyncio.create_task(self._ended(told))

    @classmethod
    async def start(cls, code: str, environment: dict[str, str]) -> Self:
        """Run this code in a process that has Herald loaded, with this environment."""
        (errors, errors_end), (told, told_end) = os.pipe(), os.pipe()
        request = {"code": code, "argv": ["app.py"], "environment": environment}
        socket.send_fds(_forks(), [json.dumps(request).encode()], [errors_end, told_end])
        os.close(errors_end)
        os.close(told_end)
        line_by_line = await _reader(told)
        return cls(int(await line_by_line.readline()), await _reader(errors), line_by_line)

    async def _ended(self, told: asyncio.StreamReader) -> int:
        self.returncode = int(await told.readline())
        await told.read()  # to its end, which closes it
        return self.returncode

    async def wait(self) -> int:
        return await asyncio.shield(self._ending)

    def send_signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


async def _reader(descriptor: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=2**20)
    protocol = asyncio.StreamReaderProtocol(reader)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: protocol, os.fdopen(descriptor, "rb", buffering=0))
    return reader


@cache
def _forks() -> socket.socket:
    """Where a fork is asked for; it is there until this process ends."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    process = subprocess.Popen([sys.executable, "-m", "tests.forks"], cwd=ROOT, stdin=there)
    there.close()

    def end() -> None:
        here.close()
        process.wait(10)

    atexit.register(end)
    return here


async def start_app(environment: dict[str, str]) -> Process:
    """`python app.py`, as an administrator starts it."""
    return await _start(["app.py"], environment)


async def start_worker(environment: dict[str, str]) -> Process:
    """`python -m bot worker`, as an administrator starts it."""
    return await _start(["-m", "bot", "worker"], environment)


async def fork_app(
    environment: dict[str, str], *, hurried: bool = False, idle_s: float = 75.0
) -> Process:
    """What `python app.py` runs, without the wait for its imports.

    Hurried, it has leases of four seconds; a silent caller is let go after `idle_s`.
    """
    idle = f"from bot import server\nserver.IDLE_S = {idle_s}\n"
    return await _fork((_HURRIED if hurried else "") + idle + _APP, environment)


async def fork_worker(environment: dict[str, str], *, hurried: bool = False) -> Process:
    """What `python -m bot worker` runs, likewise."""
    return await _fork((_HURRIED if hurried else "") + _WORKER, environment)


async def fork_newer_app(environment: dict[str, str], migrations: Path) -> Process:
    """`python app.py` of a next version, whose steps of the database are in this folder."""
    return await _fork(_NEWER.format(path=str(migrations)) + _APP, environment)


async def kill_all(processes: Iterable[Process]) -> None:
    """Whatever still lives at the end of a test."""
    await asyncio.gather(*(process.kill() for process in processes))


async def _fork(code: str, environment: dict[str, str]) -> Process:
    return Process(await Forked.start(code, {**os.environ, **environment}))


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
