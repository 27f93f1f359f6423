"""`python -m tests.compiling` lets pytest compile the tests, by a process for each core.

A checkout has nothing compiled, and each worker of a run would compile all of it for itself.
"""

import os
import subprocess
import sys
from pathlib import Path

FEW = 20  # not worth a start of pytest


def main() -> None:
    """Wait until it is done. What is wrong with a file is for the run itself to say."""
    missing = [file for file in sorted(Path(__file__).parent.rglob("test_*.py")) if _is_new(file)]
    if len(missing) <= FEW:
        return
    cores = os.cpu_count() or 1
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-p", "no:cacheprovider"]
    started = [
        subprocess.Popen([*command, *missing[core::cores]], stdout=subprocess.DEVNULL)
        for core in range(cores)
    ]
    for process in started:
        process.wait()


def _is_new(file: Path) -> bool:
    compiled = file.parent.glob(f"__pycache__/{file.stem}.{sys.implementation.cache_tag}-pytest-*")
    return all(one.stat().st_mtime < file.stat().st_mtime for one in compiled)


if __name__ == "__main__":
    main()
