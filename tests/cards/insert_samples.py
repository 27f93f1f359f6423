"""The gallery's cards that a search inserts, for everybody in that conversation."""

from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

from cards.delivery_view import DeliveryState
from cards.insert import (
    AppointmentInsertView,
    DeliveryInsertView,
    appointment_insert,
    delivery_insert,
)
from tests.cards.sample import HOSTILE, LEAVES, LONG, RTL, Sample

_ID = "3fa2b1c94d5e4f60a1b2c3d4e5f60718"


def inserts() -> Iterator[Sample]:
    text = DeliveryInsertView(_ID, "Confirmation text", "accepted", 2, 2, LEAVES)
    for state in get_args(DeliveryState):
        yield Sample(delivery_insert, f"text {state}", replace(text, state=state))
    notice = DeliveryInsertView(
        _ID,
        "Notification",
        "scheduled",
        1_200,
        0,
        LEAVES,
        leaves_at=LEAVES,
        words="Incident INC-77 is now open",
        preview="The lift is out of order.",
    )
    yield Sample(delivery_insert, "notice", notice)
    yield Sample(delivery_insert, "a group", replace(notice, is_for_a_group=True, total=0))
    yield Sample(delivery_insert, "hostile", replace(notice, words=HOSTILE, preview=LONG))
    yield Sample(delivery_insert, "right to left", replace(notice, words=RTL, title=RTL))
    appointment = AppointmentInsertView(LEAVES, LEAVES)
    yield Sample(appointment_insert, "ahead", appointment)
    yield Sample(appointment_insert, "cancelled", replace(appointment, is_cancelled=True))
    yield Sample(appointment_insert, "hostile", AppointmentInsertView(HOSTILE, HOSTILE))
