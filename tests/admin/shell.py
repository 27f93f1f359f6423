"""`python -m bot …` as an administrator types it, beside whatever runs."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from bot.settings import ROOT

_PATIENCE_S = 60


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


async def bot(environment: Mapping[str, str], *arguments: str) -> Ran:
    """One command in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-W", "error", "-m", "bot"),
        *arguments,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), _PATIENCE_S)
    assert process.returncode is not None
    assert b"Traceback" not in err, err.decode()
    return Ran(process.returncode, out.decode(), err.decode())
