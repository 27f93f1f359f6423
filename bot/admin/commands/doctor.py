"""`python -m bot doctor`."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.admin.terminal import Exit, read, say, say_json, stop

if TYPE_CHECKING:
    from bot.admin.checks.findings import Finding
    from bot.settings import Settings

_MARKS = {"well": "  ok     ", "wrong": "  WRONG  ", "unsure": "  ?      "}


def doctor(
    application: Annotated[
        Path | None,
        typer.Option(
            help="The application as `az ad app show --id … > app.json` wrote it.",
            dir_okay=False,
            exists=True,
        ),
    ] = None,
    package: Annotated[
        Path | None,
        typer.Option(help="The zip that was uploaded to Teams.", dir_okay=False, exists=True),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For another program.")] = False,
) -> None:
    """Check everything that Herald needs, and say for each fault the one thing to do.

    Exit code 1 when something is wrong. A question mark is no fault: it can't be told from here.
    """
    settings = read()
    app = _application(application)
    found = asyncio.run(_look(settings, app, package.read_bytes() if package else None, as_json))
    counts = dict.fromkeys(_MARKS, 0) | _count(found)
    if as_json:
        say_json(
            [
                {
                    "group": group,
                    "verdict": one.verdict.value,
                    "sentence": one.sentence,
                    "remedy": one.remedy,
                }
                for group, one in found
            ]
        )
    else:
        say(f"\n{counts['well']} well, {counts['wrong']} wrong, {counts['unsure']} can't be told.")
    if counts["wrong"]:
        raise typer.Exit(int(Exit.FAILED))


async def _look(
    settings: "Settings", app: dict[str, Any] | None, package: bytes | None, as_json: bool
) -> "list[tuple[str, Finding]]":
    from bot.admin.doctor import examine  # noqa: PLC0415 - see the package

    found: list[tuple[str, Finding]] = []
    async for group, finding in examine(settings, app=app, manifest_package=package):
        if not as_json:
            _show(group, finding, is_first=group not in {name for name, _ in found})
        found.append((group, finding))
    return found


def _show(group: str, finding: "Finding", *, is_first: bool) -> None:
    if is_first:
        say(group)
    say(_MARKS[finding.verdict.value] + finding.sentence)
    if finding.remedy:
        say(" " * len(_MARKS["well"]) + f"Do: {finding.remedy}")


def _count(found: "list[tuple[str, Finding]]") -> dict[str, int]:
    verdicts = [finding.verdict.value for _, finding in found]
    return {verdict: verdicts.count(verdict) for verdict in set(verdicts)}


def _application(path: Path | None) -> dict[str, Any] | None:
    if path is None:
        return None
    from bot.admin.checks import application  # noqa: PLC0415 - see the package

    try:
        return application.read(path)
    except OSError as error:
        stop(f"{path} can't be read: {error.strerror}.")
    except application.NotAnApplication:
        stop(f"{path} holds no application as `az ad app show` writes it.")
