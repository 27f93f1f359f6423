"""Asks whether a locked package has a known vulnerability. Exit code 1: one has.

pip-audit asks the Python package index; where that can't be reached, or is a mirror without these
data, nothing is known: that is said, and is a failure only with HERALD_REQUIRE_AUDIT set.
SECURITY.md says how to do it by hand.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = "requirements-dev.lock.txt"  # what runs, and what builds and tests it
TIMEOUT_S = 300
# Known, looked at, and why it does not concern Herald: "GHSA-…": "why".
ACCEPTED: dict[str, str] = {}


def main() -> int:
    """Print what is known."""
    found = _asked()
    packages = [one for one in found if "skip_reason" not in one]
    if not packages:
        print("No package could be looked up: the vulnerability data can't be reached from here.")
        print("SECURITY.md says how to look by hand.")
        return int(bool(os.environ.get("HERALD_REQUIRE_AUDIT")))
    known = [
        f"{one['name']} {one['version']}: {flaw['id']}, fixed in "
        f"{', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one in packages
        for flaw in one["vulns"]
        if ACCEPTED.keys().isdisjoint({flaw["id"], *flaw.get("aliases", ())})
    ]
    print(
        f"{len(packages)} of {len(found)} packages looked up; known vulnerabilities: {len(known)}"
    )
    print("\n".join(known))
    return int(bool(known))


def _asked() -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "pip_audit", "--requirement", LOCK, "--require-hashes"]
    command += ["--disable-pip", "--format=json", "--progress-spinner=off"]
    try:
        done = subprocess.run(
            command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=TIMEOUT_S
        )
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return []
    return found


if __name__ == "__main__":
    sys.exit(main())
