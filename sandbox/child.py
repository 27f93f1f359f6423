"""`app.py` as the sandbox's own process."""

import asyncio
import os
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

import aiohttp

from sandbox.world import ROOT

_STOP_S = 10.0
_LAST_LINES = 40


class AppDied(Exception):
    """The app ended by itself, or did not answer in time; the message carries its last output."""


class App:
    """One run of `app.py`. Everything it prints goes to `log`, and its last lines are kept."""

    def __init__(self, environment: dict[str, str], url: str, log: Path) -> None:
        self._environment = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
        self._url = url
        self._log = log
        self._lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._restarting: asyncio.Future[None] | None = None

    async def start(self, *, patience_s: float = 60.0) -> None:
        """Start it and wait until it answers HTTP, with whatever status.

        Raises:
            AppDied: it ended first, or `patience_s` are over.
        """
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "app.py",
            cwd=ROOT,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._reading = asyncio.create_task(self._read())
        try:
            async with asyncio.timeout(patience_s), aiohttp.ClientSession() as session:
                while not await self._answers(session):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise self._died(f"app.py did not answer within {patience_s:.0f} seconds") from None

    async def until_it_ends(self) -> None:
        """Return never, but raise `AppDied` when the app ends, and was not stopped by `restart`."""
        if self._process is None or self._reading is None:
            raise RuntimeError("the app was not started")
        while True:
            await self._process.wait()
            if self._restarting is None:
                break
            await asyncio.shield(self._restarting)
        await self._say_that_it_ended(self._process)

    async def restart(self, between: Callable[[], None]) -> None:
        """Stop it, do what is to be done while it is not running, and start it again.

        Raises:
            AppDied: it did not start again; `until_it_ends` raises it too.
        """
        if self._restarting is not None:
            await asyncio.shield(self._restarting)
            return
        self._restarting = asyncio.ensure_future(self._again(between))
        try:
            await asyncio.shield(self._restarting)
        finally:
            self._restarting = None

    async def _again(self, between: Callable[[], None]) -> None:
        await self.stop()
        between()
        await self.start()

    async def stop(self) -> None:
        """Ask it to end, and insist after ten seconds."""
        process = self._process
        if process is None or self._reading is None:
            return
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            process.kill()
        await process.wait()
        await self._reading

    async def _say_that_it_ended(self, process: asyncio.subprocess.Process) -> None:
        if self._reading is not None:
            await self._reading
        raise self._died(f"app.py ended with status {process.returncode}")

    async def _answers(self, session: aiohttp.ClientSession) -> bool:
        if self._process is not None and self._process.returncode is not None:
            await self._say_that_it_ended(self._process)
        try:
            async with session.get(self._url):
                return True
        except aiohttp.ClientError:
            return False

    async def _read(self) -> None:
        stream = self._process.stdout if self._process is not None else None
        if stream is None:
            return
        with self._log.open("ab") as log:
            # Chunks, not lines: one very long line must not end the reading.
            rest = b""
            while chunk := await stream.read(65536):
                log.write(chunk)
                log.flush()
                *whole, rest = (rest + chunk).split(b"\n")
                self._lines.extend(line.decode("utf-8", "replace") for line in whole)
            if rest:
                self._lines.append(rest.decode("utf-8", "replace"))

    def _died(self, what: str) -> AppDied:
        output = "\n".join(f"  | {line}" for line in self._lines) or "  (it printed nothing)"
        return AppDied(f"{what}. Its last output:\n{output}")
