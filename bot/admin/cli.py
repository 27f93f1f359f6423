"""`python -m bot`: what an administrator runs."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from bot.admin import package as app_package
from bot.errors import CannotStart, HeraldError, SettingsError
from bot.settings import Settings, read_settings

_FAILED = 1
_NOT_SET_UP = 2
_ALONE = (
    "A worker of its own needs PostgreSQL in DATABASE_URL; a SQLite file is for one process, "
    "which is the app with its own worker."
)

app = typer.Typer(
    name="python -m bot",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

db = typer.Typer(help="Look at the database, or bring it up to date.", no_args_is_help=True)
app.add_typer(db, name="db")


@app.callback()
def about() -> None:
    """Herald's commands for administrators. They read the same settings as app.py."""


@app.command()
def package(
    out: Annotated[Path, typer.Option(help="The zip to write.", dir_okay=False)] = Path(
        "herald.zip"
    ),
) -> None:
    """Build the app package that is uploaded to Teams, and check it."""
    settings = _settings()
    try:
        content = app_package.build(settings)
    except HeraldError as error:
        _stop(f"No package was written:\n{error}", _FAILED)
    try:
        out.write_bytes(content)
    except OSError as error:
        _stop(f"{out} can't be written: {error.strerror}.", _FAILED)
    typer.echo(
        f"Wrote {out} for {settings.public_url}, app id {settings.teams_app_id}.\n"
        "It passed every check. docs/register.md says where to upload it."
    )


@app.command()
def worker() -> None:
    """Send what the app records, as a process of its own. Needs PostgreSQL; as many as you like."""
    settings = _settings()
    if settings.database_url.startswith("sqlite"):
        _stop(f"Herald can't start. {_ALONE}", _NOT_SET_UP)
    from bot.admin import worker as process  # noqa: PLC0415 - other commands start without it

    try:
        process.run(settings)
    except CannotStart as error:
        _stop(f"Herald can't start. {error}", _NOT_SET_UP)


@db.command("check")
def db_check() -> None:
    """Say whether the tables are as this version wants them. Changes nothing."""
    settings = _settings()
    from bot.admin import database  # noqa: PLC0415 - other commands start without it

    try:
        sentence, is_current = database.check(settings.database_url)
    except CannotStart as error:
        _stop(str(error), _NOT_SET_UP)
    if not is_current:
        _stop(sentence, _FAILED)
    typer.echo(sentence)


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the tables up to this version, as every start does too."""
    settings = _settings()
    from bot.admin import database  # noqa: PLC0415 - other commands start without it

    try:
        typer.echo(database.upgrade(settings.database_url))
    except CannotStart as error:
        _stop(str(error), _NOT_SET_UP)


def _settings() -> Settings:
    try:
        return read_settings()
    except SettingsError as error:
        _stop(f"Herald is not set up:\n{error}", _NOT_SET_UP)


def _stop(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)
