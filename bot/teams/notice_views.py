"""A notification's form and review as cards."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

import structlog
from adaptivecards.adaptivecard import AdaptiveCard

from bot.appointments.zones import friendly
from bot.delivery.ledger import BATCH
from bot.delivery.schedule import offered_days
from bot.errors import HeraldError
from bot.identity.obo import NOTIFY, Identity
from bot.notifications.activity_types import ActivityType
from bot.notifications.directory import Directory
from bot.notifications.form import ids_in
from bot.notifications.kept import Kept
from bot.notifications.request import NoticeRequest, Recipient
from bot.teams.answers import NAMES_PATIENCE_S
from bot.teams.delivery_views import duration
from bot.teams.turn import Turn
from bot.teams.when import in_words
from cards.notice_form import NoticeFormView, notice_form
from cards.notice_review import NoticeReviewView
from cards.text_form import Choice

log = structlog.get_logger(__name__)

_NAMED = 20
_NAMED_BEFORE = 5


class NoticeCards:
    """Draws the form, with the names of those who were picked."""

    def __init__(
        self, kinds: tuple[ActivityType, ...], identity: Identity, directory: Directory
    ) -> None:
        self._kinds = kinds
        self._identity = identity
        self._directory = directory

    async def form(
        self,
        turn: Turn,
        form_id: str,
        values: Mapping[str, str],
        errors: Mapping[str, str],
        note: str,
        kept: Kept,
        known: tuple[Recipient, ...] = (),
    ) -> AdaptiveCard:
        """The form with these values; `known` are people whose names need no look-up."""
        chosen = values.get("activity_type")
        kind = next((kind for kind in self._kinds if kind.type == chosen), self._kinds[0])
        people = await self._picked(turn, values, known)
        earliest, latest = offered_days(turn.place.zone, datetime.now(UTC))
        return notice_form(
            NoticeFormView(
                form_id=form_id,
                activity_types=tuple(Choice(kind.description, kind.type) for kind in self._kinds),
                shown_type=kind.type,
                template=kind.template,
                parameters=kind.parameters,
                people=tuple(Choice(person.name, person.id) for person in people),
                values=values,
                errors=errors,
                note=note,
                zone_name=friendly(turn.place.zone),
                earliest=earliest,
                latest=latest,
                people_before=len(kept.audience),
                names_before=tuple(who.name for who in kept.audience[:_NAMED_BEFORE]),
            )
        )

    async def _picked(
        self, turn: Turn, values: Mapping[str, str], known: tuple[Recipient, ...]
    ) -> tuple[Recipient, ...]:
        """The people picked so far with their names: the picker shows only those it is given."""
        names = {person.id: person.name for person in known}
        ids = ids_in(values.get("recipients", ""))
        unnamed = [who for who in ids if who not in names]
        if unnamed:
            try:
                async with asyncio.timeout(NAMES_PATIENCE_S):
                    token = await self._identity.token(turn.actor, NOTIFY)
                    found = await self._directory.by_id(turn.actor, token.value, unnamed)
                names |= {who: person.name for who, person in found.items() if person}
            except (HeraldError, TimeoutError) as error:
                log.warning("notices.names_unreadable", problem=type(error).__name__)
        return tuple(Recipient(who, names.get(who, "Chosen teammate")) for who in ids)


def review_view(
    turn: Turn, form_id: str, request: NoticeRequest, per_second: float
) -> NoticeReviewView:
    """What the review shows of a draft; `per_second` is how many requests leave in one."""
    names = tuple(who.name for who in request.recipients[:_NAMED])
    batches = -(-len(request.recipients) // BATCH)
    estimate = ""
    if batches > 1:
        estimate = f"About {duration(batches / per_second)}"
    places = {
        "chat": "Each person's own chat with Herald",
        "link": request.topic.value,
        "app": "Herald in your organization's apps",
    }
    return NoticeReviewView(
        form_id=form_id,
        sender=turn.name or "You",
        text=request.text,
        preview=request.preview,
        topic=places[request.topic.choice],
        link=request.topic.web_url,
        recipients=names,
        recipient_count=len(request.recipients),
        left_out=request.left_out,
        estimate=estimate,
        leaves=in_words(request.leaves_at, turn.place.zone),
    )
