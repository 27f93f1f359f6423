"""The Graph client against the stand-in, and against servers that behave as no Graph should."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.graph.client import Graph, open_session
from bot.identity.permissions import MEETINGS, NOTIFY, TEXT
from sandbox.stage import Stage
from sandbox.world import Person

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Serve = Callable[[Answer], AbstractAsyncContextManager[Graph]]


class Desk:
    """Graph, and tokens for the people of the clinic."""

    def __init__(self, stage: Stage, graph: Graph) -> None:
        self.stage = stage
        self.world = stage.world
        self.graph = graph

    def token(self, name: str, scopes: tuple[str, ...] = NOTIFY + TEXT + MEETINGS) -> str:
        return self.stage.entra.tokens.graph_token(self.world.named(name), scopes)

    def person(self, name: str) -> Person:
        return self.world.named(name)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as session:
        yield session


@pytest.fixture
async def desk(stage: Stage, session: aiohttp.ClientSession) -> Desk:
    return Desk(stage, Graph(stage.graph.url, session))


@pytest.fixture
def serve(session: aiohttp.ClientSession) -> Serve:
    """A server of the test's own: `async with serve(answer) as graph: …`."""

    @asynccontextmanager
    async def serving(answer: Answer) -> AsyncIterator[Graph]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        server = TestServer(app)
        await server.start_server()
        graph = Graph(str(server.make_url("/")), session, timeout_s=1, patience_s=1)
        try:
            yield graph
        finally:
            await server.close()
            await asyncio.sleep(0)

    return serving
