"""The gallery's deliveries: every state of the ledger, and lists of them."""

from collections.abc import Iterator
from dataclasses import replace

from cards.delivery import DeliveryView, Problem, delivery_card
from cards.delivery_list import DeliveryListView, DeliveryRow, delivery_list
from cards.delivery_words import HEADLINES
from tests.cards.sample import EMOJI, HOSTILE, HOSTILE_WHEN, LATER, LEAVES, LONG, RTL, WHEN, Sample

ALL_THAT_CAN_BE = dict.fromkeys(
    (
        "can_retry",
        "can_separate",
        "can_correct",
        "can_cancel",
        "can_send_now",
        "can_change_time",
        "can_decide",
        "can_export",
    ),
    True,
)


def deliveries() -> Iterator[Sample]:
    text = DeliveryView(
        "3fa2b1c94d5e4f60a1b2c3d4e5f60718",
        "3fa2b1c9",
        "text",
        "Confirmation text",
        "Check-up with Dr. Ruiz, Tue, Dec 1, 9:00 AM",
        "accepted",
        2,
        accepted=2,
        people=("number ending in 0142", "number ending in 0187"),
        sent_at="Today, 3:12 PM",
    )
    notice = replace(
        text,
        kind="notice",
        title="Notification",
        about="Megan Bowen asks you to approve deployment 6788662",
        total=250,
        accepted=250,
        people=("Adele Vance", "Diego Siciliani", "Lee Gu"),
        left_out=("You: nobody can notify himself or herself.",),
    )
    refused = Problem(
        "Herald is not installed for everyone in this group.",
        "Batch 3: 50 people",
        "Ask your administrator to install Herald for everyone, then send again.",
        "8a6f2b9e-1111-4c7c-9d4b-3f1b7e1a2c3d",
    )
    yield Sample(delivery_card, "text accepted", text)
    yield Sample(delivery_card, "text sent before", replace(text, repeated=True))
    moved = "The appointment was moved since: it is now on Thu, Dec 3, 9:00 AM, Pacific time."
    follow_ups = ("reschedule", "cancellation", "reminder")
    changed = replace(text, changed=moved, change_tells="reschedule", follow_ups=follow_ups)
    yield Sample(delivery_card, "text about what was moved", changed)
    yield Sample(delivery_card, "text, hostile change", replace(changed, changed=HOSTILE))
    group = replace(notice, everyone="everyone in Care team", total=1, accepted=1, people=())
    yield Sample(delivery_card, "everyone accepted", group)
    for state in ("waiting", "refused", "unknown", "scheduled", "needs_sign_in", "cancelled"):
        count = {"accepted": 0, "waiting" if state not in {"refused", "unknown"} else state: 1}
        one = replace(group, state=state, **count)
        yield Sample(delivery_card, f"everyone {state}", one)
    yield Sample(delivery_card, "everyone, hostile", replace(group, everyone=HOSTILE))
    yield Sample(
        delivery_card,
        "text refused",
        replace(
            text,
            state="refused",
            accepted=0,
            refused=2,
            can_change=True,
            problems=(
                Problem(
                    "The organizer of this meeting has no Teams Premium license.",
                    "2 people",
                    "Ask your administrator for Teams Premium.",
                    "8a6f2b9e-1111-4c7c-9d4b-3f1b7e1a2c3d",
                ),
            ),
        ),
    )
    yield Sample(
        delivery_card,
        "text unknown",
        replace(text, state="unknown", accepted=0, unknown=2, can_change=True),
    )
    said = replace(text, state="arrived", accepted=0, arrived=2, follow_ups=follow_ups)
    yield Sample(delivery_card, "text that arrived, as its owner says", said)
    partly = replace(said, state="mixed", accepted=1, arrived=1, follow_ups=())
    yield Sample(delivery_card, "text that arrived in part", partly)
    unclear = replace(partly, total=3, accepted=0, refused=2)
    yield Sample(delivery_card, "text that arrived for one alone", unclear)
    waiting = replace(notice, state="waiting", accepted=100, waiting=150, estimate="About 1 second")
    yield Sample(delivery_card, "notice accepted", notice)
    yield Sample(delivery_card, "notice being sent", waiting)
    yield Sample(
        delivery_card, "notice, nothing sent yet", replace(waiting, accepted=0, waiting=250)
    )
    yield Sample(
        delivery_card,
        "notice accepted in part",
        replace(
            notice,
            state="mixed",
            accepted=140,
            refused=50,
            unknown=50,
            cancelled=10,
            can_change=True,
            problems=(refused,),
        ),
    )
    yield Sample(
        delivery_card, "notice unknown", replace(notice, state="unknown", accepted=0, unknown=250)
    )
    yield Sample(delivery_card, "notice waits for sign-in", replace(waiting, state="needs_sign_in"))
    yield Sample(delivery_card, "notice on hold", replace(waiting, state="held"))
    yield Sample(
        delivery_card,
        "hostile",
        DeliveryView(
            "d" * 120,
            HOSTILE,
            "notice",
            HOSTILE,
            HOSTILE,
            "mixed",
            1_234_567,
            *(1_000_000, 200_000, 34_000, 500, 67),
            people=(HOSTILE, EMOJI, RTL, LONG) * 5,
            left_out=(HOSTILE,) * 200,
            problems=(Problem(HOSTILE, EMOJI * 5, RTL, HOSTILE),) * 100,
            sent_at=HOSTILE,
            estimate=HOSTILE,
            can_change=True,
            repeated=True,
            cancelled_note=HOSTILE * 3,
            corrects=HOSTILE,
            values=dict.fromkeys(LATER, HOSTILE),
            errors=dict.fromkeys([*LATER, "form"], HOSTILE),
            follow_ups=(HOSTILE, "reschedule", "cancellation", "reminder"),
            **ALL_THAT_CAN_BE,
            **HOSTILE_WHEN,
        ),
    )
    yield from ledger_ones(text, notice)


def ledger_ones(text: DeliveryView, notice: DeliveryView) -> Iterator[Sample]:
    """What waits, goes on for long, or needs its owner."""
    later = replace(text, state="scheduled", accepted=0, waiting=2, sent_at="", leaves_at=LEAVES)
    stop_or_go = {"can_cancel": True, "can_send_now": True}
    scheduled = replace(
        later, values=LATER, can_change=True, can_change_time=True, **stop_or_go, **WHEN
    )
    yield Sample(delivery_card, "text scheduled", scheduled)
    over = replace(
        scheduled,
        values={**LATER, "when_date": "2026-11-01"},
        errors={"when_date": "This day is over."},
    )
    yield Sample(delivery_card, "text scheduled, another time that is over", over)
    yield Sample(
        delivery_card,
        "notice scheduled, nothing to be done",
        replace(notice, state="scheduled", accepted=0, waiting=250, sent_at="", leaves_at=LEAVES),
    )
    moved = Problem(
        "The appointment was moved to Wed, Dec 2, 2:30 PM, Pacific time.",
        "",
        "Send a text about the new time instead, or send this one anyway.",
    )
    yield Sample(
        delivery_card,
        "text held",
        replace(
            later,
            state="held",
            problems=(moved,),
            can_send_now=True,
            can_change=True,
            can_cancel=True,
        ),
    )
    cancelled = replace(later, state="cancelled", waiting=0, cancelled=2, can_change=True)
    yield Sample(delivery_card, "text cancelled", cancelled)
    yield Sample(
        delivery_card,
        "text accepted, more may follow",
        replace(text, follow_ups=("reschedule", "cancellation", "reminder"), can_export=True),
    )
    yield Sample(
        delivery_card,
        "text unknown, to be decided",
        replace(text, state="unknown", accepted=0, unknown=2, can_decide=True, can_change=True),
    )
    yield Sample(
        delivery_card,
        "text refused, for one number perhaps",
        replace(
            text,
            state="refused",
            accepted=0,
            refused=2,
            can_retry=True,
            can_separate=True,
            can_change=True,
            problems=(Problem("Microsoft says that one of the numbers can't be texted."),),
        ),
    )
    running = replace(
        notice,
        state="waiting",
        total=10_000,
        accepted=3_700,
        refused=100,
        unknown=100,
        waiting=6_100,
        sent_at="",
        left_out=(),
        estimate="About 31 seconds",
        can_cancel=True,
    )
    yield Sample(delivery_card, "big notice being sent", running)
    yield Sample(delivery_card, "big notice begun", replace(running, accepted=1, total=6_201))
    stopped = replace(
        running,
        state="mixed",
        waiting=0,
        cancelled=6_100,
        can_cancel=False,
        can_retry=True,
        can_correct=True,
        can_export=True,
        cancelled_note="You cancelled the rest at 3:14 PM. Batches 1 to 39 had already left.",
    )
    yield Sample(delivery_card, "big notice cancelled on the way", stopped)
    yield Sample(
        delivery_card,
        "nobody accepted, some unknown",
        replace(stopped, accepted=0, refused=3_800, cancelled_note=""),
    )
    yield Sample(
        delivery_card,
        "nobody accepted, the rest cancelled",
        replace(stopped, accepted=0, refused=3_900, unknown=0, cancelled_note=""),
    )
    yield Sample(delivery_card, "notice that corrects", replace(notice, corrects="9c1d22ab"))


def lists() -> Iterator[Sample]:
    row = DeliveryRow(
        "3fa2b1c94d5e4f60a1b2c3d4e5f60718",
        "3fa2b1c9",
        "Confirmation text",
        "Follow-up visit · Thu, Dec 3, 11:00 AM, Pacific time",
        "scheduled",
        LEAVES,
        2,
    )
    notice = replace(
        row,
        title="Notification",
        about="asks you to approve deployment 6788662",
        state="waiting",
        when="",
        people=12_000,
    )
    few = (row, notice, replace(row, about="Check-up with Dr. Ruiz", state="held"))
    yield Sample(
        delivery_list, "scheduled", DeliveryListView("Scheduled", few, "Nothing is scheduled.")
    )
    empty = DeliveryListView("Scheduled", (), "Nothing is scheduled.")
    yield Sample(delivery_list, "nothing", empty)
    states = list(HEADLINES)
    many = tuple(
        replace(row, about=f"Visit {n}", state=states[n % len(states)], when="Mon, Nov 16, 3:12 PM")
        for n in range(12)
    )
    yield Sample(delivery_list, "many", DeliveryListView("What you sent", many, "Nothing yet.", 31))
    bad = DeliveryRow(
        "d" * 120, HOSTILE, EMOJI + HOSTILE, RTL + EMOJI + HOSTILE, "mixed", HOSTILE, 1_234_567
    )
    yield Sample(
        delivery_list, "hostile", DeliveryListView(HOSTILE, (bad,) * 10, HOSTILE, 1_000_000)
    )
