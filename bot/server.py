"""How the web application is served: what a connection may cost, and for how long."""

import asyncio
import contextlib
import signal

import structlog
from aiohttp import web

from bot.settings import Settings

log = structlog.get_logger(__name__)

# How long a connection may be silent, or take for a request's headers. Longer than the minute for
# which proxies keep theirs, so that it is the proxy who closes.
IDLE_S = 75.0
_OPEN_FILES = 65_536
# How long connections are kept when the server stops: until nothing came for this long, ...
_QUIET_S = 0.2
_LAST_S = 2.0  # ... or at most.


def run(app: web.Application, settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl+C; then let what is under way end. Raises CannotStart."""
    allow_many_connections()
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(serve(app, settings))


async def serve(app: web.Application, settings: Settings) -> None:
    """What `run` runs: serve until this task is cancelled. Raises CannotStart."""
    serving = asyncio.current_task()
    assert serving is not None  # noqa: S101 - this is a coroutine
    with contextlib.suppress(NotImplementedError):  # Windows has no SIGTERM
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    partings = _Partings(app)
    # No log of requests: addresses of the sign-in pages carry codes.
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=IDLE_S)
    try:
        await runner.setup()
        site = web.TCPSite(runner, settings.host, settings.port)
        await site.start()
        log.info("herald.listening", host=settings.host, port=settings.port)
        await _cancelled(serving)
        await site.stop()
        await partings.said(runner)
    finally:
        await runner.cleanup()


async def _cancelled(serving: asyncio.Task[object]) -> None:
    """Until the first SIGTERM or Ctrl+C; another one ends what is done after it."""
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    serving.uncancel()


class _Partings:
    """Tells whoever is connected that the server stops.

    A proxy keeps its connections, and may be writing a request to one of them just when it would be
    closed here; it does not send a POST again. So on each connection one more answer says that it
    was the last, and only those that stay silent are closed.
    """

    def __init__(self, app: web.Application) -> None:
        self._are_said = False
        self._last_answer_s = 0.0
        app.on_response_prepare.append(self._answered)

    async def _answered(self, _request: web.Request, response: web.StreamResponse) -> None:
        self._last_answer_s = asyncio.get_running_loop().time()
        if self._are_said:
            response.force_close()
            response.headers["Connection"] = "close"  # aiohttp has chosen its own by now

    async def said(self, runner: web.AppRunner) -> None:
        """Until no connection is open, or nothing comes any more."""
        self._are_said = True
        clock = asyncio.get_running_loop().time
        began = clock()
        while runner.server is not None and runner.server.connections:
            quiet_since = max(began, self._last_answer_s)
            if clock() > min(quiet_since + _QUIET_S, began + _LAST_S):
                return
            await asyncio.sleep(0.01)


def allow_many_connections() -> None:
    """Raise this process's limit of open files as far as it may: idle callers cost one each."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows has no such limit
        import resource  # noqa: PLC0415 - see above

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
