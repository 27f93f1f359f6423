"""The user's own appointments, as a form lists them and as a review finds them again."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from bot.appointments.meetings import (
    DAYS_LISTED,
    Found,
    look_up,
    read_value,
    value_of,
)
from bot.appointments.zones import all_day, local_time
from bot.errors import ConsentNeeded, HeraldError, SignInNeeded
from bot.graph.client import MOST_EVENTS, Graph, MeetingEvent
from bot.identity.obo import MEETINGS, Identity
from bot.teams.turn import Turn
from bot.teams.upcoming import Upcoming
from bot.words import gettext, marked
from cards.text_form import Choice

log = structlog.get_logger(__name__)

_MOST_LISTED = 40
_A_DAY = timedelta(days=1)
_LATE = marked(
    "Your calendar has not answered yet. List your meetings again, or paste the join link."
)
_UNREADABLE = marked(
    "Your calendar can't be read just now, so please paste the appointment's join link."
)
_NONE = marked(
    "You organize no online appointment in the next {days} days; you can paste a join link."
)
_BY_LINK = ("OnlineMeetings.Read",)  # enough for a pasted link


@dataclass(frozen=True)
class Offer:
    """The appointments to choose from, or a sentence that says why there are none.

    `in_all` is how many there are, in words; `can_allow`: a sign-in would show them; `is_late`:
    the calendar is still being read.
    """

    choices: tuple[Choice, ...] = ()
    in_all: str = ""
    why_not: str = ""
    can_allow: bool = False
    is_late: bool = False


class Meetings:
    """Lists and finds the appointments that the user organizes."""

    def __init__(self, identity: Identity, graph: Graph) -> None:
        self._identity = identity
        self._graph = graph
        self._upcoming = Upcoming(identity, graph)

    async def offer(self, turn: Turn, chosen: str = "") -> Offer:
        """What the calendar holds, and among it what was `chosen`, found by typing perhaps.

        Without the calendar a form has a plain input and a sentence.
        """
        try:
            async with asyncio.timeout(turn.left_s()):
                events = await self._upcoming.anew(turn)
                shown = [*events[:_MOST_LISTED]]
                shown += await self._further(turn, chosen, shown)
        except TimeoutError:
            known = self._upcoming.known(turn)
            if known is None:
                return Offer(why_not=gettext(_LATE), is_late=True)
            events, shown = known, [*known[:_MOST_LISTED]]
        except (SignInNeeded, ConsentNeeded):
            why_not = gettext(
                "Herald may not read your calendar yet. Sign in to have your meetings listed, or "
                "paste the appointment's join link."
            )
            return Offer(why_not=why_not, can_allow=True)
        except HeraldError as error:
            log.warning("meetings.calendar_unreadable", problem=type(error).__name__)
            return Offer(why_not=gettext(_UNREADABLE))
        if not shown:
            return Offer(why_not=gettext(_NONE, days=DAYS_LISTED))
        choices = tuple(choice_of(event, turn.place.zone) for event in shown)
        in_all = str(len(events))
        if len(events) >= MOST_EVENTS:
            in_all = gettext("{number} or more", number=in_all)
        return Offer(choices, in_all)

    async def _further(
        self, turn: Turn, chosen: str, shown: Sequence[MeetingEvent]
    ) -> list[MeetingEvent]:
        """The chosen appointment, where it is none of those that are listed."""
        link, start = read_value(chosen)
        if start is None or any((one.join_url, one.start) == (link, start) for one in shown):
            return []
        token = await self._identity.token(turn.actor, MEETINGS)
        span = (start - _A_DAY, start + _A_DAY)
        events = await self._graph.upcoming_meetings(token.value, *span, turn.place.zone)
        return [event for event in events if (event.join_url, event.start) == (link, start)][:1]

    async def find(self, turn: Turn, link: str, chosen: datetime | None) -> Found | None:
        """The appointment of this link, at the time that was `chosen` or its next one.

        None where the user doesn't organize it. Raises IdentityError and GraphError.
        """
        try:
            token = await self._identity.token(turn.actor, MEETINGS)
            calendar_token = token.value
        except ConsentNeeded:
            # Whoever keeps the calendar private can still paste a link.
            token = await self._identity.token(turn.actor, _BY_LINK)
            calendar_token = ""
        now = datetime.now(UTC)
        return await look_up(
            self._graph, token.value, link, chosen, calendar_token=calendar_token, now=now
        )

    async def allowed(self, turn: Turn) -> None:
        """Check that the calendar may be read. Raises IdentityError."""
        await self._identity.token(turn.actor, MEETINGS)


def in_the_list(values: Mapping[str, str], offer: Offer) -> Mapping[str, str]:
    """The form's values with the chosen meeting as the list names it now; else as a pasted link.

    One of a series that stands in the list no longer is chosen anew by a person.
    """
    chosen = values.get("meeting", "")
    values_listed = [choice.value for choice in offer.choices]
    if not chosen or chosen in values_listed:
        return values
    link, occurs_at = read_value(chosen)
    same = [value for value in values_listed if read_value(value)[0] == link]
    if not same:
        return {**values, "meeting": "", "join_link": values.get("join_link") or link}
    is_clear = len(same) == 1 or occurs_at is None
    return {**values, "meeting": same[0] if is_clear else ""}


def choice_of(event: MeetingEvent, zone: str) -> Choice:
    """An appointment as it is chosen: its day and time on the clock of `zone`, and its subject."""
    at = all_day(event.start) if event.is_all_day else local_time(event.start, zone)
    subject = event.subject or gettext("Without a subject")
    title = f"{at} · {subject}"
    if event.is_private:
        title = gettext("{appointment} (private)", appointment=title)
    if event.is_cancelled:
        title = gettext("{appointment} (cancelled)", appointment=title)
    elif event.end <= datetime.now(UTC):
        title = gettext("{appointment} (over)", appointment=title)
    return Choice(title, value_of(event.join_url, event.start))
