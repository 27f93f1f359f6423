"""Servers that are measured, each in a process of its own, and what they cost."""

import asyncio
import contextlib
import os
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bench.http1 import Caller

ROOT = Path(__file__).resolve().parent.parent
_PATIENCE_S = 60.0


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def server(
    *arguments: str, environment: Mapping[str, str], port: int
) -> AsyncIterator[Process]:
    """`python arguments…`, until it listens on the port; ended when it is left.

    What it says is thrown away, as it comes: production's logs go somewhere, too.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=DEVNULL,
        stdout=DEVNULL,
        stderr=PIPE,
    )
    reading = asyncio.create_task(_drain(process))
    try:
        await listening(process, port)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        await reading


async def listening(process: Process, port: int) -> Caller:
    """A connection to the process, as soon as it takes one."""
    ends_at = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return await Caller.connect(port)
        except OSError:
            assert process.returncode is None, "the server ended at once"
            assert time.monotonic() < ends_at, "the server does not listen"
            await asyncio.sleep(0.005)


async def _drain(process: Process) -> None:
    assert process.stderr is not None
    last = b""
    while some := await process.stderr.read(65536):
        last = some
    if process.returncode not in (0, -15):
        print(last.decode("utf-8", "replace")[-3000:], file=sys.stderr)


def cpu_s(process_id: int) -> float:
    """The CPU time that a process has used, its threads included; 0 where nobody says it so."""
    try:
        fields = Path(f"/proc/{process_id}/stat").read_text("ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
