"""What every command has in common: exit codes, one-sentence errors, tables and progress bars.

Exit codes: 0 all is well; 1 something is wrong, or was not done; 2 Herald is not set up, or the
command was mistyped; 3 a fault of Herald's own.
"""

import json
import logging
import sys
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Any, NoReturn

import structlog
import typer

from bot.errors import SettingsError
from bot.settings import Settings, read_settings


class Exit(IntEnum):
    """What a command's exit code says."""

    WELL = 0
    FAILED = 1
    NOT_SET_UP = 2
    OWN_FAULT = 3


def read() -> Settings:
    """The settings, or the end of the command with a line for each that is wrong."""
    try:
        return read_settings()
    except SettingsError as error:
        stop(f"Herald is not set up:\n{error}", Exit.NOT_SET_UP)


def stop(message: str, code: Exit = Exit.FAILED) -> NoReturn:
    """Say this on standard error, and end the command."""
    typer.echo(message, err=True)
    raise typer.Exit(int(code))


def say(message: str = "") -> None:
    """A line on standard output."""
    typer.echo(message)


def say_json(value: Any) -> None:
    """A value for another program: UTF-8, indented, keys in our order."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as they need to be, also where the output is a file."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def bar(length: int, label: str) -> Any:
    """A progress bar on standard error; a plain label where that is no terminal."""
    return typer.progressbar(length=length, label=label, file=sys.stderr, show_pos=True)


def quiet() -> None:
    """A command's own sentences say what happened: the log's lines would only repeat it."""
    logging.basicConfig(level=logging.CRITICAL)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
