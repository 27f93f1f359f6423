"""The words of messages: plain text of whatever HTML there is."""

import time

import pytest

from bot.teams.message_text import words_of_card, words_of_html


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("", ""),
        ("plain", "plain"),
        ("<div><p>one</p><p>two</p></div>", "one two"),
        ("a<br>b<br/>c", "a b c"),
        ("<p>is<b>n</b>'t <i>it</i></p>", "isn't it"),
        ('<at id="0">Megan Bowen</at>, please', "Megan Bowen, please"),
        ("room&nbsp;4 &lt;b&gt; &amp;amp; &#x1f642;", "room 4 <b> &amp; 🙂"),
        ('ok <emoji id="y" alt="👍" title="Yes"></emoji>', "ok 👍"),
        ("<img src='x' alt='a plan'> here", "a plan here"),
        ('<img src="x"> here', "here"),
        ('<attachment id="1"></attachment>', ""),
        ("<script>alert(1)</script>said<style>p{}</style>", "said"),
        ("<!-- not seen --> seen <!-- never closed", "seen"),
        ("3 < 4 and 5 > 4", "3 < 4 and 5 > 4"),
        ("cut off <b", "cut off"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("<![<! odd", "<![<! odd"),
    ],
)
def test_tags_become_spaces_or_nothing(html: str, words: str) -> None:
    assert words_of_html(html) == words


@pytest.mark.parametrize(
    "piece",
    ["<", "<!--", "&#", "<a ", "</", "<![", "<div>", "<script>", "<script ", '<img alt="', "&lt;"],
)
def test_what_is_made_to_annoy_takes_no_longer_than_its_length(piece: str) -> None:
    began = time.process_time()
    words_of_html(piece * (200_000 // len(piece)))
    assert time.process_time() - began < 1


def test_a_cards_texts_are_read_in_their_order() -> None:
    card = {
        "type": "AdaptiveCard",
        "body": [
            {"type": "TextBlock", "text": "**Build** _12_"},
            {"type": "Image", "url": "x", "altText": "no"},
            {
                "type": "ColumnSet",
                "columns": [{"items": [{"type": "TextBlock", "text": "failed"}]}],
            },
            {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": "at {{DATE(x)}}"}]},
        ],
    }
    assert words_of_card(card) == "Build 12 failed at"


@pytest.mark.parametrize("content", [None, 7, "", "[", "[" * 60_000, [[[]]], {"body": {"body": 1}}])
def test_what_is_no_card_says_nothing(content: object) -> None:
    assert words_of_card(content) == ""
