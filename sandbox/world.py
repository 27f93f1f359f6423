"""The one state that every stand-in shares: people, meetings, phones, feeds, consents and faults.

Nothing here speaks HTTP. The stand-ins change it, the page shows it, tests read it.
"""

import asyncio
import json
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TENANT_ID = "5eafa5f0-6c1f-4f4e-9d3d-0c4b3b1a7e01"
APP_ID = "7b1f6a52-3d0e-4c19-8a54-2f2c9f0b6d11"
TEAMS_APP_ID = "c0a9d4de-52b1-4d4f-9a86-3f5c8f6e2a77"
CATALOG_APP_ID = "e8d1a3b6-90f4-4b7c-8f21-6a5d2c3b4e99"


@dataclass
class Person:
    """One person of the tenant, as Entra, Graph and Teams know him or her."""

    id: str
    name: str
    mail: str
    title: str
    zone: str  # IANA name
    locale: str = "en-US"
    tenant_id: str = TENANT_ID
    is_admin: bool = False
    has_premium: bool = True  # Teams Premium: what an organizer's texts need
    has_app: bool = True  # Herald is installed for this person
    consents: set[str] = field(default_factory=set)  # delegated permissions, short names

    @property
    def teams_id(self) -> str:
        """The `from.id` of this person's activities: `29:…`."""
        return f"29:1{self.id.replace('-', '')}"


@dataclass
class Meeting:
    """An online meeting and its calendar event."""

    id: str  # the onlineMeeting id, as Graph names it
    event_id: str
    organizer_id: str
    subject: str
    start: datetime
    end: datetime
    join_url: str
    attendee_ids: tuple[str, ...] = ()
    is_cancelled: bool = False
    is_online: bool = True


@dataclass(frozen=True)
class PhoneText:
    """One SMS on one patient's phone."""

    at: datetime
    number: str  # E.164
    message_type: str  # confirmation, reschedule, cancellation, reminder
    subject: str
    starts_at: datetime
    zone: str  # Windows name, as it was sent
    language: str
    organizer: str
    body: str  # the text as the phone shows it


@dataclass
class FeedItem:
    """One entry of a person's activity feed. The same `chain_id` replaces."""

    at: datetime
    actor_id: str
    activity_type: str
    text: str  # the template, filled in
    preview: str
    topic: str
    link: str
    chain_id: int | None
    replaced: int = 0


@dataclass(frozen=True)
class GraphCall:
    """What the Graph stand-in received, as it came, and what it answered.

    `path` has no query. `status` is what Graph decided, also when the connection was then cut:
    `answered` says whether the caller was told, `took_effect` whether a send reached anybody's
    phone or feed. `headers` are lower-case and lack the bearer token.
    """

    at: datetime
    method: str
    path: str
    actor_id: str
    body: Any
    status: int
    code: str = ""
    client_request_id: str = ""
    request_id: str = ""
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    took_effect: bool = False
    answered: bool = True


@dataclass
class Faults:
    """What the panel of faults sets. Each is off by default."""

    throttled: bool = False  # every send answers 429
    retry_after_s: int | None = 2  # the Retry-After of these, or none
    offline: bool = False  # Graph's connections are closed without an answer
    unavailable: bool = False  # Graph answers 503
    slow_s: float = 0.0  # every Graph answer waits so long
    hang: bool = False  # a send is accepted by Graph, its answer never comes
    entra_down: bool = False  # Entra answers 503
    short_tokens: bool = False  # the tenant's policy: tokens live 30 minutes
    exchange_mute: bool = False  # Teams clients never send signin/tokenExchange
    skip_not_installed: bool = False  # bulk: 202 and skip, instead of 403 for the batch
    duplicate_app: bool = False  # 409 unless teamsAppId is given


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
        self.meetings: dict[str, Meeting] = {}
        self.tenant_consents: set[str] = set()
        # Oldest first, both; a replaced notification moves to the end.
        self.phones: dict[str, list[PhoneText]] = defaultdict(list)
        self.feeds: dict[str, list[FeedItem]] = defaultdict(list)
        self.graph_calls: list[GraphCall] = []
        self.faults = Faults()
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

    async def until(self, condition: Callable[[], bool], *, timeout_s: float = 10.0) -> None:
        """Wait until the condition holds. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.01)


def read_manifest() -> dict[str, Any]:
    """The app's manifest as it stands in the repository, as data."""
    manifest: dict[str, Any] = json.loads((ROOT / "manifest" / "manifest.json").read_text("utf-8"))
    return manifest


def clinic(*, manifest: dict[str, Any] | None = None) -> World:
    """A small clinic: six people, their meetings, and the consents that an administrator gave."""
    world = World(manifest=manifest)
    for index, (name, title, zone, extra) in enumerate(_STAFF, start=1):
        person = Person(
            id=f"a{index:07d}-0000-4000-8000-{index:012d}",
            name=name,
            mail=f"{name.split()[0].lower()}.{name.split()[-1].lower()}@contoso-clinic.example",
            title=title,
            zone=zone,
            **extra,
        )
        world.people[person.id] = person
    world.tenant_consents |= {"VirtualAppointmentNotification.Send", "openid", "profile"}
    for person in world.people.values():
        person.consents |= _USER_CONSENTS
    _fill_calendars(world)
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


def _join_url(world: World, person: Person, number: int) -> str:
    if number % 2:
        context = f"%7b%22Tid%22%3a%22{world.tenant_id}%22%2c%22Oid%22%3a%22{person.id}%22%7d"
        thread = f"19%3ameeting_{uuid.UUID(int=number).hex}%40thread.v2"
        return f"https://teams.microsoft.com/l/meetup-join/{thread}/0?context={context}"
    return f"https://teams.microsoft.com/meet/2{number:013d}?p=Zq{number:04d}xTPw"
