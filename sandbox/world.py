"""The one state that every stand-in shares: people, meetings, phones, feeds, consents and faults.

Nothing here speaks HTTP. The stand-ins change it, the page shows it, tests read it.
"""

import asyncio
import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.delays import Delays
from sandbox.records import (
    TENANT_ID,
    Channel,
    Faults,
    FeedItem,
    GraphCall,
    GroupChat,
    Meeting,
    Person,
    PhoneText,
    Team,
)
from sandbox.series import new_series

__all__ = [
    "ROOT",
    "TENANT_ID",
    "Channel",
    "Faults",
    "FeedItem",
    "GraphCall",
    "GroupChat",
    "Meeting",
    "Person",
    "PhoneText",
    "Team",
    "World",
    "clinic",
    "new_group_chat",
    "new_team",
    "read_manifest",
]

ROOT = Path(__file__).resolve().parent.parent
APP_ID = "7b1f6a52-3d0e-4c19-8a54-2f2c9f0b6d11"
TEAMS_APP_ID = "c0a9d4de-52b1-4d4f-9a86-3f5c8f6e2a77"
CATALOG_APP_ID = "e8d1a3b6-90f4-4b7c-8f21-6a5d2c3b4e99"


class World:
    """Everything the stand-ins know.

    `now` may be replaced by a test; `changed` fires after every change that the page shows.
    """

    def __init__(self, *, manifest: dict[str, Any] | None = None) -> None:
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.manifest = manifest if manifest is not None else read_manifest()
        self.tenant_id = TENANT_ID
        self.app_id = APP_ID
        self.app_secret = "sandbox-secret-" + uuid.uuid4().hex
        self.teams_app_id = TEAMS_APP_ID
        self.catalog_app_id = CATALOG_APP_ID
        self.people: dict[str, Person] = {}
        self.teams: dict[str, Team] = {}  # by the group's id
        self.group_chats: dict[str, GroupChat] = {}
        self.meetings: dict[str, Meeting] = {}
        self.tenant_consents: set[str] = set()
        # Oldest first, both; a replaced notification moves to the end.
        self.phones: dict[str, list[PhoneText]] = defaultdict(list)
        self.feeds: dict[str, list[FeedItem]] = defaultdict(list)
        self.graph_calls: list[GraphCall] = []
        self.faults = Faults()
        self.delays = Delays()
        # What happens to the next sends at Graph, one entry each, in order (sandbox/graph_faults.py
        # lists the words); an empty list is an ordinary day.
        self.script: list[str] = []
        self.limits_enforced = True  # Graph's throttling and the feed's ten a minute
        # Reply addresses that Entra knows; empty: any loopback address, as for a developer's app.
        self.redirect_uris: set[str] = set()
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every change."""
        self._listeners.append(listener)

    def changed(self) -> None:
        """Tell every listener."""
        for listener in self._listeners:
            listener()

    def person(self, person_id: str) -> Person:
        """The person with this Entra object id. Raises KeyError."""
        return self.people[person_id]

    def named(self, given_name: str) -> Person:
        """The first person whose name starts so; for tests and the page."""
        return next(p for p in self.people.values() if p.name.startswith(given_name))

    def team_of(self, channel_id: str) -> Team | None:
        """The team that has this channel, deleted or not, or None."""
        for team in self.teams.values():
            if any(channel.id == channel_id for channel in team.channels):
                return team
        return None

    def put_back(self) -> None:
        """Make everything again as it was in the beginning; who holds this world keeps it."""
        fresh = clinic(manifest=self.manifest)
        for name in ("people", "teams", "group_chats", "meetings", "phones", "feeds"):
            kept, begun = getattr(self, name), getattr(fresh, name)
            kept.clear()
            kept.update(begun)
        self.tenant_consents = fresh.tenant_consents
        self.faults = Faults()
        self.graph_calls.clear()
        self.script.clear()
        self.changed()

    def granted(self, person: Person) -> set[str]:
        """The delegated permissions that this person or an administrator consented to."""
        return person.consents | self.tenant_consents

    def accepted(self, action: str) -> list[GraphCall]:
        """The calls of one Graph action (the last part of its path) that Graph accepted."""
        return [
            call
            for call in self.graph_calls
            if call.path.endswith(f"/{action}") and call.status in {202, 204}
        ]

    async def until(self, condition: Callable[[], bool], *, timeout_s: float = 30.0) -> None:
        """Wait until the condition holds. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.01)


def read_manifest() -> dict[str, Any]:
    """The app's manifest as it stands in the repository, as data."""
    manifest: dict[str, Any] = json.loads((ROOT / "manifest" / "manifest.json").read_text("utf-8"))
    return manifest


def clinic(*, manifest: dict[str, Any] | None = None) -> World:
    """A small clinic: people and their meetings, a guest, a team, a group chat, and consents."""
    world = World(manifest=manifest)
    for index, (name, title, zone, extra) in enumerate((*_STAFF, _GUEST), start=1):
        person = Person(
            id=f"a{index:07d}-0000-4000-8000-{index:012d}",
            name=name,
            title=title,
            zone=zone,
            **{"mail": f"{'.'.join(name.lower().split())}@contoso-clinic.example", **extra},
        )
        world.people[person.id] = person
    world.tenant_consents |= {"VirtualAppointmentNotification.Send", "openid", "profile"}
    for person in world.people.values():
        person.consents |= set() if person.is_guest else _USER_CONSENTS
    _fill_calendars(world)
    _open_team(world)
    return world


_USER_CONSENTS = {
    "User.ReadBasic.All",
    "TeamsActivity.Send",
    "TeamsAppInstallation.ReadForUser",
    "Calendars.Read",
    "OnlineMeetings.Read",
    "offline_access",
}

_STAFF: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("Adele Vance", "Receptionist", "America/Los_Angeles", {}),
    ("Megan Bowen", "Nurse", "America/New_York", {}),
    ("Lee Gu", "Team lead", "America/Chicago", {}),
    ("Diego Siciliani", "Physician", "America/Denver", {"locale": "es-MX"}),
    ("Isaiah Langer", "Clerk", "America/Phoenix", {"has_premium": False}),
    ("Nadia Hassan", "IT administrator", "America/New_York", {"is_admin": True}),
)
_GUEST: tuple[str, str, str, dict[str, Any]] = (
    "Grady Archie",
    "Guest, Fabrikam Imaging",
    "America/New_York",
    {
        "mail": "grady.archie@fabrikam.example",
        "is_guest": True,
        "has_app": False,
        "has_premium": False,
    },
)
_NAMESPACE = uuid.UUID("3f6b8a10-4c55-4d86-8f7b-6f0f3a9e1c22")


def new_team(
    world: World, name: str, people: Iterable[Person], channels: Iterable[str] = ("General",)
) -> Team:
    """A team of these people, the guests among them as guests; the same name gives the same one."""
    key = str(uuid.uuid5(_NAMESPACE, f"team {name}"))
    if key not in world.teams:
        made = [Channel(_thread(f"{name}/{channel}", "tacv2"), channel) for channel in channels]
        members = [person.id for person in people if not person.is_guest]
        guests = [person.id for person in people if person.is_guest]
        world.teams[key] = Team(key, name, made[0].id, members, guests, made)
    return world.teams[key]


def new_group_chat(world: World, name: str, people: Iterable[Person]) -> GroupChat:
    """A chat of these people; the same name gives the same one."""
    key = _thread(f"groupChat{name}", "v2")
    return world.group_chats.setdefault(key, GroupChat(key, name, [person.id for person in people]))


def _thread(name: str, suffix: str) -> str:
    return f"19:{uuid.uuid5(_NAMESPACE, name).hex}@thread.{suffix}"


def _open_team(world: World) -> None:
    everybody = list(world.people.values())
    new_team(world, "Front desk", everybody, ("General", "Appointments"))
    on_call = [world.named(name) for name in ("Adele", "Megan", "Diego")]
    new_group_chat(world, "Cardiology on call", on_call)


def _fill_calendars(world: World) -> None:
    today = world.now().replace(hour=16, minute=0, second=0, microsecond=0)
    people = list(world.people.values())
    subjects = ("Follow-up visit", "Physical therapy", "Medication review", "First consultation")
    number = 0
    for person in people[:5]:
        for day, subject in enumerate(subjects[: 3 if person is people[0] else 2], start=1):
            number += 1
            world.meetings[f"MSo1N2Y5ZGFjYy{number:04d}"] = Meeting(
                id=f"MSo1N2Y5ZGFjYy{number:04d}",
                event_id=f"AAMkAGI1AAAt{number:04d}=",
                organizer_id=person.id,
                subject=subject,
                start=today + timedelta(days=day, hours=number % 4),
                end=today + timedelta(days=day, hours=number % 4, minutes=30),
                join_url=_join_url(world, person, number),
            )
    lee = world.named("Lee")
    new_series(world, lee, "Diabetes group", today + timedelta(days=1, hours=2), times=12)


def _join_url(world: World, person: Person, number: int) -> str:
    if number % 2:
        context = f"%7b%22Tid%22%3a%22{world.tenant_id}%22%2c%22Oid%22%3a%22{person.id}%22%7d"
        thread = f"19%3ameeting_{uuid.UUID(int=number).hex}%40thread.v2"
        return f"https://teams.microsoft.com/l/meetup-join/{thread}/0?context={context}"
    return f"https://teams.microsoft.com/meet/2{number:013d}?p=Zq{number:04d}xTPw"
