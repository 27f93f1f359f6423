"""How the web application is served: what a connection may cost, and for how long."""

import contextlib

import structlog
from aiohttp import web

from bot.settings import Settings

log = structlog.get_logger(__name__)

# How long a connection may be silent, or take for a request's headers. Longer than the minute for
# which proxies keep theirs, so that it is the proxy who closes.
IDLE_S = 75.0
_OPEN_FILES = 65_536


def run(app: web.Application, settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl+C; then let what is under way end. Raises CannotStart."""
    allow_many_connections()

    def listening(_banner: str) -> None:
        log.info("herald.listening", host=settings.host, port=settings.port)

    web.run_app(
        app,
        host=settings.host,
        port=settings.port,
        print=listening,  # aiohttp's banner, at the moment that requests are taken
        access_log=None,  # addresses of the sign-in pages carry codes
        keepalive_timeout=IDLE_S,
    )


def allow_many_connections() -> None:
    """Raise this process's limit of open files as far as it may: idle callers cost one each."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # Windows has no such limit
        import resource  # noqa: PLC0415 - see above

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
