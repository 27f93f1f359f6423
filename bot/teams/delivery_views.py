"""A delivery as its card shows it: counts, people, and problems in the errors' own sentences."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from bot.appointments.phone import last_four
from bot.appointments.request import TextRequest
from bot.appointments.zones import friendly, local_time
from bot.delivery.lanes import Rates
from bot.delivery.models import IN_HAND, WAITING, Delivery, Kind, State, Tally
from bot.errors import HeraldError
from bot.graph.errors import GraphError
from bot.notifications.request import NoticeRequest
from cards.delivery import DeliveryState, DeliveryView, Problem

_NAMED = 20  # people named on a card
_TITLES = {
    "confirmation": "Confirmation text",
    "reschedule": "Text about a new time",
    "cancellation": "Cancellation text",
}
_INTERRUPTED = (
    "Herald was interrupted while this was on its way, so nobody can tell whether it was sent.",
    "Ask one of the people before you send it again: a text can't be taken back.",
)


def delivery_view(
    delivery: Delivery, rates: Mapping[Kind, Rates], *, repeated: bool = False
) -> DeliveryView:
    """The view of a delivery, for its owner. `rates` say how fast the rest can go."""
    return DeliveryView(
        delivery_id=delivery.id,
        short_id=delivery.short_id,
        kind="text" if delivery.kind is Kind.TEXT else "notice",
        title=_title(delivery),
        about=_about(delivery),
        state=_state(delivery),
        total=delivery.total,
        accepted=delivery.people(State.ACCEPTED),
        refused=delivery.people(State.REFUSED),
        unknown=delivery.people(State.UNKNOWN),
        waiting=delivery.people(*WAITING, *IN_HAND),
        cancelled=delivery.people(State.CANCELLED),
        people=_people(delivery),
        left_out=tuple(delivery.request.get("left_out", ())),
        problems=tuple(_problems(delivery)),
        sent_at=_sent_at(delivery),
        estimate=_estimate(delivery, rates),
        can_change=bool(delivery.request) and delivery.people(State.REFUSED, State.UNKNOWN) > 0,
        repeated=repeated,
    )


def _state(delivery: Delivery) -> DeliveryState:
    if delivery.people(State.NEEDS_SIGN_IN):
        return "needs_sign_in"
    if delivery.people(State.HELD):
        return "held"
    if delivery.people(*WAITING, *IN_HAND):
        return "waiting"
    states = {tally.state for tally in delivery.tallies}
    if states == {State.ACCEPTED}:
        return "accepted"
    if states == {State.REFUSED}:
        return "refused"
    return "unknown" if states == {State.UNKNOWN} else "mixed"


def _title(delivery: Delivery) -> str:
    if delivery.kind is Kind.NOTICE:
        return "Notification"
    return _TITLES.get(str(delivery.request.get("message_type")), "Appointment text")


def _about(delivery: Delivery) -> str:
    if not delivery.request:
        return "Its text was erased after the time your organization keeps it."
    if delivery.kind is Kind.NOTICE:
        return NoticeRequest.from_json(delivery.request).text
    meeting = TextRequest.from_json(delivery.request).meeting
    if meeting.starts_at is None:
        return meeting.subject
    zone = delivery.place.zone
    return f"{meeting.subject} · {local_time(meeting.starts_at, zone)}, {friendly(zone)}"


def _people(delivery: Delivery) -> tuple[str, ...]:
    if not delivery.request:
        return ()
    if delivery.kind is Kind.NOTICE:
        names = [who.name for who in NoticeRequest.from_json(delivery.request).recipients]
    else:
        attendees = TextRequest.from_json(delivery.request).attendees
        names = [last_four(attendee.number) for attendee in attendees]
    return tuple(names[:_NAMED])


def _sent_at(delivery: Delivery) -> str:
    settled = [tally.settled_at_ms for tally in delivery.tallies if tally.settled_at_ms]
    if not settled or not delivery.is_settled:
        return ""
    moment = datetime.fromtimestamp(max(settled) / 1000, UTC)
    zone = delivery.place.zone
    return f"{local_time(moment, zone)}, {friendly(zone)}"


def _estimate(delivery: Delivery, rates: Mapping[Kind, Rates]) -> str:
    waiting = delivery.batches(State.QUEUED, *IN_HAND)
    if waiting < 2:
        return ""
    return f"About {duration(waiting / rates[delivery.kind].tenant)} more."


def duration(seconds: float) -> str:
    """So many seconds in words."""
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    return f"{round(seconds / 60)} minutes"


def _problems(delivery: Delivery) -> Iterator[Problem]:
    for tally in delivery.tallies:
        if not tally.problem or tally.state in {State.ACCEPTED, State.CANCELLED}:
            continue
        what, advice = _sentences(tally.problem, tally.state)
        yield Problem(
            what=what, who=_who(delivery, tally), advice=advice, reference=tally.request_id
        )


def _sentences(name: str, state: State) -> tuple[str, str]:
    if name == "Interrupted":
        return _INTERRUPTED
    kind = _errors().get(name, HeraldError)
    what = kind().sentence if kind is HeraldError else _first_line(kind)
    advice = str(getattr(kind, "advice", ""))
    if state is State.QUEUED and issubclass(kind, GraphError):
        advice = "Herald tries again by itself; you don't need to do anything."
    return what, advice


def _first_line(kind: type[HeraldError]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


def _errors() -> dict[str, type[HeraldError]]:
    found: dict[str, type[HeraldError]] = {}
    kinds: list[type[HeraldError]] = [HeraldError]
    while kinds:
        kind = kinds.pop()
        found[kind.__name__] = kind
        kinds += kind.__subclasses__()
    return found


def _who(delivery: Delivery, tally: Tally) -> str:
    if tally.people == delivery.total:
        return "Everybody" if tally.people > 1 else ""
    return f"{tally.people} of {delivery.total} people"
