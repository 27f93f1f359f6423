"""The delegated permissions that the Entra stand-in knows, and who may consent to each.

Source: the Microsoft Graph permissions reference ("AdminConsentRequired"). The sentences are what
its consent page shows.
"""

from dataclasses import dataclass

GRAPH = "https://graph.microsoft.com"
OPENID_SCOPES = frozenset({"openid", "profile", "email", "offline_access"})


@dataclass(frozen=True)
class Permission:
    """One delegated permission; `admin_only` ones need an administrator's consent."""

    name: str
    sentence: str
    admin_only: bool = False


PERMISSIONS: dict[str, Permission] = {
    permission.name: permission
    for permission in (
        Permission("openid", "Sign you in"),
        Permission("profile", "See your name and picture"),
        Permission("email", "See your email address"),
        Permission("offline_access", "Go on working for you when you are away"),
        Permission("User.Read", "Read your own profile"),
        Permission("User.ReadBasic.All", "Find colleagues by name and address"),
        Permission("TeamsActivity.Send", "Put notices into colleagues' activity feeds as you"),
        Permission("TeamsAppInstallation.ReadForUser", "See which apps you have in Teams"),
        Permission("Calendars.Read", "Read your calendar"),
        Permission("OnlineMeetings.Read", "Read your online meetings"),
        Permission("Chat.ReadBasic", "See which chats you are in and who is in them"),
        Permission("ChatMember.Read", "See who is in your chats"),
        Permission("Team.ReadBasic.All", "See which teams you are in"),
        Permission("Channel.ReadBasic.All", "See the channels of your teams"),
        Permission("TeamMember.Read.All", "See who is in your teams", admin_only=True),
        Permission("ChannelMember.Read.All", "See who is in your channels", admin_only=True),
        Permission(
            "VirtualAppointmentNotification.Send",
            "Text the attendees of your appointments as you",
            admin_only=True,
        ),
    )
}


class UnknownScope(Exception):
    """A scope that nobody defines, or of a resource that this tenant does not have."""

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope


def read_scopes(text: str, granted: frozenset[str] | set[str] = frozenset()) -> tuple[str, ...]:
    """Short names of what a `scope` parameter asks for, in its order.

    `https://graph.microsoft.com/.default` means what was `granted` already.

    Raises:
        UnknownScope: one of them does not exist.
    """
    names: list[str] = []
    for scope in text.split():
        name = scope.removeprefix(f"{GRAPH}/")
        if name == ".default" and name != scope:
            names += sorted(granted)
        elif name in PERMISSIONS:
            names.append(name)
        else:
            raise UnknownScope(scope)
    return tuple(dict.fromkeys(names))
