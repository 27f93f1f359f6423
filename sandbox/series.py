"""Recurring meetings: one event for each occurrence, one link and one online meeting for all."""

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sandbox.records import Meeting, Person

if TYPE_CHECKING:
    from sandbox.world import World


def new_series(
    world: "World",
    organizer: Person,
    subject: str,
    first: datetime,
    *,
    times: int,
    every: timedelta = timedelta(days=7),
    minutes: int = 30,
) -> list[Meeting]:
    """A series at the same time of day on the organizer's clock, also where clocks are changed."""
    key = uuid.uuid5(uuid.NAMESPACE_URL, f"{organizer.id} {subject} {first.isoformat()}")
    zone = ZoneInfo(organizer.zone)
    context = f"%7b%22Tid%22%3a%22{world.tenant_id}%22%2c%22Oid%22%3a%22{organizer.id}%22%7d"
    thread = f"19%3ameeting_{key.hex}%40thread.v2"
    local = first.astimezone(zone).replace(tzinfo=None)
    made = []
    for n in range(times):
        start = (local + n * every).replace(tzinfo=zone).astimezone(first.tzinfo)
        meeting = Meeting(
            id=f"MSo{key.hex[:12]}{n:04d}",
            event_id=f"AAMk{key.hex[:12]}{n:04d}=",
            organizer_id=organizer.id,
            subject=subject,
            start=start,
            end=start + timedelta(minutes=minutes),
            join_url=f"https://teams.microsoft.com/l/meetup-join/{thread}/0?context={context}",
            series_id=f"AAMk{key.hex[:12]}=",
            series_start=first,
        )
        world.meetings[meeting.id] = meeting
        made.append(meeting)
    return made
