"""Every sample card in the gallery: on the narrowest phone, for a keyboard, for a screen reader."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import become
from tests.browser.steps import Opener, view

pytestmark = pytest.mark.browser
Picture = Callable[[Page, str], None]


@pytest.fixture(scope="module")
def samples(narrow: Page) -> list[dict[str, Any]]:
    answer = narrow.request.get("/sandbox/gallery")
    assert answer.ok
    found: list[dict[str, Any]] = answer.json()
    return found


@pytest.fixture(scope="module")
def narrow(chromium: Any, sandbox: str) -> Iterator[Page]:
    """The gallery with every sample in it, on a window of 320 pixels."""
    context = chromium.new_context(viewport={"width": 320, "height": 640}, base_url=sandbox)
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto(sandbox)
    become(page, "Nadia Hassan")
    view(page, "Cards")
    page.get_by_label("Light or dark").select_option("light")
    page.get_by_label("Hostile and huge ones too").check()
    page.get_by_label("Card", exact=True).select_option("")
    yield page
    context.close()


def test_no_card_scrolls_sideways_and_everything_on_it_is_reached_and_named(
    narrow: Page, samples: list[dict[str, Any]]
) -> None:
    of_each = Counter(sample["language"] for sample in samples)
    assert len(of_each) > 1
    for language, number in of_each.items():
        narrow.get_by_label("Language", exact=True).select_option(language)
        expect(narrow.locator("#view-cards .sample")).to_have_count(number)
        assert narrow.evaluate(_script("samples")) == []
        assert narrow.evaluate("document.documentElement.scrollWidth") <= 320
        gallery = narrow.locator(".gallery")
        assert gallery.evaluate("(it) => it.scrollWidth <= it.clientWidth")


def test_every_card_says_in_words_what_it_is_where_it_cannot_be_shown(
    samples: list[dict[str, Any]],
) -> None:
    silent = [s["sample"] for s in samples if not s["payload"].get("speak", "").strip()]
    blank = [s["sample"] for s in samples if not s["payload"].get("fallbackText", "").strip()]
    assert (silent, blank) == ([], [])


def test_the_gallery_shows_a_card_in_light_and_dark_beside_each_other(
    open_page: Opener, picture: Picture
) -> None:
    page = open_page("Adele Vance")
    view(page, "Cards")
    page.get_by_label("Card", exact=True).select_option("Delivery")
    schemes = page.locator(".sample").first.locator(".scheme")
    expect(schemes).to_have_count(2)
    picture(page, "gallery")


def test_the_page_is_walked_through_by_keyboard(open_page: Opener) -> None:
    """Every stop has a name and can be seen to have the focus."""
    page = open_page("Lee Gu", width=380)
    page.evaluate("document.activeElement.blur()")
    stops = []
    for _ in range(30):
        page.keyboard.press("Tab")
        stop = page.evaluate(_script("focus"))
        if stop is None:
            break
        stops.append(stop)
    assert len(stops) > 12
    assert [stop for stop in stops if not stop["name"]] == []
    assert [stop["name"] for stop in stops if not stop["seen"]] == []


def test_who_types_into_a_card_goes_on_when_its_message_changes_around_it(narrow: Page) -> None:
    seen = narrow.evaluate(_script("typing"))
    assert seen == {"same": True, "focused": True, "typed": "Good mor"}


def _script(name: str) -> str:
    return Path(__file__).with_name(f"{name}.js").read_text("utf-8")
