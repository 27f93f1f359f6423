"""The server stops: what is asked on an open connection just then is answered."""

import asyncio
import socket

import pytest
from aiohttp import web

from bot import server
from sandbox.stage import Stage
from tests.conftest import settings_of

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
ASKED = b"GET / HTTP/1.1\r\nHost: herald\r\n\r\n"


async def connected(port: int) -> Streams:
    async with asyncio.timeout(20):
        while True:
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)


async def nobody_more(port: int) -> None:
    """Until nobody new is taken."""
    async with asyncio.timeout(20):
        while True:
            with socket.socket() as caller:
                if caller.connect_ex(("127.0.0.1", port)):
                    return
            await asyncio.sleep(0.01)


async def asked(streams: Streams) -> str:
    """What is answered, with its headers; nothing where the connection was closed."""
    reader, writer = streams
    writer.write(ASKED)
    async with asyncio.timeout(20):
        head = await reader.readuntil(b"\r\n\r\n")
        return head.decode() + (await reader.readexactly(4)).decode()


async def is_closed(streams: Streams) -> bool:
    async with asyncio.timeout(20):
        return await streams[0].read() == b""


async def test_each_connection_gets_one_more_answer_which_says_that_it_is_the_last(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_QUIET_S", 5.0)  # however busy the machine is
    settings = settings_of(stage.environment())
    app = web.Application()

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text="here")

    app.add_routes([web.get("/", page)])
    serving = asyncio.create_task(server.serve(app, settings))
    busy, silent = await connected(settings.port), await connected(settings.port)
    assert "Connection: close" not in await asked(busy)
    serving.cancel()
    await nobody_more(settings.port)
    last = await asked(busy)
    assert last.startswith("HTTP/1.1 200")
    assert last.endswith("here")
    assert "Connection: close" in last
    assert await is_closed(busy)

    assert not serving.done()
    monkeypatch.setattr(server, "_QUIET_S", 0.0)
    assert await is_closed(silent)
    await serving
    for _, writer in (busy, silent):
        writer.close()


async def test_a_second_signal_ends_at_once_what_the_first_one_began(stage: Stage) -> None:
    settings = settings_of(stage.environment())
    app, ending = web.Application(), asyncio.Event()

    async def for_ever(_app: web.Application) -> None:
        ending.set()
        await asyncio.Event().wait()

    app.on_cleanup.append(for_ever)
    serving = asyncio.create_task(server.serve(app, settings))
    _, writer = await connected(settings.port)
    writer.close()
    serving.cancel()
    async with asyncio.timeout(20):
        await ending.wait()
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
