"""Now or later: what the forms ask, and what the reviews say."""

from dataclasses import replace
from typing import Any

import pytest

from cards.elements import payload
from cards.fields import Fields
from cards.notice_form import NoticeFormView, notice_form
from cards.notice_review import NoticeReviewView, notice_review
from cards.text_form import TextFormView, text_form
from cards.text_review import ReviewedAttendee, TextReviewView, text_review
from tests.cards.sample import LATER, LEAVES, WHEN
from tests.cards.samples import KINDS, LANGUAGES, MEETINGS, ZONES
from tests.cards.test_gallery import of_type, words_in

FORMS: list[Any] = [
    (text_form, TextFormView("form-1", 1, MEETINGS, ZONES, LANGUAGES)),
    (notice_form, NoticeFormView("form-2", KINDS, KINDS[0].value, "{actor} asks", ())),
]
WHO = (ReviewedAttendee("(206) 555-0142", "Arizona", ""),)
REVIEWS: list[Any] = [
    (text_review, TextReviewView("form-1", "Confirmation", "A visit", "", "English", WHO)),
    (notice_review, NoticeReviewView("form-2", "Megan", "asks", "", "", "", ("Adele",), 1)),
]
each_form = pytest.mark.parametrize(("draw", "view"), FORMS)
each_review = pytest.mark.parametrize(("draw", "view"), REVIEWS)


def inputs(draw: Any, view: Any, **more: Any) -> dict[str, Any]:
    card = payload(draw(replace(view, **more)))
    return {entry["id"]: entry for entry in of_type(card, "Input.")}


@each_form
def test_without_a_zone_nobody_is_asked_when(draw: Any, view: Any) -> None:
    assert not set(inputs(draw, view)) & set(LATER)


@each_form
def test_a_form_leaves_now_unless_somebody_chooses(draw: Any, view: Any) -> None:
    shown = inputs(draw, view, **WHEN)
    assert shown["when"]["value"] == "now"
    assert "value" not in shown["when_date"]
    assert "value" not in shown["when_time"]
    assert shown["when_time"]["label"] == "Time (Pacific time)"
    words = words_in(payload(draw(replace(view, **WHEN))))
    assert "up to 90 days ahead, in your own zone, Pacific time" in words


@each_form
def test_the_time_that_was_chosen_stays(draw: Any, view: Any) -> None:
    shown = inputs(draw, view, values=LATER, errors=dict.fromkeys(LATER, "No."), **WHEN)
    assert {name: shown[name]["value"] for name in LATER} == LATER
    assert all(shown[name]["label"].endswith("please look again") for name in LATER)


@each_form
def test_an_error_of_the_time_is_seen_even_where_it_is_not_asked(draw: Any, view: Any) -> None:
    card = payload(draw(replace(view, errors={"when_date": "This day is over."})))
    assert "This day is over." in words_in(card)


def test_a_reminder_says_what_microsoft_does_not() -> None:
    card = payload(text_form(FORMS[0][1]))
    (kinds,) = (e for e in of_type(card, "Input.") if e["id"] == "message_type")
    assert kinds["choices"][3]["value"] == "reminder"
    assert "15 minutes before the start" in words_in(card)


@pytest.mark.parametrize(
    ("day", "bounds"),
    [
        ("", ("2026-11-20", "2027-02-18")),
        ("2026-11-20", ("2026-11-20", "2027-02-18")),
        ("2027-02-18", ("2026-11-20", "2027-02-18")),
        ("2026-11-19", (None, None)),
        ("2027-02-19", (None, None)),
    ],
)
def test_a_day_that_cannot_be_stops_no_button(day: str, bounds: Any) -> None:
    shown = inputs(*FORMS[0], values={**LATER, "when_date": day}, **WHEN)["when_date"]
    assert shown.get("value", "") == day
    assert (shown.get("min"), shown.get("max")) == bounds


@pytest.mark.parametrize("value", ["tomorrow", "2026-12-01T09:00", "١٢", "9 AM", "25"])
def test_what_is_no_day_or_time_is_left_to_its_error(value: str) -> None:
    fields = Fields({"day": value, "time": value}, {})
    for entry in (fields.date("day", "Day"), fields.time("time", "Time")):
        assert not hasattr(entry.items[0], "value") or entry.items[0].value is None


@each_review
def test_a_review_says_that_it_leaves_now(draw: Any, view: Any) -> None:
    card = payload(draw(view))
    assert card["actions"][0]["title"] == "Send now to 1 person"
    assert "It leaves now" in words_in(card)


@each_review
def test_a_review_says_when_it_leaves(draw: Any, view: Any) -> None:
    card = payload(draw(replace(view, leaves=LEAVES)))
    assert card["actions"][0]["title"] == "Schedule for 1 person"
    assert f"It leaves on {LEAVES}." in words_in(card)
    assert LEAVES in card["speak"]
    assert "leaves now" not in words_in(card)
