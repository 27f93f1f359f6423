"""`python -m bot db …`."""

from typing import Annotated

import typer

from bot.admin.terminal import Exit, read, say, say_json, stop
from bot.errors import CannotStart

db = typer.Typer(
    name="db", help="Look at the database, or bring it up to date.", no_args_is_help=True
)


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
