"""What stands around a bot while its turns are measured, in a process of its own.

Entra, the channel's keys and the people are the sandbox's. Where replies go, and where the SDK's
bot gets its token, are servers that do next to nothing, so that they are not what is measured.
"""

import asyncio
import json
import ssl
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trustme

from bench.http1 import Answering, response, serve
from sandbox import actions, activities
from sandbox.stage import Stage as Sandbox

_TOKENS = 8  # the channel uses one token for many activities, and not only one
_POSTED = b'{"id":"1700000000000"}'


class _Connector(Answering):
    """Takes whatever the bot posts, and counts it."""

    def __init__(self) -> None:
        self.posted = 0

    def answer(self, head: bytes, _body: bytes, /) -> bytes:
        if head.startswith(b"GET /bench/posted"):
            return response(200, json.dumps({"posted": self.posted}).encode())
        self.posted += 1
        return response(201, _POSTED)


class _Tokens(Answering):
    """As much of an authority as MSAL asks for: where its tokens are, and a token."""

    def __init__(self) -> None:
        self.url = ""

    def answer(self, head: bytes, _body: bytes, /) -> bytes:
        if head.startswith(b"GET "):
            found = {
                "issuer": f"{self.url}/adfs",
                "authorization_endpoint": f"{self.url}/adfs/authorize",
                "token_endpoint": f"{self.url}/adfs/token",
            }
        else:
            found = {"access_token": "e" * 1200, "expires_in": 3600, "token_type": "Bearer"}
        return response(200, json.dumps(found).encode())


@dataclass(frozen=True)
class Around:
    """What the benchmark has to know of the stage. `environment` is what Herald starts with."""

    environment: dict[str, str]
    app_id: str
    tenant_id: str
    user_id: str
    token_authority: str
    metadata_url: str
    connector_url: str
    message: dict[str, Any]  # an activity as Teams sends it to this bot, of a signed-in person
    tokens: list[str]
    meeting: str


class Stage:
    """`async with Stage(folder) as stage`: then `stage.around`, `await stage.sign_in()`."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.process: Process

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", __spec__.name, self._folder, stdin=PIPE, stdout=PIPE, limit=2**20
        )
        self.around = Around(**await self._ask())
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        await self.process.wait()

    async def sign_in(self) -> dict[str, str]:
        """Install Herald for the person and sign in; the values that an empty text form has."""
        found: dict[str, str] = await self._ask("sign in")
        return found

    async def _ask(self, word: str = "") -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if word:
            self.process.stdin.write(f"{word}\n".encode())
        return json.loads(await self.process.stdout.readline())


async def _stand(folder: str) -> None:
    connector, tokens = _Connector(), _Tokens()
    async with Sandbox(state_dir=Path(folder)) as sandbox:
        authority = trustme.CA()
        trusted = sandbox.ca_file.read_bytes() + authority.cert_pem.bytes()
        sandbox.ca_file.write_bytes(trusted)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(server)
        connector_port = await serve(connector)
        tokens.url = f"https://localhost:{await serve(tokens, server)}"
        service_url = f"http://127.0.0.1:{connector_port}/amer/"
        _tell(_around(sandbox, service_url, tokens.url))
        while await asyncio.to_thread(sys.stdin.readline):
            _tell(await _signed_in(sandbox))


def _around(sandbox: Sandbox, service_url: str, token_url: str) -> dict[str, Any]:
    person = sandbox.world.named("Adele")
    chat = sandbox.teams.chat(person)
    message = activities.message(sandbox.world, person, chat, "help", serviceUrl=service_url)
    channel = sandbox.connector.channel
    meeting = next(m for m in sandbox.world.meetings.values() if m.organizer_id == person.id)
    return {
        "environment": sandbox.environment(),
        "app_id": sandbox.world.app_id,
        "tenant_id": person.tenant_id,
        "user_id": person.id,
        "token_authority": f"{token_url}/adfs",
        "metadata_url": sandbox.connector.metadata_url,
        "connector_url": service_url,
        "message": message,
        "tokens": [
            channel.sign(service_url, expires_in_s=3600 + number) for number in range(_TOKENS)
        ],
        "meeting": meeting.join_url,
    }


async def _signed_in(sandbox: Sandbox) -> dict[str, str]:
    person = sandbox.world.named("Adele")
    await sandbox.teams.install(person)
    await sandbox.teams.say(person, "notify")
    await sandbox.teams.settled()
    await sandbox.teams.say(person, "text")
    await sandbox.teams.settled()
    values = actions.inputs(sandbox.teams.last_card(person))
    meetings = [
        choice["value"]
        for part in actions.elements(sandbox.teams.last_card(person))
        if part.get("id") == "meeting"
        for choice in part["choices"]
    ]
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    return values | {
        "meeting": meetings[-1],
        "phone_0": "(206) 342-8631",
        "when": "later",
        "when_date": tomorrow.date().isoformat(),
        "when_time": "09:00",
    }


def _tell(found: dict[str, Any]) -> None:
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    asyncio.run(_stand(sys.argv[1]))
