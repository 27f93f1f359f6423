"""Which appointment a text is about: each occurrence told apart, though a series has one link.

Graph knows an online meeting by its join link, and tells a series' first day only. When one of its
occurrences takes place, and whether it was cancelled, stands in the calendar alone.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.appointments.request import Meeting
from bot.appointments.zones import all_day, friendly, local_time
from bot.graph.client import MOST_EVENTS, Graph, MeetingEvent, OnlineMeeting
from bot.graph.errors import GraphError

DAYS_LISTED = 30
CALENDAR_PATIENCE_S = 1.5  # seconds; a convenience: without it there is a plain input
_EITHER_SIDE = timedelta(hours=12)
_YESTERDAY = timedelta(days=1)
_VALUE = re.compile(r"(?P<link>.+)#(?P<start>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")


def value_of(link: str, start: datetime | None) -> str:
    """How a form names one occurrence: its join link, and its start in UTC."""
    return f"{link}#{start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if start else link


def read_value(value: str) -> tuple[str, datetime | None]:
    """The link and the start that `value_of` joined; a link alone has no start."""
    found = _VALUE.fullmatch(value)
    try:
        return (found["link"], datetime.fromisoformat(found["start"])) if found else (value, None)
    except ValueError:  # the thirteenth month
        return value, None


def in_order(events: Sequence[MeetingEvent], now: datetime) -> list[MeetingEvent]:
    """Each occurrence once, those to come first, and those that are over last."""
    once = {value_of(event.join_url, event.start): event for event in events}
    return sorted(once.values(), key=lambda event: (event.end <= now, event.start))


@dataclass(frozen=True)
class Found:
    """What Graph tells of an appointment.

    `in_calendar` is None where the calendar could not be read. `is_gone`: the occurrence that was
    chosen does not stand in the calendar any more. `others` are further occurrences to come.
    """

    meeting: Meeting
    in_calendar: bool | None = None
    is_gone: bool = False
    others: int = 0


async def listed(
    graph: Graph,
    token: str,
    zone: str,
    now: datetime,
    *,
    days: int = DAYS_LISTED,
    most: int = MOST_EVENTS,
) -> list[MeetingEvent]:
    """The user's own appointments from yesterday on, in the order of `in_order`."""
    start = now - _YESTERDAY
    end = now + timedelta(days=days)
    return in_order(await graph.upcoming_meetings(token, start, end, zone, most=most), now)


def when(meeting: Meeting, zone: str) -> str:
    """When it takes place, on the clock of a zone: "Tue, Dec 1, 9:00 AM, Pacific time".

    Nothing where nobody can tell.
    """
    if meeting.starts_at is None:
        return ""
    if meeting.is_all_day:
        return all_day(meeting.starts_at)
    return f"{local_time(meeting.starts_at, zone)}, {friendly(zone)}"


async def look_up(
    graph: Graph,
    token: str,
    link: str,
    chosen: datetime | None,
    *,
    calendar_token: str = "",
    now: datetime,
) -> Found | None:
    """The appointment of this link, at the time that was `chosen`, or its next one.

    None where the user doesn't organize it. Without a `calendar_token`, or when the calendar
    doesn't answer in time, its time is told only as far as it is known. Raises GraphError.
    """
    told, events = await asyncio.gather(
        graph.meeting_by_join_url(token, link),
        _events(graph, calendar_token, link, chosen, now),
    )
    return _found(told, events, chosen, now) if told else None


async def _events(
    graph: Graph, token: str, link: str, chosen: datetime | None, now: datetime
) -> list[MeetingEvent] | None:
    """Its events around the time chosen, or from yesterday on; None: nobody can tell."""
    if not token:
        return None
    start, end = now - _YESTERDAY, now + timedelta(days=DAYS_LISTED)
    if chosen:
        start, end = chosen - _EITHER_SIDE, chosen + _EITHER_SIDE
    try:
        async with asyncio.timeout(CALENDAR_PATIENCE_S):
            events = await graph.upcoming_meetings(token, start, end, "UTC")
    except (GraphError, TimeoutError):
        return None
    return in_order([event for event in events if event.join_url == link], now)


def _found(
    told: OnlineMeeting,
    events: list[MeetingEvent] | None,
    chosen: datetime | None,
    now: datetime,
) -> Found:
    meeting = Meeting(told.id, told.subject, None, told_at=told.start)
    ahead = told.start if told.start and told.start > now else None
    if events is None:
        # A day that lies behind may be a series' first one, and a later one any of its own.
        known = ahead if chosen in {None, ahead} else None
        return Found(replace(meeting, starts_at=known, ends_at=told.end if known else None))
    if chosen:
        event = next((event for event in events if event.start == chosen), None)
        if event is None:
            return Found(replace(meeting, starts_at=ahead), in_calendar=True, is_gone=True)
        return Found(_at(meeting, event), in_calendar=True)
    if not events:
        return Found(replace(meeting, starts_at=told.start, ends_at=told.end), in_calendar=False)
    later = [event for event in events[1:] if event.end > now]
    return Found(_at(meeting, events[0]), in_calendar=True, others=len(later))


def _at(meeting: Meeting, event: MeetingEvent) -> Meeting:
    return replace(
        meeting,
        subject=event.subject or meeting.subject,
        starts_at=event.start.astimezone(UTC),
        ends_at=event.end.astimezone(UTC),
        is_cancelled=event.is_cancelled,
        event_id=event.id,
        is_all_day=event.is_all_day,
    )
