"""What comes back from a card is hostile."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards import buttons
from cards.buttons import (
    AddAttendee,
    Decision,
    DeliveryButton,
    FollowUp,
    LookAgain,
    OpenText,
    ReviewText,
    SendText,
    read,
)

ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
VERBS = sorted(buttons._KNOWN)


def test_a_button_comes_back_as_it_left() -> None:
    for button in (
        OpenText(),
        SendText("form-1", "draft-1"),
        ReviewText("form-1", 3),
        LookAgain("d-1"),
    ):
        assert read(button.verb, button.pack()) == button
        assert read(None, button.pack()) == button


@pytest.mark.parametrize("message_type", buttons.FOLLOW_UPS)
def test_a_text_that_may_follow_comes_back_by_its_type(message_type: str) -> None:
    button = FollowUp("d-1", message_type)
    assert read(button.verb, button.pack()) == button


def test_every_button_of_a_delivery_carries_its_id_and_no_fact() -> None:
    for kind in buttons._KNOWN.values():
        if issubclass(kind, Decision):
            shown = kind("d-1", "1795255613276")
            assert set(shown.pack()) == {"verb", "delivery_id", "seen"}
            assert read(kind.verb, shown.pack()) == shown
        elif issubclass(kind, DeliveryButton) and kind is not FollowUp:
            assert kind("d-1").pack() == {"verb": kind.verb, "delivery_id": "d-1"}
            assert kind.verb.startswith("delivery.")


def test_the_inputs_that_come_along_do_not_matter() -> None:
    data = {
        **SendText("form-1", "draft-1").pack(),
        "phone_0": "(206) 555-0142",
        "tenant_id": "another",
    }
    assert read("text.send", data) == SendText("form-1", "draft-1")


@pytest.mark.parametrize("rows", [3, "3", 3.0, " 3 "])
def test_a_number_may_come_as_a_string(rows: object) -> None:
    button = read("text.add_attendee", {"form_id": "form-1", "rows": rows})
    assert button == AddAttendee("form-1", 3)


@pytest.mark.parametrize(
    ("verb", "data"),
    [
        ("text.send", None),
        ("text.send", "form-1"),
        ("text.send", {}),
        ("text.send", {"form_id": ""}),
        ("text.send", {"form_id": 7}),
        ("text.send", {"form_id": "a b"}),
        ("text.send", {"form_id": "x" * 121}),
        ("text.send", {"form_id": "form-1\n"}),
        ("text.add_attendee", {"form_id": "form-1", "rows": True}),
        ("text.add_attendee", {"form_id": "form-1", "rows": "many"}),
        ("text.add_attendee", {"form_id": "form-1", "rows": -1}),
        ("text.add_attendee", {"form_id": "form-1", "rows": None}),
        ("text.add_attendee", {"form_id": "form-1", "rows": 10**9}),
        ("nothing.known", {"form_id": "form-1"}),
        ("delivery.follow_up", {"delivery_id": "d-1"}),
        ("delivery.follow_up", {"delivery_id": "d-1", "message_type": "confirmation"}),
        ("delivery.follow_up", {"delivery_id": "d-1", "message_type": "Reminder"}),
        (None, {"verb": ["text.send"], "form_id": "form-1"}),
    ],
)
def test_a_misshapen_button_is_none(verb: object, data: object) -> None:
    assert read(verb, data) is None


@given(
    st.sampled_from(VERBS) | ANYTHING,
    st.dictionaries(st.sampled_from(["verb", "form_id", "rows", "delivery_id", "then"]), ANYTHING)
    | ANYTHING,
)
def test_nothing_that_comes_back_raises(verb: object, data: object) -> None:
    button = read(verb, data)
    assert button is None or button.verb in VERBS
