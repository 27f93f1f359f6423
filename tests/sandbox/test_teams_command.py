"""`python -m sandbox` as a process: it starts, says where, stops, and explains what is wrong."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.child import App, AppDied
from sandbox.world import ROOT


def start(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_a_taken_port_is_said_in_a_sentence(taken: int, tmp_path: Path) -> None:
    with start("--no-app", "--port", str(taken), "--state-dir", str(tmp_path)) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"Port {taken} is taken" in output
    assert "Traceback" not in output


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_it_serves_the_page_and_stops_when_it_is_told_to(tmp_path: Path) -> None:
    with start("--no-app", "--port", "0", "--state-dir", str(tmp_path)) as process:
        assert process.stdout is not None
        lines = []
        while "SSL_CERT_FILE" not in (lines[-1] if lines else ""):
            lines.append(process.stdout.readline())
            assert lines[-1], "it ended before it was ready"
        url = re.findall(r"http://localhost:\d+", "".join(lines))[0]
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310
            assert b"Herald" in answer.read()
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Stopped." in rest


async def test_an_app_that_dies_is_quoted(tmp_path: Path) -> None:
    environment = {"MICROSOFT_APP_ID": "not a guid", "PUBLIC_URL": "x", "SECRET_KEYS": "short"}
    app = App(environment, "http://127.0.0.1:9/", tmp_path / "app.log")
    with pytest.raises(AppDied, match=r"(?s)ended with status.*MICROSOFT_APP_ID"):
        await app.start()
    await app.stop()
    assert "MICROSOFT_APP_ID" in (tmp_path / "app.log").read_text("utf-8")
