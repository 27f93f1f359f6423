"""Thousands of callers who say nothing, or very slowly: others are served, and they are let go."""

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from bot import server
from sandbox.stage import Stage
from tests.processes import Process, fork_app, kill_all

THOUSANDS = 3_000
AT_ONCE = 100  # who come together: fewer than wait at a door that is busy
OTHERS = 300  # files that either process has open besides
SLOW = b"POST /api/messages HTTP/1.1\r\nHost: x\r\nX-Slow: "

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")


def resident_kb(process_id: int) -> int:
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def open_files(process_id: int) -> int:
    return len(os.listdir(f"/proc/{process_id}/fd"))


async def test_thousands_of_callers_cost_little_and_the_next_thousands_nothing_more(
    stage: Stage,
) -> None:
    many = within_limits(THOUSANDS)
    app = await fork_app(stage.environment(), idle_s=60.0, hurried=True)
    try:
        await app.until("herald.listening", timeout_s=60)
        async with aiohttp.ClientSession() as session:
            await about(session, stage)
            before_kb, files = resident_kb(app.id), open_files(app.id)
            held_kb = []
            for _ in range(2):
                async with callers(stage.app_port, many):
                    await until_open(app, files + many)
                    assert await about(session, stage) == 200
                    held_kb.append(resident_kb(app.id))
                async with asyncio.timeout(60):  # they went, and nothing of them is left open
                    while open_files(app.id) > files + AT_ONCE:
                        await asyncio.sleep(0.02)
            assert held_kb[0] - before_kb < many * 40
            assert held_kb[-1] - held_kb[0] < many * 2
    finally:
        await kill_all([app])


async def test_idle_and_dribbling_callers_are_let_go(stage: Stage) -> None:
    app = await fork_app(stage.environment(), hurried=True, idle_s=1.0)
    try:
        await app.until("herald.listening", timeout_s=60)
        async with callers(stage.app_port, 100) as called, asyncio.timeout(60):
            for one in called:
                with contextlib.suppress(ConnectionError):
                    assert await asyncio.get_running_loop().sock_recv(one, 1) == b""
    finally:
        await kill_all([app])


def within_limits(wanted: int) -> int:
    """So many, or as many as this system lets a process have files open."""
    import resource

    server.allow_many_connections()  # as the app does
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return wanted if soft == resource.RLIM_INFINITY else min(wanted, soft - OTHERS)


@asynccontextmanager
async def callers(port: int, many: int) -> AsyncIterator[list[socket.socket]]:
    """Connections, every second of which began to speak."""
    called = [socket.socket() for _ in range(many)]
    try:
        for start in range(0, many, AT_ONCE):
            some = called[start : start + AT_ONCE]
            await asyncio.gather(*(call(one, port, speaks=one.fileno() % 2 == 1) for one in some))
        yield called
    finally:
        for one in called:
            one.close()


async def call(one: socket.socket, port: int, *, speaks: bool) -> None:
    one.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(one, ("127.0.0.1", port))
    if speaks:
        await loop.sock_sendall(one, SLOW)


async def until_open(app: Process, files: int) -> None:
    async with asyncio.timeout(60):
        while open_files(app.id) < files:
            await asyncio.sleep(0.02)


async def about(session: aiohttp.ClientSession, stage: Stage) -> int:
    async with session.get(f"{stage.app_url}/about") as answer:
        return answer.status
