"""What others read of a delivery: what kind, by whom, how many and how far; nothing else."""

import json
from dataclasses import replace
from typing import get_args

import pytest

from cards.buttons import LookAgain
from cards.delivery import DeliveryView, Problem
from cards.delivery_shared import SharedView, shared_delivery
from cards.delivery_view import DeliveryState
from cards.elements import card, payload, refreshed

PRIVATE = DeliveryView(
    "3fa2b1c94d5e4f60a1b2c3d4e5f60718",
    "3fa2b1c9",
    "text",
    "SECRET title",
    "SECRET about",
    "accepted",
    7,
    accepted=3,
    refused=1,
    unknown=1,
    waiting=1,
    cancelled=1,
    people=("SECRET person",),
    left_out=("SECRET left out",),
    problems=(Problem("SECRET what", "SECRET who", "SECRET advice", "SECRET reference"),),
    sent_at="SECRET time",
    leaves_at="SECRET time",
    estimate="SECRET estimate",
    cancelled_note="SECRET note",
    corrects="SECRET",
    zone_name="SECRET zone",
)


@pytest.mark.parametrize("state", get_args(DeliveryState))
@pytest.mark.parametrize("kind", ["text", "notice"])
def test_nothing_else_is_on_the_card_for_everybody(state: DeliveryState, kind: str) -> None:
    view = replace(PRIVATE, state=state, kind=kind)
    drawn = payload(shared_delivery(SharedView(view, "Megan Bowen", "29:1")))
    shown = json.dumps(drawn)
    assert "SECRET" not in shown
    assert "Megan Bowen" in shown
    assert drawn["refresh"]["userIds"] == ["29:1"]


@pytest.mark.parametrize("state", ["accepted", "waiting", "scheduled"])
def test_a_whole_group_is_not_named(state: DeliveryState) -> None:
    view = replace(PRIVATE, kind="notice", state=state, everyone="everyone in SECRET team")
    assert "SECRET" not in json.dumps(payload(shared_delivery(SharedView(view, "Megan Bowen"))))


def test_a_card_is_drawn_anew_for_at_most_sixty_people() -> None:
    made = refreshed(
        card([], [], summary="A card"), LookAgain("d-1"), [f"29:{n}" for n in range(70)]
    )
    refresh = payload(made)["refresh"]
    assert refresh["userIds"] == [f"29:{n}" for n in range(60)]
    assert refresh["action"]["data"] == LookAgain("d-1").pack()
