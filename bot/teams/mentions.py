"""Who is mentioned in a message, and what was said around the mentions.

A mention is an entity of the activity, and a piece of its text that the entity names
(`<at>Adele Vance</at>`). The entities are the source: what merely looks like a mention in the text
is text, for anybody can type it, and a name may hold the words of a command.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.teams.hostile import at, rows, text

_MOST = 50  # mentions that are read of one message
_LONGEST = 4000  # characters of a text
# A mention's place while the text is read: NUL never comes in from outside (`wire`).
_PLACE = "\0{}\0"
_ONE = re.compile(r"\0(\d+)\0")
_BEFORE = re.compile(r"\s*\0\d+\0[\s,;:.!?]*")
_BETWEEN = " \t\r\n,;:.!?"
_FIRST_WORD = re.compile(r"\s*([^\s\0]*)(.*)", re.DOTALL)
_TYPED = re.compile(r"</?at\b[^>]*>", re.IGNORECASE)


@dataclass(frozen=True)
class Mention:
    """One person who is mentioned: `29:…`, and the name as the message has it."""

    teams_id: str
    name: str


@dataclass(frozen=True)
class Said:
    """A message without its mentions of the bot.

    `words` are what was said, on one line: mentions of people at their start or end are left out,
    and one in their midst is the name. `people` are all who are mentioned, each once, in order.
    """

    words: str
    people: tuple[Mention, ...] = ()


def said(raw: Mapping[str, Any]) -> Said:
    """What a message activity says. Hostile data: misshapen mentions are none."""
    written = text(raw.get("text"))[:_LONGEST].replace("&nbsp;", " ")
    bot, bot_name = at(raw, "recipient", "id"), text(at(raw, "recipient", "name"))
    people: list[Mention] = []
    for who, shown in _mentions(raw):
        is_bot = who.teams_id == bot
        if shown:
            place = " " if is_bot else _PLACE.format(len(people))
            written = written.replace(shown, place, 1)
        if not is_bot:
            people.append(who)
    if bot_name:
        # Some clients leave the entity of the bot's own mention out.
        own = rf"<at\b[^>]*>{re.escape(bot_name)}</at>"
        written = re.sub(own, " ", written, flags=re.IGNORECASE)
    return Said(_words(_TYPED.sub("", written), people), tuple(dict.fromkeys(people)))


def _mentions(raw: Mapping[str, Any]) -> Iterator[tuple[Mention, str]]:
    """Each mention, and the piece of the text that is it."""
    found = [part for part in rows(raw.get("entities")) if at(part, "type") == "mention"]
    for part in found[:_MOST]:
        who, name = text(at(part, "mentioned", "id")), text(at(part, "mentioned", "name"))
        if 0 < len(who) <= 200:
            yield Mention(who, " ".join(name.split())[:100]), text(part.get("text"))


def _words(written: str, people: list[Mention]) -> str:
    """One line: the first word, then the rest; both without the mentions around them."""
    found = _FIRST_WORD.match(_without_first(written))
    first, rest = (found[1], found[2]) if found else ("", "")
    rest = _without_last(_without_first(rest))
    named = _ONE.sub(lambda place: people[int(place[1])].name, rest)
    return " ".join(f"{first} {named}".split())


def _without_first(written: str) -> str:
    """Without the mentions that come first, and what separates them from the words."""
    while found := _BEFORE.match(written):
        written = written[found.end() :]
    return written


def _without_last(written: str) -> str:
    """The same at the end."""
    while (bare := written.rstrip(_BETWEEN)).endswith("\0"):
        written = bare[: bare.rindex("\0", 0, -1)].rstrip(_BETWEEN)
    return written
