"""Who is mentioned in a message, and what was said around the mentions.

A mention is an entity of the activity, and a piece of its text that the entity names
(`<at>Adele Vance</at>`). The entities are the source: what merely looks like a mention in the text
is text, for anybody can type it, and a name may hold the words of a command.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_MOST = 50  # mentions that are read of one message
_LONGEST = 4000  # characters of a text
# A mention's place while the text is read: NUL never comes in from outside (`wire`).
_PLACE = "\0{}\0"
_ONE = re.compile(r"\0(\d+)\0")
_BEFORE = re.compile(r"^(?:\s*\0\d+\0[\s,;:]*)+")
_AFTER = re.compile(r"(?:[\s,;:]*\0\d+\0)+\s*$")
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
    text = raw.get("text")
    text = text[:_LONGEST].replace("&nbsp;", " ") if isinstance(text, str) else ""
    bot = _at(raw, "recipient", "id")
    people: list[Mention] = []
    for account, shown in _mentions(raw):
        is_bot = account.teams_id == bot
        place = " " if is_bot else _PLACE.format(len(people))
        if shown and shown in text:
            text = text.replace(shown, place, 1)
        if not is_bot:
            people.append(account)
    bot_name = _at(raw, "recipient", "name")
    if isinstance(bot_name, str) and bot_name:
        # Some clients leave the entity of the bot's own mention out.
        text = re.sub(rf"<at\b[^>]*>{re.escape(bot_name)}</at>", " ", text, flags=re.IGNORECASE)
    return Said(_words(_TYPED.sub("", text), people), tuple(dict.fromkeys(people)))


def _mentions(raw: Mapping[str, Any]) -> Iterator[tuple[Mention, str]]:
    entities = raw.get("entities")
    listed = entities if isinstance(entities, list) else []
    found = [part for part in listed if _at(part, "type") == "mention"]
    for part in found[:_MOST]:
        who, name, shown = (
            _at(part, "mentioned", "id"),
            _at(part, "mentioned", "name"),
            part.get("text"),
        )
        if isinstance(who, str) and 0 < len(who) <= 200:
            name = name if isinstance(name, str) else ""
            yield (
                Mention(who, " ".join(name.split())[:100]),
                shown if isinstance(shown, str) else "",
            )


def _words(text: str, people: list[Mention]) -> str:
    """One line: the first word, then the rest; both without the mentions around them."""
    text = _BEFORE.sub("", text)
    found = _FIRST_WORD.match(text)
    first, rest = (found[1], found[2]) if found else ("", "")
    rest = _AFTER.sub("", _BEFORE.sub("", rest))
    named = _ONE.sub(lambda place: people[int(place[1])].name, rest)
    return " ".join(f"{first} {named}".split())


def _at(found: Any, *path: str) -> Any:
    for name in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found
