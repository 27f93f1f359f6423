"""Words of others stay words."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cards.plain import breakable, clean, json_bytes, kept, plain, spoken
from tests.cards.conftest import lint
from tests.cards.sample import HOSTILE

MARKDOWN = MarkdownIt("commonmark").enable("strikethrough")
NASTY = [
    "[x](https://evil.example)",
    "[x]( https://evil.example 'title')",
    "![x](https://evil.example/i.png)",
    "[x][r] [r]: https://evil.example",
    "<https://evil.example>",
    "<b>bold</b>",
    "<at>Everyone</at>",
    "**bold**",
    "__bold__",
    "*it* _it_",
    "~~gone~~",
    "`code`",
    "```\ncode\n```",
    "    indented",
    "# title",
    "title\n===",
    "- item",
    "+ item",
    "* item",
    "1. item",
    "1) item",
    "> quote",
    "---",
    "***",
    "a\\*b*c*",
    "\\[x](https://evil.example)",
    "&#91;x&#93;(https://evil.example)",
    "[x\u202e](https://evil.example)",
    "[x]\u200b(https://evil.example)",
    "[\u0645\u0648\u0639\u062f](https://evil.example)",
    "line\r- item",
    "|a|b|\n|-|-|\n|c|d|",
    HOSTILE,
]
ALPHABET = st.text(
    st.one_of(
        st.sampled_from("[]()<>*_~`#-+=1.!&;:/\\|{} \n\tax\u200b\u202e\u0645"), st.characters()
    ),
    max_size=60,
)


def markup(text: str) -> set[str]:
    tokens = MARKDOWN.parse(text)
    inner = [child for token in tokens for child in token.children or []]
    return {t.type for t in [*tokens, *inner]} - {
        "paragraph_open",
        "paragraph_close",
        "inline",
        "text",
        "text_special",
    }


def test_the_web_clients_markdown_makes_nothing_of_it() -> None:
    assert lint({}, [plain(text) for text in NASTY])["texts"] == [[]] * len(NASTY)


@pytest.mark.parametrize("text", NASTY)
def test_a_phone_that_overlooks_backslashes_finds_no_link(text: str) -> None:
    assert "](" not in plain(text).replace("\\", "")


@given(ALPHABET)
def test_no_text_becomes_markup(text: str) -> None:
    assert markup(plain(text)) == set()


@given(ALPHABET)
def test_clean_text_is_one_line_without_controls(text: str) -> None:
    shown = clean(text)
    allowed = {"\u2068", "\u2069", "\u2060", "\u200c", "\u200d"}
    assert all(unicodedata.category(c) != "Cc" for c in shown)
    assert not {c for c in shown if unicodedata.bidirectional(c) in {"RLO", "LRO", "RLE", "LRE"}}
    assert {"\u200b", "\u202e"} & set(shown) <= allowed
    assert "{{" not in shown
    shown.encode()


@given(st.text(max_size=400), st.integers(2, 80))
def test_clean_text_keeps_to_its_length(text: str, limit: int) -> None:
    visible = clean(text, limit).translate(dict.fromkeys((0x2068, 0x2069, 0x2060)))
    assert len(visible) <= limit


@given(st.text(max_size=300), st.integers(0, 200))
def test_a_kept_value_fits_and_says_when_it_was_cut(value: str, max_bytes: int) -> None:
    shown, was_cut = kept(value, max_bytes)
    assert len(json.dumps(shown)) - 2 <= max_bytes
    assert was_cut or shown == "".join(c for c in value if c in "\n\t" or c >= " ")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_bytes_are_counted_no_lower_than_they_are(text: str) -> None:
    assert json_bytes(text) >= len(json.dumps(text)) - 2


def test_a_kept_list_is_cut_at_the_end_of_a_line() -> None:
    shown, was_cut = kept("\n".join(["+12065550142, Pacific"] * 100), 120)
    assert was_cut
    assert shown.splitlines() == ["+12065550142, Pacific"] * 5


def test_emoji_and_other_scripts_stay() -> None:
    assert clean("👩🏽‍⚕️ Žofie – 診察") == "👩🏽‍⚕️ Žofie – 診察"
    assert plain("Dr. Ruiz, 9:00 AM (room 3)") == "Dr. Ruiz, 9:00 AM (room 3)"


def test_right_to_left_words_are_isolated() -> None:
    assert clean("\u0645\u0648\u0639\u062f") == "\u2068\u0645\u0648\u0639\u062f\u2069"
    assert (
        clean("“\u0645\u0648 (3) \u05e9” is no number")
        == "“\u2068\u0645\u0648 (3) \u05e9\u2069” is no number"
    )


def test_the_cards_own_functions_are_broken_up() -> None:
    assert "{{" not in clean("{{DATE(2017-02-14T06:08:39Z,SHORT)}} {{{{x")


def test_a_long_text_ends_in_an_ellipsis() -> None:
    assert clean("word " * 100, 20) == "word word word word…"


def test_only_words_longer_than_any_real_one_may_break() -> None:
    permission = "VirtualAppointmentNotification.Send"
    assert breakable(permission) == permission
    assert max(map(len, breakable("x" * 500).split("\u200b"))) == 20


def test_speech_carries_no_markup() -> None:
    assert not set("<>&") & set(spoken("<speak>a & b</speak>"))
