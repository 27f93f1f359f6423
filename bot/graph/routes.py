"""Every Graph endpoint that Herald calls, named once.

A send's lane is the queue whose rate it counts against: `bulk` and `single` are the two that Graph
limits ("Microsoft Graph throttling limits", Teams); reads have none.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from bot.identity.permissions import TEXT

# "sendActivityNotificationToRecipients" refuses a token that has 45 minutes or less left. A minute
# more covers the way there and clocks that differ.
BULK_TOKEN_LIFE_S = 46 * 60


@dataclass(frozen=True)
class Route:
    """One endpoint: its path is a template below `/v1.0`.

    `min_token_life_s` is how much of its life the token must have left, in seconds.
    """

    name: str
    method: str
    path: str
    scopes: tuple[str, ...]
    lane: str = ""
    min_token_life_s: int = 0

    def url_path(self, **parts: str) -> str:
        """The path with its `{names}` filled in, each percent-encoded as one segment."""
        encoded = {name: quote(part, safe="") for name, part in parts.items()}
        return "/v1.0" + self.path.format_map(encoded)


SEND_TEXT = Route(
    "send_text",
    "POST",
    "/me/onlineMeetings/{meeting_id}/sendVirtualAppointmentSms",
    TEXT,
    lane="single",
)
SEND_REMINDER_TEXT = Route(
    "send_reminder_text",
    "POST",
    "/me/onlineMeetings/{meeting_id}/sendVirtualAppointmentReminderSms",
    TEXT,
    lane="single",
)
SEND_NOTIFICATION = Route(
    "send_notification",
    "POST",
    "/teamwork/sendActivityNotificationToRecipients",
    ("TeamsActivity.Send",),
    lane="bulk",
    min_token_life_s=BULK_TOKEN_LIFE_S,
)
# Both reach all members of a group, or one person there; Herald uses them for all.
SEND_TO_TEAM = Route(
    "send_to_team",
    "POST",
    "/teams/{team_id}/sendActivityNotification",
    ("TeamsActivity.Send",),
    lane="single",
)
SEND_TO_CHAT = Route(
    "send_to_chat",
    "POST",
    "/chats/{chat_id}/sendActivityNotification",
    ("TeamsActivity.Send",),
    lane="single",
)
EVENT = Route("event", "GET", "/me/events/{event_id}", ("Calendars.Read",))
CALENDAR_VIEW = Route("calendar_view", "GET", "/me/calendarView", ("Calendars.Read",))
MY_MEETINGS = Route("my_meetings", "GET", "/me/onlineMeetings", ("OnlineMeetings.Read",))
MY_APPS = Route(
    "my_apps", "GET", "/me/teamwork/installedApps", ("TeamsAppInstallation.ReadForUser",)
)
BATCH = Route("batch", "POST", "/$batch", ("User.ReadBasic.All",))
PEOPLE = Route("people", "GET", "/users", ("User.ReadBasic.All",))
PERSON = Route("person", "GET", "/users/{user_id}", ("User.ReadBasic.All",))

ROUTES: Mapping[str, Route] = {
    route.name: route
    for route in (
        SEND_TEXT,
        SEND_REMINDER_TEXT,
        SEND_NOTIFICATION,
        SEND_TO_TEAM,
        SEND_TO_CHAT,
        EVENT,
        CALENDAR_VIEW,
        MY_MEETINGS,
        MY_APPS,
        BATCH,
        PEOPLE,
        PERSON,
    )
}


def action_of(path: str) -> str:
    """The name of the endpoint that a path leads to, or `other`; never any part of the path."""
    return next((name for name, shape in _SHAPES.items() if shape.fullmatch(path)), "other")


_SHAPES = {
    name: re.compile("/v1.0" + re.sub(r"\\{\w+\\}", "[^/]+", re.escape(route.path)))
    for name, route in ROUTES.items()
}
