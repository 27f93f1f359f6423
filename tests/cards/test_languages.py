"""Every card in other languages: whole, and with nothing left that only English says."""

import gettext as catalogues
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from bot import words
from bot.teams.commands import understand
from bot.words import speaking
from cards.elements import MAX_BYTES, payload, size
from tests.cards.sample import retold
from tests.cards.samples import gallery
from tests.cards.test_gallery import VALIDATOR, of_type, parts, without_extensions

OTHERS = [language for language in words.LANGUAGES if language != words.SOURCE]
_SHOWN = ("text", "title", "label", "placeholder", "errorMessage", "altText", "tooltip")
_SHOWN_OF_A_CARD = ("speak", "fallbackText")
_OPEN, _CLOSE = "⟦", "⟧"
# Names in the data that a card has words for: these stay as they are.
_NAMED = re.compile(r"systemDefaultText|\{actor\}|[A-Z]\w+(?:\.[A-Z]\w+){1,2}|([A-Za-z])")
_WIDE = str.maketrans(
    {chr(letter): chr(letter + 0xFEE0) for letter in range(0x21, 0x7F) if chr(letter).isalpha()}
)
# The same in every language: addresses, and Microsoft's names of permissions.
_EVERYWHERE = re.compile(
    r"ada@contoso\.com|https://teams\.microsoft\.com/(?:l/)?…|\b[A-Z]\w+(?:\.\w+)+"
)


@cache
def catalogue(language: str) -> Catalog:
    with (words.LOCALES / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


class Marks(catalogues.NullTranslations):
    """A language that says everything in English, between marks; what it doesn't know, without."""

    def __init__(self, known: set[tuple[str | None, str]]) -> None:
        super().__init__()
        self._known = known

    def gettext(self, message: str) -> str:
        return self._marked(None, message, message)

    def pgettext(self, context: str, message: str) -> str:
        return self._marked(context, message, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self._marked(None, msgid1, msgid1 if n == 1 else msgid2)

    def _marked(self, context: str | None, known_by: str, message: str) -> str:
        return f"{_OPEN}{message}{_CLOSE}" if (context, known_by) in self._known else message


def disguised(text: str) -> str:
    """The same in letters that no text of ours has."""
    return _NAMED.sub(lambda found: found[0].translate(_WIDE) if found[1] else found[0], text)


def shown(card: dict[str, Any]) -> Iterator[str]:
    """Every text of a card that somebody reads or hears."""
    yield from (str(card.get(key, "")) for key in _SHOWN_OF_A_CARD)
    for part in parts(card):
        yield from (str(part.get(key, "")) for key in _SHOWN)


def unmarked(text: str) -> str:
    """What stands outside of all marks; one that lost its end to a limit goes on to the end."""
    depth, outside = 0, ""
    for letter in text:
        depth += (letter == _OPEN) - (letter == _CLOSE)
        outside += letter if not depth else ""
    return outside


def english_in(card: dict[str, Any]) -> set[str]:
    left = (_EVERYWHERE.sub("", unmarked(text)) for text in shown(card))
    return {text.strip() for text in left if re.search(r"[A-Za-z]", text)}


def test_no_card_says_anything_that_the_catalogues_do_not_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {
        (message.context, message.id if isinstance(message.id, str) else message.id[0])
        for message in catalogue(OTHERS[0])
    }
    monkeypatch.setattr(words, "_catalogue", lambda _: Marks(known))
    found = {}
    for sample in gallery():
        with speaking(OTHERS[0]):
            card = payload(sample.draw(retold(sample.view, disguised)))
        found[sample.title] = english_in(card)
    assert {title: left for title, left in found.items() if left} == {}


@pytest.mark.parametrize("language", OTHERS)
def test_a_card_in_another_language_is_whole(language: str) -> None:
    drawn = set()
    for sample in gallery():
        with speaking(language):
            made = sample.draw(sample.view)
        card = payload(made)
        assert size(made) < MAX_BYTES, sample.title
        assert card["lang"] == language
        for entry in of_type(card, "Input."):
            assert entry["label"].strip(), sample.title
            assert entry.get("errorMessage", "").strip() or not entry.get("isRequired")
        if sample.draw not in drawn:
            # Words alone are what differs: one card of each kind is enough.
            drawn.add(sample.draw)
            errors = [e.message[:200] for e in VALIDATOR.iter_errors(without_extensions(card))]
            assert errors == [], sample.title


@pytest.mark.parametrize("language", OTHERS)
def test_a_command_that_a_text_names_is_one_there_too(language: str) -> None:
    named = []
    for message in catalogue(language):
        one = message.id if isinstance(message.id, str) else message.id[0]
        said = message.string if isinstance(message.string, str) else message.string[0]
        commands = [understand(word).command for word in _quoted(one)]
        if all(commands):
            assert [understand(word).command for word in _quoted(said)] == commands, said
            named += commands
    assert named


def _quoted(text: str) -> list[str]:
    return [word.removeprefix("@Herald ") for word in re.findall("“([^”]+)”", text)]
