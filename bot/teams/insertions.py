"""A search's results: what the list shows of each to the searcher, and what it inserts for all."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from adaptivecards.adaptivecard import AdaptiveCard

from bot.appointments.phone import masked
from bot.delivery.models import Delivery, Kind, State
from bot.graph.records import MeetingEvent
from bot.teams.delivery_views import delivery_row
from bot.teams.turn import CARD_TYPE
from bot.teams.when import in_words
from bot.words import gettext, pgettext
from cards.delivery_list import DeliveryRow
from cards.delivery_words import HEADLINES, named
from cards.elements import payload
from cards.insert import (
    AppointmentInsertView,
    DeliveryInsertView,
    appointment_insert,
    delivery_insert,
    preview,
)


def of_delivery(delivery: Delivery, zone: str) -> dict[str, Any]:
    """One delivery as a result. `zone` is the searcher's."""
    row = delivery_row(delivery)
    symbol = HEADLINES[row.state][1]
    listed = preview(f"{symbol} {row.title}: {named(row.state)}", row.about, row.when, row.short_id)
    return _result(delivery_insert(_insert(delivery, row, zone)), listed)


def of_appointment(event: MeetingEvent, zone: str) -> dict[str, Any]:
    """One appointment as a result."""
    when = in_words(event.start, zone)
    cancelled = pgettext("appointment", "Cancelled") if event.is_cancelled else ""
    subject = event.subject or gettext("Appointment")
    listed = preview(f"📅 {subject}", when, cancelled)
    view = AppointmentInsertView(when, _now(zone), event.is_cancelled)
    return _result(appointment_insert(view), listed)


def _insert(delivery: Delivery, row: DeliveryRow, zone: str) -> DeliveryInsertView:
    is_text, request = delivery.kind is Kind.TEXT, delivery.request
    leaves = datetime.fromtimestamp(delivery.due_at_ms / 1000, UTC)
    return DeliveryInsertView(
        delivery_id=delivery.id,
        title=row.title,
        state=row.state,
        total=delivery.total,
        accepted=delivery.people(State.ACCEPTED) - delivery.arrived,
        as_of=_now(zone),
        leaves_at=in_words(leaves, zone) if row.state in {"scheduled", "held"} else "",
        # What a text is about, and to whom it goes, is between its owner and them. A notice's words
        # are shown by their author, but to others than he or she wrote them to: no number in full.
        words="" if is_text else masked(str(request.get("text", ""))),
        preview="" if is_text else masked(str(request.get("preview", ""))),
        is_for_a_group=bool(row.everyone),
    )


def _result(card: AdaptiveCard, listed: Mapping[str, Any]) -> dict[str, Any]:
    return {"contentType": CARD_TYPE, "content": payload(card), "preview": listed}


def _now(zone: str) -> str:
    return in_words(datetime.now(UTC), zone)
