"""`python -m bot db …`."""

from typing import TYPE_CHECKING, Annotated

import typer

from bot.admin.terminal import Exit, bar, read, say, say_json, stop
from bot.errors import CannotStart, HeraldError, SettingsError
from bot.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable

db = typer.Typer(
    name="db", help="Look at the database, or bring it up to date.", no_args_is_help=True
)

_COPIED = """\
Copied {deliveries:,} deliveries with {batches:,} requests, and {token_caches:,} sign-ins.
Now put the new address into DATABASE_URL and start Herald.
The old database is left for good: no Herald starts on it, so that nothing leaves twice.
"""


@db.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="For another program.")] = False,
) -> None:
    """Say whether the tables are as this version wants them. Changes nothing."""
    settings = read()
    from bot.admin import database  # noqa: PLC0415 - other commands start without it

    try:
        found = database.check(settings.database_url)
    except CannotStart as error:
        stop(str(error), Exit.NOT_SET_UP)
    if as_json:
        say_json({"standing": found.standing.value, "is_current": found.is_current})
    elif found.is_current:
        say(found.sentence)
    if not found.is_current:
        stop(found.sentence)


@db.command()
def upgrade() -> None:
    """Bring the tables up to this version, as every start does too."""
    settings = read()
    from bot.admin import database  # noqa: PLC0415 - other commands start without it

    try:
        say(database.upgrade(settings.database_url))
    except CannotStart as error:
        stop(str(error), Exit.NOT_SET_UP)


@db.command()
def copy(
    to: Annotated[
        str,
        typer.Option(
            help="The other database's address, written as in DATABASE_URL; asked for if left out.",
            prompt="The other database's address",
            hide_input=True,  # it may hold a password
        ),
    ],
) -> None:
    """Copy everything into an empty database of either kind, and leave the old one for good.

    Stop Herald first. All of it arrives, or nothing; sign-ins, history and what waits come along.
    """
    settings = read()
    from bot.admin import database  # noqa: PLC0415 - other commands start without it

    progress = bar(1, "Copying")

    def begun(total: int) -> "Callable[[int], None]":
        progress.length = max(1, total)
        advance: Callable[[int], None] = progress.update
        return advance

    try:
        with progress:
            moved = database.copy(settings.database_url, _address(to), begun)
    except CannotStart as error:
        stop(f"Nothing was copied. {error}", Exit.NOT_SET_UP)
    except HeraldError:
        stop("Nothing was copied: one of the databases went away. Please try again.")
    say(_COPIED.format(**moved.counts))


def _address(to: str) -> str:
    """Checked, and filled in, as `DATABASE_URL` is."""
    try:
        return read_settings(database_url=to).database_url
    except SettingsError as error:
        stop(f"Nothing was copied. With that address {error}.", Exit.NOT_SET_UP)
