"""A Python process that does one thing and says what it measured, as one line of JSON."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import Coroutine
from typing import Any


async def measured(module: str, *arguments: str) -> dict[str, Any]:
    """Run `python -m module arguments…` to its end; its last line is what it measured."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, stdout=PIPE
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, f"{module} failed"
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


def tell(measuring: Coroutine[Any, Any, dict[str, Any]]) -> None:
    """In that process: measure, and say it."""
    print(json.dumps(asyncio.run(measuring)), flush=True)
