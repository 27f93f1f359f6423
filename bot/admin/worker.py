"""`python -m bot worker`: a process that sends, without a web server."""

import asyncio
import contextlib
import signal

from bot.logs import set_up_logging
from bot.settings import Settings
from bot.wiring import run_worker


def run(settings: Settings) -> None:
    """Work until SIGTERM or Ctrl+C; then finish what is on the wire. Raises CannotStart."""
    set_up_logging(settings)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_until_told(settings))


async def _until_told(settings: Settings) -> None:
    work = asyncio.create_task(run_worker(settings))
    for number in (signal.SIGTERM, signal.SIGINT):
        # Windows has no such handlers: there Ctrl+C cancels us, which is the same.
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await work
