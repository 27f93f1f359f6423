"""`python -m bot keys …`."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from bot.admin.terminal import Exit, bar, read, say, say_json, stop
from bot.errors import CannotStart, HeraldError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.admin.keys import Account
    from bot.settings import Settings

keys = typer.Typer(
    name="keys",
    help="Keys that encrypt what is stored: make one, see what is under which, change them.",
    no_args_is_help=True,
)

_FIRST_STEP = """\
Here is a new key. It is shown once, and kept nowhere:

{key}

1. Put it in front of the others in SECRET_KEYS, with a comma after it, and keep the old ones:
   SECRET_KEYS={key},<what is there now>
2. Restart every app and every worker, so that all of them know it.
3. Run `python -m bot keys rotate` with the new setting: it seals what is stored with the new key.
"""
_DONE = (
    "Everything is sealed with the newest key now, and nobody was signed out. Once every app and "
    "worker runs with it, the other {others} may be taken out of SECRET_KEYS. Forms that are open "
    "in Teams since before then have to be opened anew."
)


@keys.command()
def new() -> None:
    """Make a key for SECRET_KEYS. Changes nothing."""
    from bot.admin.keys import new_key  # noqa: PLC0415 - see the package

    say(new_key())


@keys.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="For another program.")] = False,
) -> None:
    """Count what is stored under older keys, and what no key opens. Changes nothing."""
    settings = read()
    found = _account(settings, write=False)
    if as_json:
        say_json(
            {
                "keys": len(settings.secrets),
                "records": found.total,
                "under_older_keys": found.under_old,
                "unreadable": found.unreadable,
            }
        )
    else:
        say(f"{found.total:,} records, {found.under_old:,} of them under an older key.")
    _stop_where_unreadable(found)


@keys.command()
def rotate() -> None:
    """Change keys: with one key make the next, with more seal all that is stored with the newest.

    The app may go on working meanwhile.
    """
    settings = read()
    if len(settings.secrets) == 1:
        from bot.admin.keys import new_key  # noqa: PLC0415 - see the package

        say(_FIRST_STEP.format(key=new_key()))
        return
    found = _account(settings, write=True)
    say(f"Looked at {found.total:,} records, sealed {found.under_old:,} of them again.")
    _stop_where_unreadable(found)
    # What an app that doesn't know the new key yet wrote meanwhile is found by a second look.
    if _account(settings, write=False).under_old:
        stop(
            "Something still writes with an older key: restart every app and worker with the new "
            "SECRET_KEYS, then run this again."
        )
    others = len(settings.secrets) - 1
    say(_DONE.format(others="key" if others == 1 else f"{others} keys"))


def _account(settings: "Settings", *, write: bool) -> "Account":
    from bot.admin import keys as work  # noqa: PLC0415 - see the package

    progress = bar(1, "Sealing" if write else "Looking")

    def begun(total: int) -> "Callable[[int], None]":
        progress.length = max(1, total)
        advance: Callable[[int], None] = progress.update
        return advance

    try:
        with progress:
            return asyncio.run(work.account(settings, write=write, begun=begun))
    except CannotStart as error:
        stop(str(error), Exit.NOT_SET_UP)
    except HeraldError:
        stop("The database went away. What was sealed stays so; run this again to go on.")


def _stop_where_unreadable(found: "Account") -> None:
    if found.unreadable:
        stop(
            f"{found.unreadable:,} records are sealed with a key that is not in SECRET_KEYS, or "
            "were changed in the database. Put that key back at the end of SECRET_KEYS, or leave "
            "them: nobody can read them."
        )
