"""`python -m bot package`."""

from pathlib import Path
from typing import Annotated

import typer

from bot.admin import package as app_package
from bot.admin.terminal import read, say, stop
from bot.errors import HeraldError


def package(
    out: Annotated[Path, typer.Option(help="The zip to write.", dir_okay=False)] = Path(
        "herald.zip"
    ),
) -> None:
    """Build the app package that is uploaded to Teams, and check it."""
    settings = read()
    try:
        content = app_package.build(settings)
    except HeraldError as error:
        stop(f"No package was written:\n{error}")
    try:
        out.write_bytes(content)
    except OSError as error:
        stop(f"{out} can't be written: {error.strerror}.")
    say(
        f"Wrote {out} for {settings.public_url}, app id {settings.teams_app_id}.\n"
        "It passed every check. docs/register.md says where to upload it."
    )
