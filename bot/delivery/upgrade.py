"""The steps in `migrations/versions`, and where a database stands among them.

Alembic is imported only where there is something to do: a start whose tables are up to date
shouldn't wait for it.
"""

from enum import Enum
from pathlib import Path

from sqlalchemy import Connection, inspect, text

_MIGRATIONS = Path(__file__).parent / "migrations"
TURN = text("SELECT pg_advisory_xact_lock(4873254)")  # whoever makes or moves tables has it
MOVED = "moved"  # the key in `once` by which a database says that another one took its place
_IS_MOVED = text("SELECT 1 FROM once WHERE key = :key").bindparams(key=MOVED)


class Standing(Enum):
    """How a database's tables compare with what this version knows."""

    EMPTY = "empty"
    BEHIND = "behind"
    CURRENT = "current"
    NEWER = "newer"
    MOVED = "moved"  # another database took its place


def steps() -> list[str]:
    """The names of all steps, oldest first: what their files' names begin with."""
    return [path.stem.split("_")[0] for path in sorted((_MIGRATIONS / "versions").glob("0*.py"))]


def standing(connection: Connection) -> Standing:
    """Where this database stands."""
    if not inspect(connection).has_table("alembic_version"):
        return Standing.EMPTY
    done = connection.scalar(text("SELECT version_num FROM alembic_version"))
    known = steps()
    if done is None:
        return Standing.EMPTY
    if done not in known:
        return Standing.NEWER
    if connection.scalar(_IS_MOVED):
        return Standing.MOVED
    return Standing.CURRENT if done == known[-1] else Standing.BEHIND


def upgrade(connection: Connection) -> Standing:
    """Take the steps that are missing, unless a newer version was here. Where it stood before.

    On PostgreSQL, replicas that start together take turns: the second finds the work done.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(TURN)
    stood = standing(connection)
    if stood in {Standing.EMPTY, Standing.BEHIND}:
        _take_steps(connection)
    return stood


def _take_steps(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - see above
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
