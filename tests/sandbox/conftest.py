"""Entra over TLS and Graph, each on a free port, in the test's own event loop."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme

from sandbox.entra import Entra
from sandbox.graph import Graph
from sandbox.world import World, clinic
from tests.sandbox.gets import Reader
from tests.sandbox.posts import Poster

# The two types that Microsoft's pages use, and one whose template names the sender.
MANIFEST: dict[str, Any] = {
    "activities": {
        "activityTypes": [
            {
                "type": "pendingFinanceApprovalRequests",
                "description": "Finance requests are waiting",
                "templateText": "You have {pendingRequestCount} requests waiting",
            },
            {
                "type": "deploymentApprovalRequired",
                "description": "A deployment waits for approval",
                "templateText": "New deployment requires your approval {deploymentId}",
            },
            {
                "type": "shiftSwap",
                "description": "Somebody wants to swap a shift",
                "templateText": "{actor} wants to swap {shift} for {wanted}",
            },
        ],
        "activityIcons": [{"id": "bell", "iconFile": "bell.png"}],
    }
}


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def world() -> World:
    return clinic(manifest=MANIFEST)


@pytest.fixture
async def entra(world: World, server_tls: ssl.SSLContext) -> AsyncIterator[Entra]:
    entra = Entra(world)
    await entra.start(server_tls)
    yield entra
    await entra.stop()


@pytest.fixture
async def graph(world: World, entra: Entra) -> AsyncIterator[Graph]:
    graph = Graph(world, entra)
    await graph.start()
    yield graph
    await graph.stop()


@pytest.fixture
async def session(ca_file: Path) -> AsyncIterator[aiohttp.ClientSession]:
    trust = ssl.create_default_context(cafile=str(ca_file))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as session:
        yield session


@pytest.fixture
def poster(graph: Graph, entra: Entra, session: aiohttp.ClientSession) -> Poster:
    graph.world.limits_enforced = False
    return Poster(graph, entra, session)


@pytest.fixture
def reader(graph: Graph, entra: Entra, session: aiohttp.ClientSession) -> Reader:
    return Reader(graph, entra, session)
