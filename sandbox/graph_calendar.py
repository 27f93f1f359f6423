"""Calendar and online meetings, as Graph shows them to the signed-in user."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tzlocal.windows_tz import win_tz

from sandbox.graph_answers import Answer, Call, bad_request, not_found
from sandbox.graph_people import own
from sandbox.graph_query import only, page, read_filter, select, sort_key
from sandbox.world import Meeting

WINDOWS_ZONES: dict[str, str] = dict(win_tz)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,7})?)?(Z|[+-]\d\d:\d\d)?")
_PREFER = re.compile(r'outlook\.timezone\s*=\s*"([^"]*)"', re.IGNORECASE)


def calendar_view(call: Call) -> Answer:
    """GET /me/calendarView: what lies in the window, organized or attended, cancelled too.

    No `$filter`: of an event's properties Herald needs, Exchange filters hardly one.
    """
    only(call, "startDateTime", "endDateTime", "$select", "$orderby", "$top", "$skip")
    own(call)
    start, end = _time(call, "startDateTime"), _time(call, "endDateTime")
    if end < start:
        raise bad_request("The window ends before it starts.")
    zone_name, zone = _preferred_zone(call)
    meetings = [m for m in _mine(call) if m.start < end and m.end > start]
    meetings.sort(key=lambda meeting: meeting.id)
    if "$orderby" in call.query:
        keys: dict[str, Callable[[Meeting], Any]] = {
            "start/dateTime": lambda meeting: meeting.start,
            "end/dateTime": lambda meeting: meeting.end,
            "subject": lambda meeting: meeting.subject.casefold(),
        }
        key, backwards = sort_key(call.query["$orderby"], keys)
        meetings.sort(key=key, reverse=backwards)
    answer = page(call, [_event(call, m, zone_name, zone) for m in meetings], size=10, most=1000)
    applied = {"Preference-Applied": f'outlook.timezone="{zone_name}"'}
    return Answer(200, answer.body, applied if "prefer" in call.headers else {})


def get_event(call: Call) -> Answer:
    """GET /me/events/{id}: one's own, or one that one was invited to."""
    only(call, "$select")
    own(call)
    zone_name, zone = _preferred_zone(call)
    for meeting in _mine(call):
        if meeting.event_id == call.params["event"]:
            context = f"{call.base}/$metadata#users('{call.actor.id}')/events/$entity"
            event = select(_event(call, meeting, zone_name, zone), call)
            return Answer(200, {"@odata.context": context} | event)
    raise not_found("The specified object was not found in the store.", "ErrorItemNotFound")


def list_meetings(call: Call) -> Answer:
    """GET /me/onlineMeetings, by join link: a collection of at most one, the organizer's own."""
    only(call, "$filter", "$select")
    own(call)
    if "$filter" not in call.query:
        raise bad_request("A filter by JoinWebUrl is expected.")
    clauses = read_filter(
        re.sub(r"^joinWebUrl", "JoinWebUrl", call.query["$filter"].strip()), ("JoinWebUrl",)
    )
    if len(clauses) != 1 or clauses[0].starts:
        raise bad_request("The filter must be JoinWebUrl eq '<link>'.")
    found = [
        online_meeting(call, meeting)
        for meeting in call.world.meetings.values()
        if meeting.organizer_id == call.actor.id
        and meeting.is_online
        and meeting.join_url == clauses[0].value
    ]
    return page(call, found[:1], size=10, most=10)


def get_meeting(call: Call) -> Answer:
    """GET /me/onlineMeetings/{id}; the organizer's own."""
    only(call)
    meeting = organized(call)
    context = f"{call.base}/$metadata#users('{call.actor.id}')/onlineMeetings/$entity"
    return Answer(200, {"@odata.context": context} | online_meeting(call, meeting))


def get_join_url(call: Call) -> Answer:
    """GET …/getVirtualAppointmentJoinWebUrl: the link for external attendees."""
    only(call)
    meeting = organized(call)
    visit = f"https://visit.teams.microsoft.com/webrtc-svc/api/route?tid={call.actor.tenant_id}"
    link = f"{visit}&convId={meeting.id}&vanityDomain=visit.teams.microsoft.com"
    return Answer(200, {"@odata.context": f"{call.base}/$metadata#Edm.String", "value": link})


def organized(call: Call) -> Meeting:
    """The meeting of the path, when the caller organizes it; 404 otherwise."""
    own(call)
    meeting = call.world.meetings.get(call.params["meeting"])
    if meeting is None or not meeting.is_online or meeting.organizer_id != call.actor.id:
        raise not_found("The meeting was not found among those that the caller organizes.")
    return meeting


def online_meeting(call: Call, meeting: Meeting) -> dict[str, Any]:
    """An onlineMeeting resource."""
    organizer = call.world.person(meeting.organizer_id)
    start = meeting.series_start or meeting.start
    return {
        "id": meeting.id,
        "subject": meeting.subject,
        "startDateTime": _utc(start) + "Z",
        "endDateTime": _utc(start + (meeting.end - meeting.start)) + "Z",
        "joinWebUrl": meeting.join_url,
        "participants": {
            "organizer": {
                "upn": organizer.mail,
                "role": "presenter",
                "identity": {"user": {"id": organizer.id, "displayName": organizer.name}},
            },
            "attendees": [],
        },
    }


def _mine(call: Call) -> list[Meeting]:
    me = call.actor.id
    return [
        meeting
        for meeting in call.world.meetings.values()
        if me == meeting.organizer_id or me in meeting.attendee_ids
    ]


def _event(call: Call, meeting: Meeting, zone_name: str, zone: ZoneInfo) -> dict[str, Any]:
    organizer = call.world.person(meeting.organizer_id)
    return {
        "id": meeting.event_id,
        "subject": meeting.subject,
        "start": _in_zone(meeting.start, zone_name, UTC if meeting.is_all_day else zone),
        "end": _in_zone(meeting.end, zone_name, UTC if meeting.is_all_day else zone),
        "isAllDay": meeting.is_all_day,
        "sensitivity": "private" if meeting.is_private else "normal",
        "type": "occurrence" if meeting.series_id else "singleInstance",
        "seriesMasterId": meeting.series_id or None,
        "isCancelled": meeting.is_cancelled,
        "isOrganizer": meeting.organizer_id == call.actor.id,
        "isOnlineMeeting": meeting.is_online,
        "onlineMeetingProvider": "teamsForBusiness" if meeting.is_online else "unknown",
        "onlineMeeting": {"joinUrl": meeting.join_url} if meeting.is_online else None,
        "organizer": {"emailAddress": {"name": organizer.name, "address": organizer.mail}},
        "attendees": [
            {
                "type": "required",
                "status": {"response": "none", "time": "0001-01-01T00:00:00Z"},
                "emailAddress": {
                    "name": call.world.person(one).name,
                    "address": call.world.person(one).mail,
                },
            }
            for one in meeting.attendee_ids
        ],
    }


def _in_zone(moment: datetime, zone_name: str, zone: tzinfo) -> dict[str, str]:
    local = moment.astimezone(zone).replace(tzinfo=None)
    return {"dateTime": f"{local:%Y-%m-%dT%H:%M:%S.%f}0", "timeZone": zone_name}


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"


def _time(call: Call, name: str) -> datetime:
    text = call.query.get(name, "")
    if not text:
        raise bad_request("A window of startDateTime and endDateTime is required.")
    if not _TIME.fullmatch(text):
        # Among others an offset whose plus sign was not encoded and came as a space.
        raise bad_request(f"{name} is not a date and time.")
    text = re.sub(r"(\.\d{1,6})\d*", r"\1", text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise bad_request(f"{name} is not a date and time.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _preferred_zone(call: Call) -> tuple[str, ZoneInfo]:
    match = _PREFER.search(call.headers.get("prefer", ""))
    name = match[1] if match else "UTC"
    try:
        return name, ZoneInfo(WINDOWS_ZONES.get(name, name))
    except (ZoneInfoNotFoundError, ValueError):
        raise bad_request("The time zone of the Prefer header is not known.") from None
