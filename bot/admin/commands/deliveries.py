"""`python -m bot deliveries …`."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bot.admin.terminal import Exit, read, say, say_json, stop, table
from bot.errors import CannotStart, HeraldError

if TYPE_CHECKING:
    from bot.admin.deliveries import Deliveries

deliveries = typer.Typer(
    name="deliveries",
    help="See what was asked for and what became of it; cancel it, or try again.",
    no_args_is_help=True,
)

_Id = Annotated[str, typer.Argument(help="Its id, or the first 6 characters of it or more.")]
_Json = Annotated[bool, typer.Option("--json", help="For another program.")]
_T = TypeVar("_T")
_SOON = (
    "Herald sends it within a minute where it runs on SQLite, at once where it runs on PostgreSQL."
)


class Kinds(StrEnum):
    """What `--kind` takes."""

    TEXT = "text"
    NOTICE = "notice"


class States(StrEnum):
    """What `--state` takes."""

    WAITING = "waiting"
    SETTLED = "settled"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    CLAIMED = "claimed"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    NEEDS_SIGN_IN = "needs_sign_in"
    HELD = "held"


@deliveries.command("list")
def listed(
    state: Annotated[States | None, typer.Option(help="Some of it is in this state.")] = None,
    kind: Annotated[Kinds | None, typer.Option(help="Texts or notices.")] = None,
    tenant: Annotated[str, typer.Option(help="A tenant's id.")] = "",
    user: Annotated[str, typer.Option(help="The owner's Entra object id.")] = "",
    most: Annotated[int, typer.Option(min=1, max=1000, help="How many, newest first.")] = 20,
    as_json: _Json = False,
) -> None:
    """List deliveries, the newest first."""

    async def look(found: "Deliveries") -> list[dict[str, Any]]:
        from bot.admin.deliveries import GROUPS, KINDS  # noqa: PLC0415 - see the package
        from bot.delivery.oversight import Wanted  # noqa: PLC0415

        states = GROUPS[state.value] if state else ()
        kinds = KINDS[kind.value] if kind else ()
        return await found.listed(Wanted(states, kinds, tenant, user, most))

    rows = _with(look)
    if as_json:
        say_json(rows)
    elif rows:
        head = ("ID", "KIND", "ASKED FOR", "DUE", "PEOPLE", "STATE")
        say(table(head, (_row(row) for row in rows)))
    else:
        say("There are none.")


@deliveries.command()
def show(delivery: _Id, as_json: _Json = False) -> None:
    """Show one delivery: its batches, Graph's request ids, and whom it is for, numbers masked."""
    found = _with(lambda work: work.shown(delivery))
    if as_json:
        say_json(found)
        return
    for name in ("id", "kind", "tenant_id", "user_id", "created_at", "due_at", "total"):
        say(f"{name:<12}{found[name]}")
    say(f"{'state':<12}{_counts(found)}")
    if not found["is_readable"]:
        say("Its people can't be read: their key was taken away, or they were changed.")
    elif not found["people"]:
        say("Its people are erased, as RETENTION_DAYS asks.")
    else:
        say(f"{'people':<12}{_few(found['people'])}")
    say()
    head = ("BATCH", "STATE", "PEOPLE", "TRIES", "SETTLED", "STATUS", "REASON", "REQUEST ID")
    say(table(head, (_batch(row) for row in found["batches"])))


@deliveries.command()
def retry(delivery: _Id) -> None:
    """Queue again what Graph refused. What is unknown is its owner's to decide, not yours."""
    people = _with(lambda work: work.retry(delivery))
    if not people:
        stop("Nothing of it was refused, or it is erased, so nothing was changed.")
    say(f"Queued again for {_people(people)}. {_SOON}")


@deliveries.command()
def cancel(delivery: _Id) -> None:
    """Cancel what has not left. What has left can't be called back."""
    people = _with(lambda work: work.cancel(delivery))
    if not people:
        stop("Nothing of it waits any more, so nothing was cancelled.")
    say(f"Cancelled for {_people(people)}.")


@deliveries.command()
def export(
    delivery: _Id,
    out: Annotated[Path | None, typer.Option(help="The file to write.", dir_okay=False)] = None,
) -> None:
    """Write a line of CSV for each person, numbers masked: to a file, or to standard output."""
    content = _with(lambda work: work.export(delivery))
    if out is None:
        typer.echo(content, nl=False)
        return
    try:
        out.write_text(content, "utf-8", newline="")
    except OSError as error:
        stop(f"{out} can't be written: {error.strerror}.")
    say(f"Wrote {out}: {content.count(chr(10)) - 1:,} lines.")


def _with(work: "Callable[[Deliveries], Awaitable[_T]]") -> _T:
    settings = read()
    from bot.admin.deliveries import opened  # noqa: PLC0415 - see the package

    async def run() -> _T:
        async with opened(settings) as found:
            return await work(found)

    try:
        return asyncio.run(run())
    except CannotStart as error:
        stop(str(error), Exit.NOT_SET_UP)
    except HeraldError as error:
        stop(str(error))


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    cells = row["id"][:8], row["kind"], row["created_at"], row["due_at"], f"{row['total']:,}"
    return (*cells, _counts(row))


def _batch(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        str(row["position"] + 1),
        row["state"],
        str(row["people"]),
        str(row["attempt"]),
        row["settled_at"] or "",
        str(row["status"] or ""),
        " ".join(part for part in (row["problem"], row["code"]) if part),
        row["request_id"],
    )


def _counts(row: dict[str, Any]) -> str:
    return ", ".join(f"{people:,} {state}" for state, people in row["counts"].items())


def _few(people: list[str], most: int = 10) -> str:
    rest = len(people) - most
    return ", ".join(people[:most]) + (f" and {rest:,} more" if rest > 0 else "")


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"
