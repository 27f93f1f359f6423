"""Every address that the Graph stand-in answers, once, with the permissions it takes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox import graph_calendar as calendar
from sandbox import graph_people as people
from sandbox import graph_schema as schema
from sandbox import graph_texts as texts
from sandbox.graph_answers import Answer, Call, Refusal
from sandbox.graph_groups import GroupNotices
from sandbox.graph_notices import Notices

Read = Callable[[Call], Answer]
Write = Callable[[Call, Mapping[str, Any]], Answer]


@dataclass(frozen=True)
class Route:
    """One method and path; any one of `scopes` is enough.

    A send has an `action`, whose schema its body must fit, and a `lane` of the throttling
    (`bulk` or `single`).
    """

    method: str
    pattern: re.Pattern[str]
    scopes: tuple[str, ...]
    read: Read | None = None
    write: Write | None = None
    action: schema.Action | None = None
    lane: str = ""


def _path(template: str) -> re.Pattern[str]:
    text = template.replace("{me}", r"/(?:me|users/(?P<user>[^/]+))")
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", text))


def _get(template: str, read: Read, *scopes: str) -> Route:
    return Route("GET", _path(template), scopes, read=read)


def _send(template: str, write: Write, action: schema.Action, lane: str, scope: str) -> Route:
    return Route("POST", _path(template), (scope,), write=write, action=action, lane=lane)


def routes(notices: Notices) -> tuple[Route, ...]:
    """The table. `$batch` is not in it: it is many of these."""
    basic = ("User.ReadBasic.All", "User.Read.All")
    meetings = ("OnlineMeetings.Read", "OnlineMeetings.ReadWrite")
    installed = "TeamsAppInstallation.ReadForUser"
    text, notify = "VirtualAppointmentNotification.Send", "TeamsActivity.Send"
    meeting = "{me}/onlineMeetings/{meeting}"
    groups = GroupNotices(notices)
    return (
        _get("/me", people.get_me, "User.Read", *basic),
        _get("/users", people.list_users, *basic),
        _get("/users/{user}", people.get_user, *basic),
        _get("{me}/teamwork/installedApps", people.list_installed_apps, installed),
        _get("{me}/events/{event}", calendar.get_event, "Calendars.Read"),
        _get("{me}/calendarView", calendar.calendar_view, "Calendars.Read"),
        _get("{me}/onlineMeetings", calendar.list_meetings, *meetings),
        _get(meeting, calendar.get_meeting, *meetings),
        _get(f"{meeting}/getVirtualAppointmentJoinWebUrl", calendar.get_join_url, *meetings),
        _send(f"{meeting}/sendVirtualAppointmentSms", texts.send_texts, schema.SMS, "single", text),
        _send(
            f"{meeting}/sendVirtualAppointmentReminderSms",
            texts.send_reminders,
            schema.REMINDER_SMS,
            "single",
            text,
        ),
        _send(
            "/teamwork/sendActivityNotificationToRecipients",
            notices.send,
            schema.NOTICE_TO_RECIPIENTS,
            "bulk",
            notify,
        ),
        _send(
            "/teams/{team}/sendActivityNotification",
            groups.send_to_team,
            schema.NOTICE_IN_TEAM,
            "single",
            notify,
        ),
        _send(
            "/chats/{chat}/sendActivityNotification",
            groups.send_to_chat,
            schema.NOTICE_IN_CHAT,
            "single",
            notify,
        ),
    )


def find(table: tuple[Route, ...], method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route of a request and the parts of its path. Refuses what Graph does not have."""
    found_path = False
    for route in table:
        if match := route.pattern.fullmatch(path):
            if route.method == method:
                parts = {name: text for name, text in match.groupdict().items() if text}
                return route, parts
            found_path = True
    if found_path:
        raise Refusal(405, "MethodNotAllowed", f"{method} is not supported here.")
    raise Refusal(400, "BadRequest", "Resource not found for the segment.")
