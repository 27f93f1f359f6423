"""A SQLite file is for one process: it holds a lock beside the file as long as it lives.

The operating system lets go of the lock when the process ends, however it ends.
"""

from pathlib import Path

from filelock import FileLock, Timeout

from bot.errors import CannotStart


class DatabaseInUse(CannotStart):
    """Herald already works on this SQLite file. For more than one Herald, use PostgreSQL."""


class Occupancy:
    """One process's hold on a SQLite file."""

    def __init__(self, database: Path) -> None:
        self._lock = FileLock(f"{database}.lock", thread_local=False)

    def take(self) -> None:
        """Take hold, or say at once that somebody else has.

        Raises:
            DatabaseInUse: another process works on this file.
            OSError: the folder isn't there, or may not be written.
        """
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise DatabaseInUse from None

    def leave(self) -> None:
        """Let go."""
        self._lock.release(force=True)
