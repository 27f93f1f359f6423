"""A delivery's card where others read along: one for everybody, one for its owner in place."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.delivery.lanes import Rates
from bot.delivery.models import Delivery, Kind
from bot.teams.delivery_views import delivery_view
from cards.delivery import delivery_card
from cards.delivery_shared import SharedView, shared_delivery
from cards.elements import payload


def for_everybody(delivery: Delivery, rates: Mapping[Kind, Rates]) -> dict[str, Any]:
    """What all who are there may read; Teams draws it anew for the owner."""
    place = delivery.place
    view = delivery_view(delivery, rates)
    return payload(shared_delivery(SharedView(view, place.owner_name, place.owner_id)))


def for_owner(delivery: Delivery, rates: Mapping[Kind, Rates]) -> dict[str, Any]:
    """What the owner sees in its place. What can be done about it opens in a dialog."""
    view = replace(delivery_view(delivery, rates), is_shared=True)
    return payload(delivery_card(view))


def for_its_place(delivery: Delivery, rates: Mapping[Kind, Rates]) -> dict[str, Any]:
    """The card that is posted where the delivery's card stands."""
    if delivery.place.is_shared:
        return for_everybody(delivery, rates)
    return payload(delivery_card(delivery_view(delivery, rates)))
