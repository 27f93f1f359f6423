"""`deploy/Caddyfile` in a real Caddy, with two copies of Herald on one PostgreSQL behind it."""

import asyncio
import os
import shutil
import struct
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.settings import ROOT
from sandbox.stage import Stage, free_port
from tests.desk import Desk
from tests.postgres import Postgres
from tests.processes import Process, fork_app, kill_all

CADDYFILE = (ROOT / "deploy" / "Caddyfile").read_text("utf-8")
CADDY = shutil.which("caddy", path=str(Path(sys.executable).parent)) or "caddy"
HOSTS = ("127.0.0.1", "127.0.0.2")
# Only Linux has all of 127.0.0.0/8 without being told; for Windows there is no wheel of Caddy's.
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs 127.0.0.2")


class NameServer(asyncio.DatagramProtocol):
    """Knows one name, with whichever addresses it has now."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, caller: tuple[str, int]) -> None:
        """Answer with all addresses (RFC 1035, 4.1); another kind than A has none."""
        end = data.index(0, 12) + 5
        is_a = data[end - 4 : end - 2] == b"\0\1"
        found = self.addresses if is_a else []
        head = data[:2] + struct.pack(">HHHHH", 0x8580, 1, len(found), 0, 0)
        rows = [
            b"\xc0\x0c" + struct.pack(">HHIH4B", 1, 1, 0, 4, *map(int, address.split(".")))
            for address in found
        ]
        self._transport.sendto(head + data[12:end] + b"".join(rows), caller)


@dataclass
class Site:
    """The proxy, the name that it looks up, and the copies of Herald with that name."""

    stage: Stage
    environment: dict[str, str]
    names: NameServer
    url: str
    copies: dict[str, Process]

    async def start(self, host: str) -> None:
        self.copies[host] = await fork_app(self.environment | {"HOST": host})
        await self.copies[host].until("herald.listening", timeout_s=60)
        self.names.addresses = [*self.names.addresses, host]

    async def stop(self, host: str) -> None:
        """As an engine does: the process ends, then its name."""
        await self.copies[host].stop()
        await asyncio.sleep(0.2)
        self.names.addresses.remove(host)


@pytest.fixture
async def site(stage: Stage, postgres: Postgres, tmp_path: Path) -> AsyncIterator[Site]:
    stage.connector.pace.enforced = False
    port, front = free_port(), free_port()
    environment = stage.environment(DATABASE_URL=postgres.new(), PORT=str(port))
    copies: dict[str, Process] = {}
    async with names_served() as (names, names_port), proxy(port, names_port, front, tmp_path):
        url = f"http://127.0.0.1:{front}"
        stage.teams.endpoint = f"{url}/api/messages"
        yield Site(stage, environment, names, url, copies)
        await kill_all(copies.values())


@asynccontextmanager
async def names_served() -> AsyncIterator[tuple[NameServer, int]]:
    loop = asyncio.get_running_loop()
    transport, names = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    yield names, transport.get_extra_info("sockname")[1]
    transport.close()


@asynccontextmanager
async def proxy(port: int, names_port: int, front: int, folder: Path) -> AsyncIterator[None]:
    """Caddy with the file as it is, but for the port and where names are asked."""
    named = f"dynamic a herald {port} {{\n\t\t\tresolvers 127.0.0.1:{names_port}"
    changed = CADDYFILE.replace("dynamic a herald 3978 {", named)
    assert changed != CADDYFILE
    file = folder / "Caddyfile"
    file.write_text("{\n\tadmin off\n}\n" + changed, "utf-8")
    process = await asyncio.create_subprocess_exec(
        *(CADDY, "run", "--adapter", "caddyfile", "--config", str(file)),
        env=caddy_environment(f"http://127.0.0.1:{front}", folder),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


def caddy_environment(domain: str, folder: Path) -> dict[str, str]:
    kept = {"XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder), "HOME": str(folder)}
    return os.environ | kept | {"PUBLIC_DOMAIN": domain}


async def test_the_file_is_one_that_caddy_takes_with_a_certificate_of_its_own(
    tmp_path: Path,
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(CADDY, "adapt", "--validate", "--adapter", "caddyfile"),
        *("--config", str(ROOT / "deploy" / "Caddyfile")),
        env=caddy_environment("herald.contoso.com", tmp_path),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert b'"host":["herald.contoso.com"]' in out
    assert b'":443"' in out
    assert b"not formatted" not in err


async def test_a_copy_that_is_stopped_or_started_costs_nobody_an_answer(
    site: Site, at_desk: Callable[[str], Desk]
) -> None:
    adele = at_desk("Adele")
    for host in HOSTS:
        await site.start(host)
    async with aiohttp.ClientSession() as session:
        await _until_it_answers(session, site.url)
    await adele.teams.install(adele.person)
    statuses: list[int] = []
    talking = asyncio.create_task(_talk(adele, statuses))
    try:
        for host in HOSTS:
            await _some_turns(statuses)
            await site.stop(host)
            await _some_turns(statuses)
            await site.start(host)
        await _some_turns(statuses)
    finally:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
    assert set(statuses) == {200}, statuses


async def _until_it_answers(session: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                async with session.post(f"{url}/api/messages", json={}) as answer:
                    if answer.status == 401:
                        return
            except aiohttp.ClientConnectionError:
                pass  # Caddy starts
            await asyncio.sleep(0.1)


async def _talk(desk: Desk, statuses: list[int]) -> None:
    while True:
        statuses.append(await desk.teams.say(desk.person, "help"))
        await asyncio.sleep(0.02)


async def _some_turns(statuses: list[int], most: int = 15) -> None:
    wanted = len(statuses) + most
    async with asyncio.timeout(60):
        while len(statuses) < wanted:
            await asyncio.sleep(0.05)
