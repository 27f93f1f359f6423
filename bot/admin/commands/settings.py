"""`python -m bot settings`."""

from typing import Annotated

import typer

from bot.admin.terminal import Exit, say, say_json, stop, table
from bot.errors import SettingsError
from bot.settings import read_settings


def settings(
    as_json: Annotated[bool, typer.Option("--json", help="For another program.")] = False,
) -> None:
    """Show what is set and from where, with secrets masked, and what is wrong with it."""
    from bot.admin.sources import sources, strangers  # noqa: PLC0415 - see the package

    found, unknown = sources(), strangers()
    if as_json:
        say_json([{"name": one.name, "value": one.shown, "from": one.source} for one in found])
    else:
        rows = ((one.name, one.source, one.shown) for one in found)
        say(table(("SETTING", "FROM", "VALUE"), rows))
    for name in unknown:
        typer.echo(f"{name} stands in .env and is not a setting of Herald.", err=True)
    try:
        read_settings()
    except SettingsError as error:
        stop(f"Herald is not set up:\n{error}", Exit.NOT_SET_UP)
