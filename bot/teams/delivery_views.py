"""A delivery as its card shows it: counts, people, and problems in the errors' own sentences."""

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.appointments.meetings import when
from bot.appointments.phone import last_four
from bot.appointments.request import TextRequest
from bot.appointments.zones import friendly
from bot.delivery.lanes import Rates
from bot.delivery.models import (
    IN_HAND,
    OWNER_CANCELS,
    WAITING,
    Delivery,
    How,
    Kind,
    State,
)
from bot.delivery.schedule import offered_days
from bot.notifications.left_out import LeftOut
from bot.notifications.request import NoticeRequest
from bot.teams.delivery_problems import doubt, never_left, problems
from bot.teams.forms import succession
from bot.teams.when import in_words, moment
from bot.words import gettext, joined, marked, ngettext
from cards.buttons import FOLLOW_UPS
from cards.delivery import DeliveryState, DeliveryView
from cards.delivery_list import DeliveryRow

_NAMED = 20  # people named on a card
_TITLES = {
    "confirmation": marked("Confirmation text"),
    "reschedule": marked("Text about a new time"),
    "cancellation": marked("Cancellation text"),
    "reminder": marked("Reminder text"),
}


def delivery_view(
    delivery: Delivery, rates: Mapping[Kind, Rates], *, repeated: bool = False
) -> DeliveryView:
    """The view of a delivery, for its owner. `rates` say how fast the rest can go."""
    state = state_of(delivery)
    zone = delivery.place.zone
    earliest, latest = offered_days(zone, datetime.now(UTC))
    is_text = delivery.kind is Kind.TEXT
    refused, unknown = delivery.people(State.REFUSED), delivery.people(State.UNKNOWN)
    waits = state in {"scheduled", "held"}
    is_live = bool(delivery.request) and not delivery.successor_id
    return DeliveryView(
        delivery_id=delivery.id,
        short_id=delivery.short_id,
        kind="text" if is_text else "notice",
        title=_title(delivery),
        about=_about(delivery),
        state=state,
        total=delivery.total,
        accepted=delivery.people(State.ACCEPTED) - delivery.arrived,
        arrived=delivery.arrived,
        refused=refused,
        unknown=unknown,
        doubt=doubt(delivery),
        never_left=never_left(delivery),
        recalled=_recalled(delivery),
        waiting=delivery.people(*WAITING, *IN_HAND),
        cancelled=delivery.people(State.CANCELLED),
        people=_people(delivery),
        left_out=tuple(
            LeftOut.from_json(part).sentence for part in delivery.request.get("left_out", ())
        ),
        problems=tuple(problems(delivery)),
        seen=str(delivery.seen_ms),
        sent_at=_sent_at(delivery),
        estimate=_estimate(delivery, rates),
        can_change=is_live and (refused > 0 or unknown > 0 or waits),
        repeated=repeated,
        leaves_at=in_words(moment(delivery.due_at_ms), zone) if waits else "",
        can_retry=is_live and (refused > 0 or (unknown > 0 and not is_text)),
        can_separate=is_live
        and is_text
        and refused > 1
        and delivery.batches(State.REFUSED) < refused,
        can_correct=is_live and not is_text and delivery.people(State.ACCEPTED) > 0,
        can_cancel=delivery.people(*WAITING) > 0,
        can_send_now=waits,
        can_change_time=waits,
        can_decide=is_text and unknown > 0,
        can_export=delivery.is_settled and delivery.total > 1 and bool(delivery.request),
        follow_ups=_follow_ups(delivery),
        cancelled_note=_cancelled_note(delivery),
        corrects=_corrected(delivery)[:8],
        followed_by=delivery.successor_id[:8],
        zone_name=friendly(zone) if waits else "",
        earliest=earliest if waits else "",
        latest=latest if waits else "",
        everyone=_everyone(delivery),
    )


def delivery_row(delivery: Delivery) -> DeliveryRow:
    """A delivery in a list."""
    at_ms = max(delivery.due_at_ms, delivery.created_at_ms)
    return DeliveryRow(
        delivery_id=delivery.id,
        short_id=delivery.short_id,
        title=_title(delivery),
        about=_about(delivery),
        state=state_of(delivery),
        when=in_words(moment(at_ms), delivery.place.zone),
        people=delivery.total,
        everyone=_everyone(delivery),
    )


def state_of(delivery: Delivery) -> DeliveryState:
    """The delivery's state, derived from its batches: what needs its owner first."""
    if delivery.people(State.NEEDS_SIGN_IN):
        return "needs_sign_in"
    if delivery.people(State.HELD):
        return "held"
    if delivery.people(State.QUEUED, *IN_HAND):
        return "waiting"
    if delivery.people(State.SCHEDULED):
        return "scheduled"
    if delivery.arrived:
        return "arrived" if delivery.arrived == delivery.total else "mixed"
    states = {tally.state for tally in delivery.tallies}
    for only, word in _SETTLED_WORDS.items():
        if states == {only}:
            return word
    return "mixed"


_SETTLED_WORDS: Mapping[State, DeliveryState] = {
    State.ACCEPTED: "accepted",
    State.REFUSED: "refused",
    State.UNKNOWN: "unknown",
    State.CANCELLED: "cancelled",
}


def _follow_ups(delivery: Delivery) -> tuple[str, ...]:
    """What an accepted text can be followed by: after a cancellation nothing."""
    said = delivery.request.get("message_type")
    if delivery.kind is Kind.NOTICE or said in {None, "cancellation"}:
        return ()
    return FOLLOW_UPS if delivery.people(State.ACCEPTED) == delivery.total else ()


def _cancelled_note(delivery: Delivery) -> str:
    if not delivery.people(State.CANCELLED):
        return ""
    people = delivery.total - delivery.people(State.CANCELLED)
    if not people:
        return gettext("Nothing had left before you cancelled.")
    return gettext(
        "Before you cancelled, {requests} had already left, for {people}. “Save the results” says "
        "who they are.",
        requests=_which_left(delivery),
        people=ngettext("{number} person", "{number} people", people),
    )


def _which_left(delivery: Delivery) -> str:
    """The requests that were not cancelled, by their numbers: "requests 1 to 3 and 7 of 10"."""
    left = [tally for tally in delivery.tallies if tally.state is not State.CANCELLED]
    in_order = sorted((tally.first, tally.last, tally.batches) for tally in left)
    every = delivery.batches(*State)
    count = sum(batches for _, _, batches in in_order)
    ranges: list[list[int]] = []
    for first, last, batches in in_order:
        if last - first + 1 != batches:  # others lie between them: their number has to do
            return gettext("{number} of {every} requests", number=count, every=every)
        if ranges and first == ranges[-1][1] + 1:
            ranges[-1][1] = last
        else:
            ranges.append([first, last])
    words = [
        gettext("{first} to {last}", first=a + 1, last=b + 1) if a != b else str(a + 1)
        for a, b in ranges
    ]
    return ngettext(
        "request {which} of {every}",
        "requests {which} of {every}",
        count,
        which=joined(words),
        every=every,
    )


def _title(delivery: Delivery) -> str:
    if delivery.kind is Kind.NOTICE:
        return gettext("Notification")
    title = _TITLES.get(str(delivery.request.get("message_type")))
    return gettext(title) if title else gettext("Appointment text")


def _corrected(delivery: Delivery) -> str:
    first = succession(delivery.form_id)
    return first.delivery_id if first and first.how is How.CORRECTS else ""


def _about(delivery: Delivery) -> str:
    if not delivery.is_readable:
        return gettext(
            "It was written with a key that was taken away, so it can't be read any more."
        )
    if not delivery.request:
        return gettext("Its text was erased after the time your organization keeps it.")
    if delivery.kind is Kind.NOTICE:
        return str(delivery.request["text"])  # lists read many, of thousands of people each
    meeting = TextRequest.from_json(delivery.request).meeting
    return " · ".join(filter(None, (meeting.title, when(meeting, delivery.place.zone))))


def _people(delivery: Delivery) -> tuple[str, ...]:
    if not delivery.request:
        return ()
    if delivery.kind is Kind.NOTICE:
        names = [who.name for who in NoticeRequest.from_json(delivery.request).recipients]
    else:
        attendees = TextRequest.from_json(delivery.request).attendees
        names = [last_four(attendee.number) for attendee in attendees]
    return tuple(names[:_NAMED])


def _everyone(delivery: Delivery) -> str:
    """Of a notice for a whole group at once: who that is, in words."""
    if delivery.kind is Kind.TEXT or not delivery.request.get("at_once"):
        return ""
    group = NoticeRequest.from_json(delivery.request).group
    return group.everyone_there if group else ""


def _recalled(delivery: Delivery) -> int:
    return sum(
        tally.batches
        for tally in delivery.tallies
        if tally.state in IN_HAND and tally.problem == OWNER_CANCELS
    )


def _sent_at(delivery: Delivery) -> str:
    left = (State.ACCEPTED, State.UNKNOWN)
    settled = [
        tally.settled_at_ms
        for tally in delivery.tallies
        if tally.settled_at_ms and tally.state in left
    ]
    if not settled or not delivery.is_settled:
        return ""
    return in_words(moment(max(settled)), delivery.place.zone)


def _estimate(delivery: Delivery, rates: Mapping[Kind, Rates]) -> str:
    """How long the rest takes: its lane's pause, what goes before it, and itself."""
    waiting = delivery.batches(State.QUEUED, *IN_HAND)
    if waiting < 2:
        return ""
    queued = [tally.due_at_ms or 0 for tally in delivery.tallies if tally.state is State.QUEUED]
    begins_ms = max(delivery.lane_free_at_ms, min(queued, default=0))
    pause_s = max(0.0, begins_ms / 1000 - datetime.now(UTC).timestamp())
    rest_s = pause_s + (delivery.ahead + waiting) / rates[delivery.kind].tenant
    return gettext("About {duration} more.", duration=duration(rest_s))


def duration(seconds: float) -> str:
    """So many seconds in words."""
    if seconds < 90:
        return ngettext("{number} second", "{number} seconds", max(1, round(seconds)))
    return ngettext("{number} minute", "{number} minutes", round(seconds / 60))
