"""Whether just this text went to some of just these people a short time ago."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.appointments.phone import last_four
from bot.appointments.request import TextRequest
from bot.delivery.models import Delivery, Kind, State
from bot.teams.delivery_views import duration
from bot.teams.when import moment
from bot.words import gettext, ngettext

_SHORT = timedelta(minutes=30)


def sent_before(request: TextRequest, newest: Iterable[Delivery], now: datetime) -> str:
    """A sentence for the review of a text, or nothing. `newest` are its sender's deliveries.

    A text that says the same of the same time to the same number is most often an accident.
    """
    for delivery in newest:
        ago = now - moment(delivery.created_at_ms)
        if delivery.kind is not Kind.TEXT or not delivery.request or ago > _SHORT:
            continue
        same = _same(request, TextRequest.from_json(delivery.request))
        if not same or delivery.people(State.REFUSED, State.CANCELLED) == delivery.total:
            continue
        since = duration(max(1.0, ago.total_seconds()))
        if len(same) == 1:
            whom = last_four(same[0])
            return gettext("You sent this to {whom} {duration} ago.", whom=whom, duration=since)
        return ngettext(
            "You sent this to {number} of these numbers {duration} ago.",
            "You sent this to {number} of these numbers {duration} ago.",
            len(same),
            duration=since,
        )
    return ""


def _same(one: TextRequest, other: TextRequest) -> list[str]:
    """The numbers that both are for, where they say the same."""
    says = [(each.meeting.id, each.meeting.starts_at, each.message_type) for each in (one, other)]
    if says[0] != says[1]:
        return []
    numbers = {attendee.number for attendee in other.attendees}
    return [each.number for each in one.attendees if each.number in numbers]
