"""The pages themselves: links lead somewhere, and nothing that Herald says or takes is left out."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import bot
from bot.errors import HeraldError
from bot.settings import ROOT, Settings
from bot.teams.commands import COMMANDS
from tests.docs.pages import PAGES

TROUBLESHOOTING = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
LONGEST = 110  # characters of a line, tables and links aside
LINK = re.compile(r"\]\(([^)\s]+)\)|src=\"([^\"]+)\"")


def errors() -> list[type[HeraldError]]:
    """Every error that Herald raises on purpose, wherever it is defined."""
    for module in pkgutil.walk_packages(bot.__path__, "bot."):
        if "migrations" not in module.name and "__main__" not in module.name:
            importlib.import_module(module.name)
    found: dict[type[HeraldError], None] = {HeraldError: None}
    for kind in found_below(HeraldError):
        if kind.__module__.startswith("bot."):
            found[kind] = None
    return list(found)


def found_below(kind: type[HeraldError]) -> list[type[HeraldError]]:
    return [each for below in kind.__subclasses__() for each in (below, *found_below(below))]


def test_every_sentence_of_an_error_is_explained() -> None:
    sentences = {(kind.__doc__ or "").strip().splitlines()[0] for kind in errors()}
    missing = sorted(sentence for sentence in sentences if sentence not in TROUBLESHOOTING)
    assert missing == [], "docs/troubleshooting.md lacks these sentences"


def test_no_sentence_is_explained_that_nobody_says() -> None:
    said = {(kind.__doc__ or "").strip().splitlines()[0] for kind in errors()}
    explained = set(re.findall(r"^\| (?!you read)([A-Z].+?) \|", TROUBLESHOOTING, re.MULTILINE))
    assert explained - said == set()


def test_every_setting_is_described() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    missing = [name for name in Settings.model_fields if f"| `{name.upper()}` |" not in readme]
    assert missing == []


def test_no_page_names_a_setting_that_there_is_not() -> None:
    known = {name.upper() for name in Settings.model_fields}
    prefixes = tuple(name.split("_")[0] + "_" for name in known if "_" in name)
    for page in PAGES:
        named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", page.read_text("utf-8")))
        strange = {name for name in named - known if name.startswith(prefixes)}
        assert strange <= {"POSTGRES_PASSWORD", "PUBLIC_DOMAIN"}, page.name


def test_every_command_of_the_chat_is_described() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert all(f"| `{command.name}`" in readme for command in COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in (one or other for one, other in LINK.findall(page.read_text("utf-8"))):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{page.name}: {link}"


def anchors(page: Path) -> set[str]:
    """A page's headings as links name them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_picture_says_what_it_shows(page: Path) -> None:
    for words in re.findall(r"!\[(.*?)\]\(", page.read_text("utf-8")):
        assert len(words) > 10, page.name


OURS = [page for page in PAGES if page.name not in {"performance.md", "scale.md"}]


@pytest.mark.parametrize("page", OURS, ids=lambda page: page.name)
def test_lines_are_short_enough_to_compare(page: Path) -> None:
    for line in page.read_text("utf-8").splitlines():
        is_whole = line.startswith(("|", "  |", "   |", "!", "```", "python", "docker"))
        assert is_whole or len(line) <= LONGEST, f"{page.name}: {line[:60]}"


def test_every_page_is_reached_from_readme() -> None:
    reached = {ROOT / "README.md"}
    while True:
        more = {
            (page.parent / link.partition("#")[0]).resolve()
            for page in reached
            for link, _ in LINK.findall(page.read_text("utf-8"))
            if link.partition("#")[0].endswith(".md") and not link.startswith("http")
        }
        if more <= reached:
            break
        reached |= more
    assert set(PAGES) - reached == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = re.findall(
        r"`((?:bot|cards|sandbox|tests|manifest|deploy|bench|\.ci|docs)/[\w./-]+)`",
        page.read_text("utf-8"),
    )
    made = {"bench/results.json"}
    missing = sorted({name for name in named if not (ROOT / name).exists()} - made)
    assert missing == []
