"""Herald: `python app.py` reads the settings, builds the web application and runs it."""

import logging
import sys

import structlog
from aiohttp import web

from bot.errors import SettingsError
from bot.settings import Settings, read_settings
from bot.wiring import build_app


def main() -> int:
    """Run until stopped. Returns the process's exit code."""
    try:
        settings = read_settings()
    except SettingsError as error:
        print(f"Herald is not set up:\n{error}", file=sys.stderr)  # noqa: T201
        return 2
    set_up_logging(settings)
    web.run_app(build_app(settings), host=settings.host, port=settings.port, print=None)
    return 0


def set_up_logging(settings: Settings) -> None:
    """One line of JSON for each event, to standard error."""
    level = logging.getLevelNamesMapping()[settings.log_level]
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


if __name__ == "__main__":
    sys.exit(main())
