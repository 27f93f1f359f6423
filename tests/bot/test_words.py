"""Texts in the reader's language: every one translated, and none mixed up between readers."""

import asyncio
import importlib.util
import time
from pathlib import Path
from types import ModuleType

import aiohttp
import pytest
from babel.messages.catalog import Catalog

from bot import words
from bot.about import preferred
from bot.errors import StaleButton
from bot.settings import ROOT, Settings
from bot.words import (
    gettext,
    joined,
    language_of,
    listed,
    ngettext,
    pgettext,
    speaking,
    spoken,
    written,
)
from sandbox.stage import Stage


def _tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("messages", ROOT / ".ci" / "messages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = _tool()
CATALOGUES = sorted(words.LOCALES.glob("*.po"))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_every_marked_text_is_translated_in_every_form(path: Path) -> None:
    assert TOOL.problems(TOOL.updated(path)) == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_catalogue_holds_what_is_marked_and_nothing_else(path: Path) -> None:
    fresh = TOOL.written(TOOL.updated(path))
    assert fresh == path.read_bytes(), "run make messages"


def test_what_is_missing_or_mistaken_in_a_catalogue_is_named() -> None:
    catalog = Catalog(locale="es")
    catalog.add("Privacy", "")
    catalog.add("It leaves on {day}.", "Sale el {dia}.")
    catalog.add(("{number} person", "{number} people"), ("{number} persona", ""))
    catalog.add(("a person", "{number} people"), ("una persona", "{number} personas"))
    catalog.add("Terms", "Condiciones", flags=["fuzzy"])
    assert TOOL.problems(catalog) == [
        "'Privacy' is not translated.",
        "'It leaves on {day}.': its names in braces are ['day'].",
        "'{number} person' is not translated.",
        "'Terms' is not translated.",
    ]


def test_spanish_is_spoken_to_those_whose_client_does() -> None:
    assert [language_of(each) for each in ("es-MX", "es", "ES_US")] == ["es", "es", "es"]
    assert [language_of(each) for each in ("en-US", "fr-FR", "", "..")] == ["en"] * 4
    with speaking("es-MX"):
        assert gettext("Privacy") == "Privacidad"
    assert gettext("Privacy") == "Privacy"


def test_a_text_without_a_translation_is_said_as_it_stands() -> None:
    with speaking("es"):
        assert gettext("Nobody marked this.") == "Nobody marked this."
        assert gettext("") == ""


def test_what_people_wrote_is_filled_in_and_not_read_as_a_pattern() -> None:
    assert gettext("{who} said so", who="{number} <b>{0}</b>") == "{number} <b>{0}</b> said so"


def test_numbers_choose_their_form_and_are_written_as_people_there_write_them() -> None:
    assert ngettext("a person", "{number} people", 1) == "a person"
    assert ngettext("a person", "{number} people", 12_000) == "12,000 people"
    with speaking("es-MX"):
        assert written(12_000) == "12,000"


def test_one_english_word_is_two_where_another_language_needs_them() -> None:
    assert pgettext("appointment", "Cancelled") == gettext("Cancelled") == "Cancelled"
    with speaking("es"):
        assert (pgettext("appointment", "Cancelled"), gettext("Cancelled")) == (
            "Cancelada",
            "Cancelado",
        )


def test_names_are_listed_and_parts_joined_as_the_language_does() -> None:
    names = ["Ada", "Lee", "Megan"]
    assert [listed(names), listed(names, besides=1_200), listed([], besides=2)] == [
        "Ada, Lee, Megan",
        "Ada, Lee, Megan and 1,200 more",
        "",
    ]
    assert [joined([]), joined(names[:1]), joined(names)] == ["", "Ada", "Ada, Lee and Megan"]
    with speaking("es"):
        assert listed(names, besides=1_200) == "Ada, Lee, Megan y 1,200 más"
        assert joined(names) == "Ada, Lee y Megan"


def test_the_words_agreed_on_stay_at_the_top_of_a_catalogue() -> None:
    for path in CATALOGUES:
        assert path.read_text("utf-8").startswith("# The words of this catalogue.")


async def test_two_readers_at_once_each_hear_their_own_language() -> None:
    heard: dict[str, list[str]] = {"es-MX": [], "en-US": []}

    async def read(locale: str) -> None:
        with speaking(locale):
            for _ in range(20):
                heard[locale].append(gettext("Terms"))
                await asyncio.sleep(0)

    await asyncio.gather(read("es-MX"), read("en-US"))
    assert set(heard["es-MX"]) == {"Condiciones"}
    assert set(heard["en-US"]) == {"Terms"}
    assert spoken() == "en"


def test_a_translated_card_costs_a_turn_nothing_that_it_would_notice() -> None:
    words.load()
    with speaking("es"):
        began = time.process_time()
        for _ in range(2_000):
            gettext("Herald {what}", what="x")
        took_s = time.process_time() - began
    # A large card has two hundred texts: a tenth of this many in a millisecond or two.
    assert took_s < 0.2


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("en-US,es;q=0.9", "en"),
        ("fr-FR,es;q=0.5,en;q=0.4", "es"),
        ("de", "en"),
        ("", "en"),
        ("es;q=0", "en"),
        ("es;q=x, *", "en"),
    ],
)
def test_a_browsers_liking_is_followed(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


async def test_the_pages_about_herald_are_in_the_readers_language(
    herald: Settings, stage: Stage
) -> None:
    address = f"{stage.app_url}/about/privacy"
    async with aiohttp.ClientSession() as session:
        async with session.get(address, headers={"Accept-Language": "es-ES"}) as page:
            text = await page.text()
            assert page.headers["Content-Language"] == "es"
        assert 'lang="es"' in text
        assert "se borran después de 90 días" in text
        async with session.get(address) as page:
            assert "erased after 90 days" in await page.text()


def test_an_errors_sentence_is_said_in_the_language_that_is_spoken() -> None:
    with speaking("es-US"):
        assert StaleButton().sentence.startswith("Esta tarjeta")
        assert str(StaleButton("seen before")) == "seen before"
    assert StaleButton().sentence.startswith("This card")
