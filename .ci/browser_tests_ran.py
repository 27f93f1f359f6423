"""Fails unless every test that is marked `browser` ran: `browser_tests_ran.py RESULTS.xml`.

The results are pytest's, in JUnit's form.
"""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree


def main(results: Path) -> str:
    """What went wrong, or nothing."""
    wanted = browser_tests()
    if not wanted:
        return "No test is marked `browser`, so no browser test ran."
    cases = ElementTree.parse(results).iter("testcase")  # noqa: S314 - our own file
    ran = {
        f"{case.get('classname')}.{case.get('name')}".replace("::", ".")
        for case in cases
        if case.find("skipped") is None
    }
    missing = sorted(wanted - ran)
    if missing:
        return "These browser tests did not run:\n" + "\n".join(missing)
    sys.stdout.write(f"{len(wanted)} browser tests ran.\n")
    return ""


def browser_tests() -> set[str]:
    """The names of all browser tests, as JUnit's form writes them."""
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "--no-header", "-m", "browser"],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.strip() for line in listed.stdout.splitlines() if "::" in line]
    split = [line.partition(".py::") for line in lines]
    return {f"{path}.{name}".replace("/", ".").replace("::", ".") for path, _, name in split}


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])) or 0)
