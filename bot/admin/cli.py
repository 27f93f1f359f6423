"""`python -m bot`: what an administrator runs."""

import sys

import typer

from bot.admin import terminal
from bot.admin.commands.db import db
from bot.admin.commands.deliveries import deliveries
from bot.admin.commands.doctor import doctor
from bot.admin.commands.keys import keys
from bot.admin.commands.package import package
from bot.admin.commands.settings import settings
from bot.admin.commands.worker import worker
from bot.errors import HeraldError

app = typer.Typer(
    name="python -m bot",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for _command in (doctor, settings, package, worker):
    app.command()(_command)
for _group in (deliveries, keys, db):
    app.add_typer(_group)


@app.callback()
def about() -> None:
    """Herald's commands for administrators. They read the same settings as app.py."""


def main() -> None:
    """Run what was typed. Ends the process with one of the exit codes of `terminal.Exit`."""
    terminal.quiet()
    try:
        app(prog_name="python -m bot")
    except HeraldError as error:
        typer.echo(str(error), err=True)
        sys.exit(terminal.Exit.FAILED)
    except Exception as error:  # noqa: BLE001 - nobody should have to read a traceback
        from bot.logs import way_of  # noqa: PLC0415 - needed only here

        way = ", ".join(way_of(error)[-3:])
        typer.echo(f"A fault of Herald's own: {type(error).__name__} ({way}).", err=True)
        sys.exit(terminal.Exit.OWN_FAULT)
