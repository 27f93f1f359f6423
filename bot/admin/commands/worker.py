"""`python -m bot worker`."""

from bot.admin.terminal import Exit, read, stop
from bot.errors import CannotStart

_ALONE = (
    "A worker of its own needs PostgreSQL in DATABASE_URL; a SQLite file is for one process, "
    "which is the app with its own worker."
)


def worker() -> None:
    """Send what the app records, as a process of its own. Needs PostgreSQL; as many as you like."""
    settings = read()
    if settings.database_url.startswith("sqlite"):
        stop(f"Herald can't start. {_ALONE}", Exit.NOT_SET_UP)
    from bot.admin import worker as process  # noqa: PLC0415 - other commands start without it

    try:
        process.run(settings)
    except CannotStart as error:
        stop(f"Herald can't start. {error}", Exit.NOT_SET_UP)
