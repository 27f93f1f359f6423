"""The documentation's pages, and what a reader would type from them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.settings import ROOT

PAGES = tuple(
    sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")], key=lambda path: path.as_posix())
)
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# Blocks in another language hold no commands.
_SHELL = {"", "sh", "powershell"}
# What a command begins with; other lines of a block are a file's content.
_PROGRAMS = (
    "python", "py", ".venv", "make", "npm", "docker", "az", "pg_dump", "pg_restore", "pip", "git",
    "curl",
)  # fmt: skip


@dataclass(frozen=True)
class Command:
    """One line of a block: what to type, and on which page it stands."""

    page: Path
    line: str

    @property
    def words(self) -> list[str]:
        """The line at its spaces, without settings in front of it."""
        words = self.line.split()
        while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
            words = words[1:]
        return words

    @property
    def bot(self) -> list[str] | None:
        """The arguments of `python -m bot`, or None for anything else."""
        return _after(self.words, "bot")

    @property
    def module(self) -> str:
        """What stands after `python -m`, or nothing."""
        found = re.match(r"\S*python\S* -m (\S+)", " ".join(self.words))
        return found.group(1) if found else ""


def commands() -> Iterator[Command]:
    """Every command of every page's blocks, in order; the same line of one page once."""
    for page in PAGES:
        seen: set[str] = set()
        for language, block in _FENCE.findall(page.read_text("utf-8")):
            if language not in _SHELL:
                continue
            for line in (line.strip() for line in block.splitlines()):
                command = Command(page, line)
                words = command.words
                if words and _is_program(words[0]) and line not in seen:
                    seen.add(line)
                    yield command


def _is_program(word: str) -> bool:
    return word.replace("\\", "/").split("/")[0] in _PROGRAMS


def _after(words: list[str], module: str) -> list[str] | None:
    if len(words) < 3 or words[1:3] != ["-m", module]:
        return None
    return words[3:]
