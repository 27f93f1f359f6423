"""Writes the lock files: every package that is installed, at one version, with its hashes.

`make lock` after a change of requirements*.txt. What was locked before stays as it is, unless the
change asks for another version; `make lock ARGS=--upgrade` looks for newer ones of the rest.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {
    "requirements.txt": "requirements.lock.txt",
    "requirements-dev.txt": "requirements-dev.lock.txt",
}
HEADER = """\
# All that {source} brings along, for every system and Python that Herald runs on.
# Written by `make lock`; installed with `pip install --require-hashes -r {lock}`.
"""
QUIETLY = (
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--quiet",
)


def main(arguments: list[str]) -> int:
    """Write both files; `arguments` are handed on to uv."""
    for source, lock in LOCKS.items():
        command = [sys.executable, "-m", "uv", "pip", "compile", source, *QUIETLY, *arguments]
        done = subprocess.run([*command, f"--output-file={lock}"], cwd=ROOT, check=False)
        if done.returncode:
            return done.returncode
        body = "\n".join(
            line
            for line in (ROOT / lock).read_text("utf-8").splitlines()
            if not line.startswith("#")
        )
        header = HEADER.format(source=source, lock=lock)
        (ROOT / lock).write_text(f"{header}{body}\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
