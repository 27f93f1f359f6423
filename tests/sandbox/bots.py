"""A small bot at the endpoint: hears, answers what it is told to, and calls the Connector."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp import web

from sandbox.stage import Stage


@dataclass(frozen=True)
class Reply:
    status: int
    body: Any


class Bot:
    """`answers` is the body of every answer, or a function of what was heard."""

    def __init__(self, stage: Stage, session: aiohttp.ClientSession) -> None:
        self.stage = stage
        self.heard: list[dict[str, Any]] = []
        self.answers: Any = None
        self._session = session
        self._token = ""

    async def handle(self, request: web.Request) -> web.Response:
        activity = await request.json()
        self.heard.append(activity)
        body = self.answers(activity) if callable(self.answers) else self.answers
        return web.json_response(body) if body is not None else web.Response()

    async def call(self, method: str, path: str, **options: Any) -> Reply:
        """Call the Connector with a token of the bot's own."""
        headers = {"Authorization": f"Bearer {self._token or await self._sign_in()}"}
        url = f"{self.stage.connector.url}/amer{path}"
        async with self._session.request(method, url, headers=headers, **options) as answer:
            raw = await answer.text()
            return Reply(answer.status, await answer.json() if raw else None)

    async def _sign_in(self) -> str:
        world = self.stage.world
        form = {
            "grant_type": "client_credentials",
            "client_id": world.app_id,
            "client_secret": world.app_secret,
            "scope": "https://api.botframework.com/.default",
        }
        url = f"{self.stage.entra.url}/{world.tenant_id}/oauth2/v2.0/token"
        async with self._session.post(url, data=form) as answer:
            self._token = (await answer.json())["access_token"]
        return self._token


@asynccontextmanager
async def serving(stage: Stage) -> AsyncIterator[Bot]:
    """A bot that listens where the stage's client sends its activities."""
    connector = aiohttp.TCPConnector(ssl=stage.trust())
    async with aiohttp.ClientSession(connector=connector) as session:
        bot = Bot(stage, session)
        app = web.Application()
        app.router.add_post("/api/messages", bot.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", stage.app_port).start()
        yield bot
        await runner.cleanup()
