"""The gallery's cards for channels and group chats: openers, and deliveries that all may read."""

from collections.abc import Iterator
from dataclasses import replace
from typing import get_args

from cards.buttons import NOTHING_KEPT, OpenDialog, ShowDetails
from cards.delivery import DeliveryView, delivery_card
from cards.delivery_shared import SharedView, shared_delivery
from cards.delivery_view import DeliveryState
from cards.kept import KeptView, kept
from cards.opener import Door, OpenerView, opener
from cards.welcome import CommandLine, HelpView, WelcomeView, help_card, welcome
from tests.cards.sample import HOSTILE, LONG, Sample

_ID = "3fa2b1c94d5e4f60a1b2c3d4e5f60718"
_DOORS = (
    Door("Text an appointment", OpenDialog("text", NOTHING_KEPT)),
    Door("Notify teammates", OpenDialog("notify", NOTHING_KEPT)),
)


def shared() -> Iterator[Sample]:
    form = Door("Fill in the form", OpenDialog("notify", "YtR6mK1vQ0mX8f2p9sZw3A"))
    opens = "Put a notice into the activity feeds of teammates."
    asked = OpenerView("Notification", opens, (form,), "Megan Bowen")
    yield Sample(opener, "filled in for the one who asked", asked)
    yield Sample(opener, "details", OpenerView("Delivery", opens, (Door("Go", ShowDetails(_ID)),)))
    yield Sample(opener, "hostile", replace(asked, asked_by=HOSTILE, sentence=LONG))
    yield Sample(welcome, "in a team", WelcomeView(doors=_DOORS))
    lines = (CommandLine("text", "Text the people of an appointment"),)
    yield Sample(help_card, "in a team", HelpView(lines, doors=_DOORS))
    yield Sample(kept, "an old card", KeptView("Its button leads nowhere.", {}, is_old=True))
    yield from _deliveries()


def _deliveries() -> Iterator[Sample]:
    view = DeliveryView(
        _ID, "3fa2b1c9", "text", "Confirmation text", "Check-up", "accepted", 2, accepted=2
    )
    owner = "29:1a2b3c"
    for state in get_args(DeliveryState):
        counts = {"accepted": 1, "waiting": 1} if state in {"waiting", "mixed"} else {}
        shown = replace(view, state=state, **counts)
        yield Sample(shared_delivery, f"text {state}", SharedView(shown, "Megan Bowen", owner))
    notice = replace(view, kind="notice", total=250, accepted=200, refused=50, state="mixed")
    yield Sample(shared_delivery, "notice", SharedView(notice, "Megan Bowen", owner))
    yield Sample(shared_delivery, "nobody to draw anew for", SharedView(notice, ""))
    yield Sample(shared_delivery, "hostile", SharedView(notice, HOSTILE, owner))
    yield Sample(delivery_card, "for its owner in a thread", replace(view, is_shared=True))
    waits = replace(view, is_shared=True, state="needs_sign_in", accepted=0, waiting=2)
    yield Sample(delivery_card, "for its owner, who has to sign in", waits)
