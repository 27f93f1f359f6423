"""`python -m sandbox`: Herald with stand-ins for Entra, Graph and Teams around it."""

import argparse
import asyncio
import contextlib
import errno
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path

from sandbox.child import App, AppDied
from sandbox.page import MODULES, VENDOR, Page
from sandbox.playground import PATH, Playground
from sandbox.stage import Stage
from sandbox.world import ROOT, clinic

DEFAULT_PORT = 8700
_PLAYGROUND = """
  For Microsoft's own local client, in another terminal:

      cd {folder}
      npx @microsoft/m365agentsplayground start -c msteams -e {url}{path}
"""
_READY = """
  Herald is ready. Open this in a browser:

      {url}

  Six people of a small clinic are there to try it with. Everything stays on this computer.
  What the app prints is in {log}
  Ctrl-C stops everything.
"""


class NotReady(Exception):
    """Something that the sandbox needs is missing or taken; the message says what to do."""


def main(arguments: list[str] | None = None) -> int:
    """Run until Ctrl-C; the exit status is 1 when it could not start or the app ended."""
    options = _options().parse_args(arguments)
    try:
        asyncio.run(_run(options))
    except KeyboardInterrupt:
        pass
    except (NotReady, AppDied) as error:
        print(f"\n{error}\n", file=sys.stderr)
        return 1
    print("Stopped.")
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="the page's port")
    parser.add_argument("--no-app", action="store_true", help="do not start app.py")
    parser.add_argument(
        "--app-port", type=int, default=0, help="where the app listens (default: any free port)"
    )
    parser.add_argument(
        "--playground",
        action="store_true",
        help="say how to start Microsoft's Agents Playground beside it",
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=ROOT / "build" / "sandbox",
        help="where the app's database and log are kept",
    )
    return parser


async def _run(options: argparse.Namespace) -> None:
    _check_modules()
    async with Stage(clinic(), state_dir=options.state_dir, app_port=options.app_port) as stage:
        page = Page(stage)
        await _open_page(page, options.port)
        try:
            await _stay(stage, page, options)
        finally:
            await page.stop()


def _check_modules() -> None:
    missing = [path for path in VENDOR.values() if not (MODULES / path).is_file()]
    if missing:
        raise NotReady(
            f"{missing[0]} is not in node_modules: run `npm ci` in {ROOT}, or `make run`, "
            "which does it."
        )


async def _open_page(page: Page, port: int) -> None:
    try:
        await page.start(port)
    except OSError as error:
        await page.stop()
        if error.errno not in {errno.EADDRINUSE, errno.EACCES, 10013, 10048}:
            raise
        raise NotReady(
            f"Port {port} is taken. Is a sandbox running already? "
            f"Stop it, or choose another: python -m sandbox --port {port + 1}"
        ) from None


async def _stay(stage: Stage, page: Page, options: argparse.Namespace) -> None:
    stop = _stop_event()
    log = options.state_dir / "app.log"
    environment = stage.environment()
    _forget_the_last_run(options.state_dir)
    if options.no_app:
        print(f"\n  The page: {page.url}\n  Start app.py yourself, with these variables:\n")
        print("\n".join(f"  {name}={value}" for name, value in environment.items()), flush=True)
        await stop.wait()
        return
    app = App(environment, stage.app_url, log)
    page.of_world.restart = lambda: app.restart(lambda: _forget_the_last_run(options.state_dir))
    try:
        await _until_stopped(app.start(), stop)
        if not stop.is_set():
            print(_READY.format(url=page.url, log=log), flush=True)
            if options.playground:
                folder = Playground(stage).configure(options.state_dir / "playground").parent
                print(_PLAYGROUND.format(folder=folder, url=page.url, path=PATH), flush=True)
            await _until_stopped(app.until_it_ends(), stop)
    finally:
        await app.stop()


def _forget_the_last_run(state_dir: Path) -> None:
    # The world starts anew each time, with new keys of Entra: tokens and chats that the app's
    # database kept from the last run would name things that are no more.
    for path in (*state_dir.glob("herald.sqlite3*"), state_dir / "app.log"):
        path.unlink(missing_ok=True)


async def _until_stopped(work: Coroutine[None, None, None], stop: asyncio.Event) -> None:
    working = asyncio.ensure_future(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    # A stop from outside comes before whatever the app says about being stopped with us.
    if stop.is_set():
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError, AppDied):
            await working
    else:
        await working


def _stop_event() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    return stop


if __name__ == "__main__":
    sys.exit(main())
