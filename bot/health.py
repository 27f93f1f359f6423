"""`/healthz`, `/readyz` and `/metrics`, on a port of their own: for those who run Herald.

They need no sign-in, so they say nothing about anybody, and listen on this machine alone unless
`METRICS_HOST` says otherwise.

`/healthz`: 200 as long as this process answers.
`/readyz`: 200 when the database answers, its tables are current, what is sealed can be read, and
calls from Teams can be checked; else 503. A line for each says so.
`/metrics`: 200 always; `herald_database_up` is 0 while the database is away.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from bot import metrics
from bot.errors import CannotStart, HeraldError
from bot.settings import Settings

log = structlog.get_logger(__name__)

_PATIENCE_S = 3.0  # those who ask wait no longer
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_IDLE_S = 75.0

# Nothing when all is well, else a sentence. May raise a HeraldError, whose sentence counts.
Check = Callable[[], Awaitable[str]]
# Brings the gauges up to date before they are read.
Look = Callable[[], Awaitable[None]]


class PortTaken(CannotStart):
    """Herald can't listen where METRICS_HOST and METRICS_PORT say. Is something else there?"""


def application(checks: Mapping[str, Check], look: Look) -> web.Application:
    """The three addresses as a web application of their own."""
    pages = _Pages(checks, look)
    app = web.Application()
    app.add_routes(
        [
            web.get("/healthz", pages.alive),
            web.get("/readyz", pages.ready),
            web.get("/metrics", pages.measured),
        ]
    )
    return app


@asynccontextmanager
async def listening(
    settings: Settings, checks: Mapping[str, Check], look: Look
) -> AsyncIterator[None]:
    """Serve them until it is left; not at all when `METRICS_PORT` is 0. Raises PortTaken."""
    if not settings.metrics_port:
        yield
        return
    app = application(checks, look)
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=_IDLE_S, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, settings.metrics_host, settings.metrics_port).start()
        except OSError:
            raise PortTaken from None
        yield
    finally:
        await runner.cleanup()


class _Pages:
    def __init__(self, checks: Mapping[str, Check], look: Look) -> None:
        self._checks = checks
        self._look = look

    async def alive(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n", headers=_HEADERS)

    async def ready(self, _request: web.Request) -> web.Response:
        said = await asyncio.gather(*(_asked(check) for check in self._checks.values()))
        wrong = {name: words for name, words in zip(self._checks, said, strict=True) if words}
        lines = [f"{name}: {wrong.get(name, 'ok')}\n" for name in self._checks]
        if wrong:
            log.warning("not_ready", checks=sorted(wrong))
        return web.Response(text="".join(lines), status=503 if wrong else 200, headers=_HEADERS)

    async def measured(self, _request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._look()
            metrics.UP.set(1)
        except (HeraldError, TimeoutError):
            # What it would have said is not known any more: better none than an old number.
            metrics.UP.set(0)
            metrics.BATCHES.clear()
            metrics.OVERDUE.clear()
        metrics.TASKS.set(len(asyncio.all_tasks()))
        headers = {**_HEADERS, "Content-Type": metrics.CONTENT_TYPE}
        return web.Response(body=metrics.exposed(), headers=headers)


async def _asked(check: Check) -> str:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await check()
    except TimeoutError:
        return "No answer in time."
    except HeraldError as error:
        return error.sentence
