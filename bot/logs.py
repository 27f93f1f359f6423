"""The log: one line of JSON for each event, to standard error.

No line quotes an exception's own words: they can hold what a person wrote, a phone number, or a
whole header with its token. What is told of an exception is its type and its way through the code,
for our own events as for those of the libraries, which log through `logging`.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

from bot.settings import Settings

_FRAMES = 12
_DEPTH = 4  # of causes


def set_up_logging(settings: Settings) -> None:
    """For the whole process, at the level that the settings say."""
    level = logging.getLevelNamesMapping()[settings.log_level]
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr)
    keep_words_out()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            type_and_way,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def way_of(error: BaseException) -> list[str]:
    """Where an exception came through, outermost first: `file:line function`, without any value."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def type_and_way(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A structlog processor: in the place of `exc_info` the types and the way."""
    error = _error_of(event.pop("exc_info", None))
    if error is not None:
        event["error"] = _types(error)
        event["way"] = way_of(error)
    return event


def keep_words_out() -> None:
    """Let no library's log record carry an exception's words, whoever handles it.

    aiohttp.server logs misshapen requests with the header that was wrong, and asyncio puts an
    exception's words into its message.
    """
    if logging.getLogRecordFactory() is not _record:
        logging.setLogRecordFactory(_record)


def _record(*args: Any, **kwargs: Any) -> logging.LogRecord:
    record = logging.LogRecord(*args, **kwargs)
    error = record.exc_info[1] if record.exc_info else None
    if record.name == "asyncio":
        # "Task exception was never retrieved", and then the task with its exception's words.
        record.msg, record.args = record.getMessage().split("\n")[0], ()
    if error is not None:
        message = record.getMessage()
        message = message.replace(str(error), "…") if str(error) else message
        record.msg, record.args = f"{message} [{_types(error)}: {', '.join(way_of(error))}]", ()
        record.exc_info, record.exc_text = None, None
    return record


def _error_of(found: Any) -> BaseException | None:
    if isinstance(found, BaseException):
        return found
    if isinstance(found, tuple) and len(found) == 3:
        return found[1] if isinstance(found[1], BaseException) else None
    return sys.exc_info()[1] if found else None


def _types(error: BaseException) -> str:
    """The type, and those of what caused it: `KeyError from TimeoutError`."""
    names, cause = [type(error).__name__], error.__cause__ or error.__context__
    while cause is not None and len(names) < _DEPTH:
        names.append(type(cause).__name__)
        cause = cause.__cause__ or cause.__context__
    return " from ".join(names)
