"""`python -m bot`: what an administrator runs."""

from pathlib import Path
from typing import Annotated, NoReturn

import typer

from bot.admin import package as app_package
from bot.errors import HeraldError, SettingsError
from bot.settings import Settings, read_settings

_FAILED = 1
_NOT_SET_UP = 2

app = typer.Typer(
    name="python -m bot",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


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


def _settings() -> Settings:
    try:
        return read_settings()
    except SettingsError as error:
        _stop(f"Herald is not set up:\n{error}", _NOT_SET_UP)


def _stop(message: str, code: int) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(code)
