"""What people may type: one table, which is also the help and the manifest's command lists."""

import difflib
from dataclasses import dataclass

from cards.notes import CommandLine


@dataclass(frozen=True)
class Command:
    """One command: its name, other words for it, and what the help says."""

    name: str
    summary: str
    also: tuple[str, ...] = ()


COMMANDS = (
    Command("text", "Text the people of an appointment", ("sms", "appointment")),
    Command("notify", "Put a notice into teammates' activity feeds", ("notice", "notification")),
    Command("scheduled", "Show what waits to be sent, and change it", ("waiting", "schedule")),
    Command("history", "Show what you sent", ("sent",)),
    Command("status", "Show one delivery: status and its id"),
    Command("signin", "Sign in, so that Herald can act in your name", ("login", "sign-in")),
    Command("signout", "Sign out and forget your sign-in", ("logout", "sign-out")),
    Command("whoami", "Show whom Herald acts for", ("who",)),
    Command("help", "Show what Herald can do", ("hi", "hello", "start", "?")),
)


@dataclass(frozen=True)
class Heard:
    """What was understood of a message: a command and the words after it, or the nearest one."""

    command: Command | None
    words: str = ""
    unknown: str = ""
    nearest: str = ""


def understand(text: str) -> Heard:
    """Find the command of a message; forgiving of case, slashes and punctuation."""
    first, _, rest = text.strip().partition(" ")
    word = first.lower().lstrip("/").rstrip(".!,:")
    if word == "sign" and rest.lower().split(" ")[0] in {"in", "out"}:
        joined, _, rest = rest.partition(" ")
        word += joined.lower()
    if not word:
        return Heard(named("help"))
    by_word = {name: command for command in COMMANDS for name in (command.name, *command.also)}
    if word in by_word:
        return Heard(by_word[word], rest.strip())
    near = difflib.get_close_matches(word, by_word, n=1, cutoff=0.6)
    return Heard(None, unknown=first[:60], nearest=by_word[near[0]].name if near else "")


def named(name: str) -> Command:
    """The command of this name. Raises StopIteration for none."""
    return next(command for command in COMMANDS if command.name == name)


def lines() -> tuple[CommandLine, ...]:
    """The help's lines."""
    return tuple(CommandLine(command.name, command.summary) for command in COMMANDS)
