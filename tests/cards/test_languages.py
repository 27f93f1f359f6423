"""Every card in other languages: whole, and with nothing left that only English says."""

import re
from functools import cache
from string import ascii_letters
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
from tests.cards.test_gallery import VALIDATOR, of_type, without_extensions
from tests.marked import leftover, speak_marked, visible

OTHERS = [language for language in words.LANGUAGES if language != words.SOURCE]
# What no card may claim, in any language: Microsoft doesn't tell.
_DELIVERED = {"es": "entregad"}
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


def disguised(text: str) -> str:
    """The same in letters that no text of ours has."""
    return _NAMED.sub(lambda found: found[0].translate(_WIDE) if found[1] else found[0], text)


def english_in(card: dict[str, Any]) -> set[str]:
    shown = (_EVERYWHERE.sub("", text) for text in visible(card))
    return {text for text in shown if not set(ascii_letters).isdisjoint(leftover(text))}


def test_no_card_says_anything_that_the_catalogues_do_not_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    language = speak_marked(monkeypatch)
    found = {}
    for sample in gallery():
        with speaking(language):
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
        assert _DELIVERED[language] not in " ".join(visible(card)).lower(), sample.title
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
