"""Asks whether a locked package has a known vulnerability. Exit code 1: one has.

pip-audit asks the Python package index, and npm its registry; where one can't be reached, or is a
mirror without these data, nothing is known: that is said, and is a failure only with
HERALD_REQUIRE_AUDIT set. What docs/audit.md knows is held against the lock in any case.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
LOCK = "requirements-dev.lock.txt"  # what runs, and what builds and tests it
BY_HAND = "docs/audit.md"
TIMEOUT_S = 300
# Known, looked at, and why it does not concern Herald: "GHSA-…": "why".
ACCEPTED: dict[str, str] = {}

_PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", re.MULTILINE)
_ROW = re.compile(r"^\| `([^`]+)` \| (\S+) \| (\S*) \|", re.MULTILINE)
_DATE = re.compile(r"Looked at on (\d{4}-\d\d-\d\d)")


def main() -> int:
    """Print what is known."""
    known = below_what_was_mended()
    unknown = []
    for name, asked in (("Python", python_flaws()), ("JavaScript", javascript_flaws())):
        if asked is None:
            unknown.append(name)
        else:
            known += asked
    print(f"Known vulnerabilities: {len(known)}")
    print("\n".join(known))
    if unknown:
        print(
            f"WARNING: not looked up, the data can't be reached: {' and '.join(unknown)} packages."
        )
        print(what_was_seen_by_hand())
    is_required = bool(os.environ.get("HERALD_REQUIRE_AUDIT"))
    return int(bool(known) or (bool(unknown) and is_required))


def python_flaws() -> list[str] | None:
    """A line for each; None where nobody could be asked."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", LOCK, "--require-hashes"]
    command += ["--disable-pip", "--format=json", "--progress-spinner=off"]
    found = _answer(command).get("dependencies", [])
    packages = [one for one in found if "skip_reason" not in one]
    if not packages:
        return None
    print(f"{len(packages)} of {len(found)} Python packages looked up")
    return [
        f"{one['name']} {one['version']}: {flaw['id']}, fixed in "
        f"{', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one in packages
        for flaw in one["vulns"]
        if ACCEPTED.keys().isdisjoint({flaw["id"], *flaw.get("aliases", ())})
    ]


def javascript_flaws() -> list[str] | None:
    """The same of npm's packages."""
    npm = shutil.which("npm")
    found = _answer([npm, "audit", "--json"]).get("vulnerabilities") if npm else None
    if found is None:
        return None
    return [f"{name}: {one['severity']} (npm audit)" for name, one in sorted(found.items())]


def below_what_was_mended() -> list[str]:
    """Locked packages that are older than the version in which docs/audit.md says it was mended."""
    locked = _locked()
    return [
        f"{name} {locked[name]}: fixed in {fixed} ({BY_HAND})"
        for name, (_, fixed) in _seen().items()
        if name in locked and fixed[:1].isdigit() and Version(locked[name]) < Version(fixed)
    ]


def what_was_seen_by_hand() -> str:
    """When somebody looked, and which packages have changed since."""
    locked = _locked()
    text = (ROOT / BY_HAND).read_text("utf-8")
    date = _DATE.search(text)
    changed = [name for name, (version, _) in _seen().items() if locked.get(name) != version]
    words = f"By hand: on {date[1] if date else 'no day'}, see {BY_HAND}."
    return f"{words} Changed since: {', '.join(changed)}." if changed else words


def _seen() -> dict[str, tuple[str, str]]:
    rows = _ROW.findall((ROOT / BY_HAND).read_text("utf-8"))
    return {name: (version, fixed) for name, version, fixed in rows}


def _locked() -> dict[str, str]:
    return {
        name.lower(): version for name, version in _PIN.findall((ROOT / LOCK).read_text("utf-8"))
    }


def _answer(command: list[str]) -> dict[str, Any]:
    try:
        done = subprocess.run(
            command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=TIMEOUT_S
        )
        found = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


if __name__ == "__main__":
    sys.exit(main())
