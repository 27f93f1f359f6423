"""A notification's form and review as cards."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import structlog
from adaptivecards.adaptivecard import AdaptiveCard

from bot.appointments.zones import friendly
from bot.delivery.ledger import BATCH
from bot.delivery.schedule import offered_days
from bot.errors import HeraldError
from bot.graph.client import PersonFound
from bot.identity.obo import NOTIFY, Identity
from bot.notifications.activity_types import ActivityType
from bot.notifications.audience import BY_NAME_UP_TO, MOST_AT_ONCE
from bot.notifications.directory import Directory
from bot.notifications.form import PREVIEW_LENGTH, ids_in
from bot.notifications.kept import Kept
from bot.notifications.pasted import choice_id
from bot.notifications.request import NoticeRequest, Recipient
from bot.teams.answers import NAMES_PATIENCE_S
from bot.teams.audiences import groups_here
from bot.teams.delivery_views import duration
from bot.teams.turn import Turn
from bot.teams.when import UNUSED, in_words
from bot.words import gettext, marked, written
from cards.notice_form import NoticeFormView, Which, notice_form
from cards.notice_review import NoticeReviewView
from cards.text_form import Choice

log = structlog.get_logger(__name__)

KEEP = "keep"  # the value of `keep_audience` for those chosen before
_INPUTS = frozenset({"activity_type", "topic", "topic_title", "topic_link", "preview"})
_INPUTS |= {"recipients", "recipient_list", "keep_audience", "audience", "way"}
_INPUTS |= {"when", "when_date", "when_time"}
_LINK_UNUSED = marked("You pasted a Teams link, but chose another place for the notice to lead to.")
_NAMED = 20
_NAMED_BEFORE = 5
_PLACES = {
    "chat": marked("Each person's own chat with Herald"),
    "app": marked("Herald in your organization's apps"),
}
_WHO_HAS_IT = marked(
    "What nobody can tell beforehand: who has Herald installed. Of each 100 people, Microsoft "
    "leaves out those who don't have it, or refuses all 100; the receipt says if it refused."
)
_AT_ONCE = (
    marked(
        "Whoever is a member when it arrives gets it. You will see whether Microsoft took it, and "
        "no counts or names."
    ),
    marked("Microsoft doesn't say whether you and guests get one, too."),
)
_LARGE_TEAM = marked(
    "In a team of more than {number} people, Microsoft gives such a notice to nobody: choose “each "
    "member by name” there."
)


@dataclass(frozen=True)
class Drawing:
    """What a form is drawn from. `known` are people whose names need no look-up; `which`, whom a
    name may mean, by name. `note` is for the beginning, `said` what the press of a button came to.
    """

    form_id: str
    values: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)
    note: str = ""
    said: str = ""
    kept: Kept = field(default_factory=Kept)
    known: tuple[Recipient, ...] = ()
    which: Mapping[str, tuple[PersonFound, ...]] = field(default_factory=dict)

    def wrong(self, errors: Mapping[str, str]) -> "Drawing":
        """The same with these errors."""
        return replace(self, errors=errors)


class NoticeCards:
    """Draws the form, with the names of those who were picked."""

    def __init__(
        self, kinds: tuple[ActivityType, ...], identity: Identity, directory: Directory
    ) -> None:
        self._kinds = kinds
        self._identity = identity
        self._directory = directory

    async def form(self, turn: Turn, drawing: Drawing) -> AdaptiveCard:
        """The form with what was entered, what is wrong with it, and what there is to choose."""
        values, kept = drawing.values, drawing.kept
        chosen = values.get("activity_type")
        kind = next((kind for kind in self._kinds if kind.type == chosen), self._kinds[0])
        people = await self._picked(turn, values, drawing.known)
        earliest, latest = offered_days(turn.place.zone, datetime.now(UTC))
        return notice_form(
            NoticeFormView(
                form_id=drawing.form_id,
                activity_types=tuple(Choice(kind.called, kind.type) for kind in self._kinds),
                shown_type=kind.type,
                template=kind.says,
                parameters=kind.parameters,
                people=tuple(Choice(person.name, person.id) for person in people),
                values=values,
                errors=drawing.errors,
                note=drawing.note,
                said=drawing.said,
                zone_name=friendly(turn.place.zone),
                earliest=earliest,
                latest=latest,
                people_before=len(kept.audience),
                names_before=tuple(who.name for who in kept.audience[:_NAMED_BEFORE]),
                groups=_groups(turn, kept),
                by_name_up_to=BY_NAME_UP_TO,
                which=tuple(_which(name, people) for name, people in drawing.which.items()),
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
        return tuple(Recipient(who, names.get(who, gettext("Chosen teammate"))) for who in ids)


def _groups(turn: Turn, kept: Kept) -> tuple[Choice, ...]:
    return tuple(
        Choice(group.everyone[:1].upper() + group.everyone[1:], group.kind)
        for group in groups_here(turn, kept)
    )


def _which(name: str, people: tuple[PersonFound, ...]) -> Which:
    choices = tuple(Choice(f"{person.name} ({person.address})", person.id) for person in people)
    return Which(choice_id(name), name, choices)


def inputs_of(values: Mapping[str, str]) -> dict[str, str]:
    """Only the form's own inputs: the verb and whatever else came along are not values."""
    own = {name: value for name, value in values.items() if name in _INPUTS}
    if own.get("keep_audience") != KEEP:
        own.pop("keep_audience", None)
    return own


def review_view(
    turn: Turn, form_id: str, request: NoticeRequest, per_second: float
) -> NoticeReviewView:
    """What the review shows of a draft; `per_second` is how many requests leave in one."""
    names = tuple(who.name for who in request.recipients[:_NAMED])
    batches = max(1, -(-len(request.recipients) // BATCH))
    group, choice = request.group, request.topic.choice
    notes: tuple[str, ...] = (gettext(_WHO_HAS_IT),)
    if request.at_once and group:
        large = gettext(_LARGE_TEAM, number=written(MOST_AT_ONCE))
        notes = (*map(gettext, _AT_ONCE), *([large] if group.kind != "chat" else []))
    return NoticeReviewView(
        form_id=form_id,
        sender=turn.name or gettext("You"),
        text=request.text,
        preview=request.preview[:PREVIEW_LENGTH],
        topic=gettext(_PLACES[choice]) if choice in _PLACES else request.topic.value,
        link=request.topic.web_url,
        recipients=names,
        recipient_count=len(request.recipients),
        everyone=group.everyone if request.at_once and group else "",
        left_out=tuple(part.sentence for part in request.left_out),
        estimate=gettext(
            "About {duration} at Microsoft's pace", duration=duration(batches / per_second)
        ),
        leaves=in_words(request.leaves_at, turn.place.zone),
        notes=notes,
        unused=tuple(_unused(request)),
    )


def _unused(request: NoticeRequest) -> Iterator[str]:
    """What was filled in, but does not count."""
    typed = request.values
    if request.topic.choice != "link" and typed.get("topic_link", "").strip():
        yield gettext(_LINK_UNUSED)
    if request.leaves_at is None and (typed.get("when_date") or typed.get("when_time")):
        yield gettext(UNUSED)
