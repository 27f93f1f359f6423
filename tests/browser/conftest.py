"""A sandbox with the real app in it, and a headless Chromium in front of it.

`HERALD_REQUIRE_BROWSER=1` makes a missing Chromium a failure instead of a skip.
`SAVE_SCREENSHOTS=1` renews the pictures in `docs/images`; otherwise they go to a temporary place.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from sandbox.world import ROOT, Faults

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TEAMS_ADDRESSES = "https://res.cdn.office.net/**"
expect.set_options(timeout=20_000)
Opener = Callable[..., Page]


# Not for the session: while playwright is open it holds the thread's event loop, and the
# asynchronous tests of other modules could not run.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        refuse = pytest.fail if os.environ.get("HERALD_REQUIRE_BROWSER") == "1" else pytest.skip
        refuse("no Chromium was found; set CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()


# Not for the session either: each module begins in a clinic where nothing has happened yet.
@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`python -m sandbox` as a person starts it; the address of its page."""
    state = tmp_path_factory.mktemp("sandbox")
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", "0", "--state-dir", str(state)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    output = ""
    while not (found := re.search(r"http://localhost:\d+", output)):
        line = process.stdout.readline()
        assert line, f"the sandbox did not start:\n{output}"
        output += line
    yield found[0]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)


@pytest.fixture
def open_page(chromium: Browser, sandbox: str) -> Iterator[Opener]:
    """Opens the page as one person; at the end nothing may have gone wrong on it.

    A request to anywhere but this page's own origin is something that went wrong.
    """
    contexts: list[Any] = []
    problems: list[str] = []

    def opener(name: str, *, width: int = 1280, height: int = 800, scheme: str = "light") -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        context.set_default_timeout(20_000)
        # Where the Teams library looks up which addresses are Teams' own; it can do without.
        context.route(TEAMS_ADDRESSES, lambda route: route.fulfill(json={"validOrigins": []}))
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: said.type == "error" and problems.append(said.text))
        page.on("request", lambda request: _outside(request.url, sandbox, problems))
        page.goto(sandbox)
        become(page, name)
        return page

    yield opener
    if contexts:
        # Whatever a test switched on, also one that failed half-way.
        contexts[0].request.post(f"{sandbox}/sandbox/faults", data=asdict(Faults()))
    for context in contexts:
        context.close()
    assert problems == []


def _outside(url: str, sandbox: str, problems: list[str]) -> None:
    if not url.startswith((sandbox, "data:", "blob:", TEAMS_ADDRESSES.removesuffix("**"))):
        problems.append(f"a request to {url}")


def become(page: Page, name: str) -> None:
    """Switch to this person, in a wide window or a narrow one, and wait for the chat."""
    page.locator("#me[data-person]").wait_for()
    page.locator("#me").click()
    page.locator(f'#people-sheet [data-name="{name}"]').click()
    page.locator(f'#me[aria-label^="You are {name}"]').wait_for()
    page.locator(".message.bot .card").first.wait_for()


@pytest.fixture
def picture(tmp_path: Path) -> Callable[[Page, str], None]:
    """Saves a screenshot under a name, for README when it was asked for."""
    asked = os.environ.get("SAVE_SCREENSHOTS") == "1"
    folder = ROOT / "docs" / "images" if asked else tmp_path

    def save(page: Page, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / f"{name}.png", animations="disabled")

    return save
