"""What is read from Graph, as plain records."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@dataclass(frozen=True)
class MeetingEvent:
    """One online meeting in the user's calendar. `start` and `end` carry the zone asked for.

    `id` is that of the event, of a series' occurrence its own. Those of an all-day event are
    midnights in UTC, whatever the zone: it has days, and no hours.
    """

    subject: str
    start: datetime
    end: datetime
    join_url: str
    is_organizer: bool
    is_cancelled: bool
    id: str = ""
    is_all_day: bool = False
    is_private: bool = False


@dataclass(frozen=True)
class OnlineMeeting:
    """A meeting that the user organizes. `id` is what the text actions take; times are UTC."""

    id: str
    subject: str
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True)
class PersonFound:
    """Somebody of the user's organization: Entra object id, display name, mail or sign-in name."""

    id: str
    name: str
    address: str
    is_guest: bool = False


def meeting_event(event: Mapping[str, Any], zone: tzinfo) -> MeetingEvent | None:
    """The record of a calendar event, or None when it is no online meeting of the user's own."""
    online = event.get("onlineMeeting") or {}
    join_url = online.get("joinUrl")
    start, end = _moment(event.get("start")), _moment(event.get("end"))
    if not event.get("isOrganizer") or not join_url or not start or not end:
        return None
    return MeetingEvent(
        subject=str(event.get("subject") or ""),
        start=start.astimezone(zone),
        end=end.astimezone(zone),
        join_url=str(join_url),
        is_organizer=True,
        is_cancelled=bool(event.get("isCancelled")),
        id=str(event.get("id") or ""),
        is_all_day=bool(event.get("isAllDay")),
        is_private=event.get("sensitivity") in {"private", "confidential"},
    )


def online_meeting(meeting: Mapping[str, Any]) -> OnlineMeeting:
    """The record of an `onlineMeeting`."""
    return OnlineMeeting(
        id=str(meeting["id"]),
        subject=str(meeting.get("subject") or ""),
        start=_instant(meeting.get("startDateTime")),
        end=_instant(meeting.get("endDateTime")),
    )


def person(user: Mapping[str, Any]) -> PersonFound:
    """The record of a `user`."""
    sign_in_name = str(user.get("userPrincipalName") or "")
    address = user.get("mail") or sign_in_name
    # `userType` is not among what User.ReadBasic.All shows; a guest's sign-in name tells as well.
    return PersonFound(
        str(user["id"]).lower(),
        str(user.get("displayName") or address),
        str(address),
        is_guest="#EXT#" in sign_in_name.upper(),
    )


def _moment(told: Mapping[str, Any] | None) -> datetime | None:
    """A `dateTimeTimeZone`: local time with seven decimals, and the zone's name beside it."""
    local = _instant((told or {}).get("dateTime"))
    if local is None or told is None:
        return None
    try:
        return local.replace(tzinfo=ZoneInfo(str(told.get("timeZone") or "UTC")))
    except (ZoneInfoNotFoundError, ValueError):
        return None  # a zone that was not asked for: better no time than a wrong one


def _instant(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
