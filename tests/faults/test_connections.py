"""Hundreds of callers who say nothing, or very slowly: others are served, and they are let go."""

import asyncio
import contextlib
import sys
from pathlib import Path

import aiohttp
import pytest

from sandbox.stage import Stage
from tests.processes import kill_all, start_app

CALLERS = 400


def resident_kb(process_id: int) -> int:
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
async def test_idle_and_dribbling_callers_cost_little_and_are_let_go(stage: Stage) -> None:
    app = await start_app(stage.environment(), hurried=True, idle_s=3.0)
    opened: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    try:
        await app.until("herald.listening", timeout_s=60)
        async with aiohttp.ClientSession() as session:
            await about(session, stage)
            before_kb = resident_kb(app.id)
            for number in range(CALLERS):
                pair = await asyncio.open_connection("127.0.0.1", stage.app_port)
                if number % 2:
                    pair[1].write(b"POST /api/messages HTTP/1.1\r\nHost: x\r\nX-Slow: ")
                opened.append(pair)
            assert await about(session, stage) == 200
            assert resident_kb(app.id) - before_kb < CALLERS * 60
        async with asyncio.timeout(60):
            for reader, _ in opened:
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
    finally:
        for _, writer in opened:
            writer.close()
        await kill_all([app])


async def about(session: aiohttp.ClientSession, stage: Stage) -> int:
    async with session.get(f"{stage.app_url}/about") as answer:
        return answer.status
