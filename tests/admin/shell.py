"""`python -m bot …` as an administrator types it, beside whatever runs."""

import asyncio
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch

import structlog
from typer.testing import CliRunner

from bot.admin.cli import app
from bot.settings import ROOT, Settings

_PATIENCE_S = 60
_ONE_AT_A_TIME = threading.Lock()  # each has the process's environment and output to itself


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


async def bot(environment: Mapping[str, str], *arguments: str) -> Ran:
    """One command in a thread of this process, which has no database open but its own."""
    return await asyncio.to_thread(_typed, environment, arguments)


@contextmanager
def _app_keeps_quiet() -> Iterator[None]:
    """What an app in this process logs meanwhile would stand in the command's output."""
    before = structlog.get_config()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    try:
        yield
    finally:
        structlog.configure(**before)


def _typed(environment: Mapping[str, str], arguments: tuple[str, ...]) -> Ran:
    no_file = patch.dict(Settings.model_config, {"env_file": None})
    with _ONE_AT_A_TIME, _app_keeps_quiet(), patch.dict(os.environ, environment), no_file:
        result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Ran(result.exit_code, result.stdout, result.stderr)


async def process(environment: Mapping[str, str], *arguments: str) -> Ran:
    """The same in a process of its own."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error", "-m", "bot"),
        *arguments,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(child.communicate(), _PATIENCE_S)
    assert child.returncode is not None
    assert b"Traceback" not in err, err.decode()
    return Ran(child.returncode, out.decode(), err.decode())
