"""What can be done about a delivery, how far it is, and lists of them."""

from dataclasses import replace
from typing import Any

import pytest

from cards import buttons
from cards.delivery import DeliveryView, Problem, delivery_card
from cards.delivery_list import DeliveryListView, DeliveryRow, delivery_list
from cards.elements import payload
from tests.cards.delivery_samples import ALL_THAT_CAN_BE
from tests.cards.sample import LATER, LEAVES, WHEN
from tests.cards.test_gallery import of_type, words_in

TEXT = DeliveryView("d1", "d1", "text", "Confirmation text", "A visit", "accepted", 2, accepted=2)
SCHEDULED = replace(TEXT, state="scheduled", accepted=0, waiting=2, leaves_at=LEAVES)
RUNNING = replace(TEXT, kind="notice", state="waiting", total=10_000, accepted=100, waiting=9_900)
STATES = [
    "scheduled",
    "waiting",
    "accepted",
    "arrived",
    "refused",
    "unknown",
    "mixed",
    "held",
    "cancelled",
]
ROW = DeliveryRow("d1", "3fa2b1c9", "Confirmation text", "Follow-up visit", "accepted", LEAVES, 2)


def drawn(view: DeliveryView, **more: Any) -> dict[str, Any]:
    return payload(delivery_card(replace(view, **more)))


def titles(card: dict[str, Any]) -> list[str]:
    return [action["title"] for action in card.get("actions", [])]


@pytest.mark.parametrize(
    ("more", "offered"),
    [
        (
            {"state": "held", "can_send_now": True, "can_change": True, "can_cancel": True},
            ["Send it anyway", "Change it", "Cancel it"],
        ),
        ({"state": "held"}, ["Look again"]),
        (
            {"state": "scheduled", "can_send_now": True, "can_cancel": True},
            ["Cancel it", "Send now"],
        ),
        ({"state": "waiting", "can_cancel": True}, ["Cancel the rest", "Look again"]),
        (
            {"state": "unknown", "can_decide": True, "can_change": True},
            ["It arrived", "Send again", "Change and send again"],
        ),
        (
            {"state": "refused", "can_retry": True, "can_separate": True},
            ["Retry what was refused", "Send to each separately"],
        ),
        (
            {"follow_ups": ("reschedule", "cancellation", "reminder"), "can_export": True},
            [
                "Send a new time",
                "Send a cancellation",
                "Send a reminder",
                "Look again",
                "Save the results",
            ],
        ),
        (
            {"follow_ups": ("reschedule", "cancellation"), "change_tells": "reschedule"},
            ["Text that it was moved", "Send a cancellation", "Look again"],
        ),
        ({"can_correct": True}, ["Correct it"]),
        (
            {"state": "needs_sign_in", "can_cancel": True},
            ["Sign in", "Cancel the rest", "Look again"],
        ),
    ],
)
def test_a_delivery_offers_the_most_useful_first(more: Any, offered: list[str]) -> None:
    assert titles(drawn(replace(TEXT, accepted=0, waiting=2), **more)) == offered


@pytest.mark.parametrize("state", STATES)
def test_whatever_can_be_done_there_are_at_most_six_buttons(state: Any) -> None:
    follow_ups = ("reschedule", "cancellation", "reminder")
    card = drawn(TEXT, state=state, can_change=True, follow_ups=follow_ups, **ALL_THAT_CAN_BE)
    assert titles(card)[:2] == ["It arrived", "Send again"]
    assert len(titles(card)) == 6


def test_a_text_that_follows_nothing_is_not_offered() -> None:
    assert titles(drawn(TEXT, follow_ups=("confirmation", "<b>"))) == []


def test_what_partly_left_is_cancelled_in_its_rest_only() -> None:
    card = drawn(SCHEDULED, state="held", accepted=1, waiting=1, can_cancel=True)
    assert "Cancel the rest" in titles(card)


def test_what_is_scheduled_says_when_it_leaves() -> None:
    assert f"It leaves on {LEAVES}." in words_in(drawn(SCHEDULED))


def test_another_time_is_entered_on_the_card_and_sent_along() -> None:
    card = drawn(SCHEDULED, can_change_time=True, values=LATER, **WHEN)
    day, time = of_type(card, "Input.")
    assert (day["id"], day["value"]) == ("when_date", "2026-12-01")
    assert (day["min"], day["max"]) == (WHEN["earliest"], WHEN["latest"])
    assert (time["id"], time["value"], time["label"]) == (
        "when_time",
        "09:00",
        "Time (Pacific time)",
    )
    (change,) = (a for a in of_type(card, "Action.Execute") if a["associatedInputs"] == "auto")
    assert buttons.read(change["verb"], change["data"]) == buttons.ChangeTime("d1")


def test_a_time_that_cannot_be_comes_back_with_the_reason() -> None:
    errors = {"when_date": "This day is over."}
    card = drawn(SCHEDULED, can_change_time=True, values=LATER, errors=errors, **WHEN)
    assert "⚠️ This day is over." in words_in(card)
    assert of_type(card, "Input.Date")[0]["label"] == "Date – please look again"


def test_what_is_held_says_why() -> None:
    words = words_in(drawn(SCHEDULED, state="held", problems=(Problem("It was moved."),)))
    assert "Waiting for your decision" in words
    assert "Why it waits" in words
    assert "It was moved." in words
    assert "What went wrong" not in words


def test_a_decision_says_that_the_text_may_come_twice() -> None:
    card = drawn(TEXT, state="unknown", accepted=0, unknown=2, can_decide=True)
    assert "may give them the text twice" in words_in(card)


def bar(card: dict[str, Any]) -> list[str]:
    return [part["width"] for part in of_type(card, "Column") if "minHeight" in part]


@pytest.mark.parametrize(
    ("done", "shares"),
    [(0, ["100"]), (1, ["2", "98"]), (3_900, ["39", "61"]), (9_999, ["98", "2"])],
)
def test_the_bar_is_as_long_as_what_is_done(done: int, shares: list[str]) -> None:
    assert bar(drawn(RUNNING, accepted=done, waiting=10_000 - done)) == shares


@pytest.mark.parametrize("view", [TEXT, SCHEDULED, replace(RUNNING, accepted=10_000, waiting=0)])
def test_what_does_not_go_on_has_no_bar(view: DeliveryView) -> None:
    assert bar(drawn(view)) == []


def test_a_delivery_that_goes_on_is_never_all_done() -> None:
    card = drawn(RUNNING, accepted=9_999, waiting=1, estimate="About 1 second")
    assert "9,999 of 10,000 people done (99 %)." in words_in(card)
    assert "About 1 second" in words_in(card)


def test_what_left_before_the_cancel_is_said() -> None:
    note = "Batches 1 to 39 had already left."
    card = drawn(RUNNING, state="mixed", waiting=0, cancelled=9_900, cancelled_note=note)
    assert note in words_in(card)


def test_where_nobody_was_accepted_it_does_not_say_in_part() -> None:
    mixed = replace(TEXT, state="mixed", accepted=0, refused=1, cancelled=1)
    assert "Accepted in part" not in words_in(drawn(mixed))
    assert "1 person may have it, or not." in words_in(drawn(mixed, cancelled=0, unknown=1))


def test_a_list_shows_ten_and_says_how_many_more_there_are() -> None:
    rows = tuple(replace(ROW, about=f"Visit {n}") for n in range(12))
    card = payload(delivery_list(DeliveryListView("Sent", rows, "Nothing yet.", more=30)))
    assert len(of_type(card, "Action.Execute")) == 10
    assert "… and 32 more." in words_in(card)


def test_the_buttons_of_a_list_can_be_told_apart_by_ear() -> None:
    rows = (ROW, replace(ROW, about="First visit"), replace(ROW, title="Reminder", about=""))
    card = payload(delivery_list(DeliveryListView("Sent", rows, "Nothing yet.")))
    assert [action["tooltip"] for action in of_type(card, "Action.Execute")] == [
        "Open: Confirmation text, Follow-up visit",
        "Open: Confirmation text, First visit",
        "Open: Reminder",
    ]


def test_an_empty_list_says_so() -> None:
    assert "Nothing yet." in words_in(
        payload(delivery_list(DeliveryListView("Sent", (), "Nothing yet.")))
    )
