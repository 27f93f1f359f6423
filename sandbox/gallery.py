"""The gallery of cards: what `python -m tests.cards` prints, each time the page asks for it anew.

The stand-ins know none of the product's code, so the cards are drawn by a process of their own, as
the app runs in one.
"""

import asyncio
import sys

from aiohttp import web

from sandbox.world import ROOT

_PATIENCE_S = 60.0


class Gallery:
    """Draws the cards once, and again only after a failure."""

    def __init__(self) -> None:
        self._drawn = b""
        self._drawing = asyncio.Lock()

    async def answer(self, _: web.Request) -> web.Response:
        """`[{"card", "sample", "provoked", "payload"}, …]`, or 503 and why."""
        async with self._drawing:
            self._drawn = self._drawn or await _draw()
        return web.Response(body=self._drawn, content_type="application/json")


async def _draw() -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.cards",
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        printed, complaint = await asyncio.wait_for(process.communicate(), _PATIENCE_S)
    except TimeoutError:
        process.kill()
        raise web.HTTPServiceUnavailable(text="Drawing the cards took too long.") from None
    if process.returncode:
        last = complaint.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise web.HTTPServiceUnavailable(text=f"The cards could not be drawn: {last}")
    return printed
