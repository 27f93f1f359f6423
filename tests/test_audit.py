"""`make audit` is loud where a flaw is known, and honest where nobody could be asked."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.settings import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of one locked package, of which no tool knows anything."""
    for name in (".ci", "docs"):
        (tmp_path / name).mkdir()
    (tmp_path / ".ci" / "audit.py").write_bytes((ROOT / ".ci" / "audit.py").read_bytes())
    locked(tmp_path, "2.0")
    (tmp_path / "docs" / "audit.md").write_text(
        "Looked at on 2026-11-01\n\n| `thing` | 2.0 | 1.5 | CVE-1 |\n", "utf-8"
    )
    answers(tmp_path, "")
    return tmp_path


def locked(folder: Path, version: str) -> None:
    text = f"thing=={version} \\\n    --hash=sha256:0\n"
    (folder / "requirements-dev.lock.txt").write_text(text, "utf-8")


def answers(folder: Path, output: Any) -> None:
    """What pip-audit prints from now on."""
    tool = folder / "tools" / "pip_audit"
    tool.mkdir(parents=True, exist_ok=True)
    text = output if isinstance(output, str) else json.dumps(output)
    (tool / "__init__.py").touch()
    (tool / "__main__.py").write_text(f"print({text!r})", "utf-8")


def audit(folder: Path, **more: str) -> tuple[int, str]:
    environment = {**os.environ, "PYTHONPATH": str(folder / "tools"), "PATH": "", **more}
    done = subprocess.run(
        [sys.executable, str(folder / ".ci" / "audit.py")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    return done.returncode, done.stdout


def found(*flaws: dict[str, Any]) -> dict[str, Any]:
    return {"dependencies": [{"name": "thing", "version": "2.0", "vulns": list(flaws)}]}


def test_a_known_flaw_fails_it_and_is_named(folder: Path) -> None:
    answers(folder, found({"id": "GHSA-1", "fix_versions": ["2.1"], "aliases": ["CVE-9"]}))
    code, said = audit(folder)
    assert code == 1
    assert "thing 2.0: GHSA-1, fixed in 2.1" in said


def test_no_known_flaw_is_well(folder: Path) -> None:
    answers(folder, found())
    code, said = audit(folder)
    assert code == 0
    assert "Known vulnerabilities: 0" in said


@pytest.mark.parametrize(
    "output", ["", "<html>no</html>", {"dependencies": [{"name": "thing", "skip_reason": "404"}]}]
)
def test_where_nobody_can_be_asked_it_warns_and_says_when_somebody_looked(
    folder: Path, output: Any
) -> None:
    answers(folder, output)
    code, said = audit(folder)
    assert code == 0
    assert "WARNING: not looked up" in said
    assert "By hand: on 2026-11-01" in said
    assert audit(folder, HERALD_REQUIRE_AUDIT="1")[0] == 1


def test_what_was_known_by_hand_counts_without_any_data(folder: Path) -> None:
    locked(folder, "1.4")
    code, said = audit(folder)
    assert code == 1
    assert "thing 1.4: fixed in 1.5" in said


def test_a_package_that_changed_since_is_named(folder: Path) -> None:
    locked(folder, "3.0")
    code, said = audit(folder)
    assert code == 0
    assert "Changed since: thing" in said
