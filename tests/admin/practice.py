"""A registered application with Herald at its address, for the doctor to look at."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from bot.admin.checks.findings import Finding, Verdict
from bot.admin.doctor import examine
from bot.settings import Settings
from sandbox.stage import Stage
from tests.conftest import settings_of

NOBODY = "00000000-0000-4000-8000-000000000000"


class Practice:
    """A registered application, Herald at its address, and the doctor."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.registration = stage.entra.registration
        stage.environment(PUBLIC_URL=stage.app_url)
        self.document = self.registration.document

    def settings(self, **changed: str) -> Settings:
        return settings_of(self.stage.environment(PUBLIC_URL=self.stage.app_url, **changed))

    async def findings(
        self, *, app: Any = None, package: bytes | None = None, **changed: str
    ) -> list[Finding]:
        looked = examine(self.settings(**changed), app=app, manifest_package=package)
        return [finding async for _, finding in looked]

    async def wrongs(self, **changed: Any) -> list[Finding]:
        """What is wrong, each with one thing to do."""
        found = [one for one in await self.findings(**changed) if one.verdict is Verdict.WRONG]
        assert all(one.remedy for one in found)
        return found

    async def only_wrong(self, **changed: Any) -> str:
        [finding] = await self.wrongs(**changed)
        return f"{finding.sentence} {finding.remedy}"


@asynccontextmanager
async def answering(port: int, status: int) -> AsyncIterator[None]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()
        await asyncio.sleep(0)
