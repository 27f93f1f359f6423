"""What the world is made of, as records: people, teams, meetings, phones, feeds, calls, faults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

TENANT_ID = "5eafa5f0-6c1f-4f4e-9d3d-0c4b3b1a7e01"


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
    is_guest: bool = False  # from another organization; no apps of his or her own

    @property
    def teams_id(self) -> str:
        """The `from.id` of this person's activities: `29:…`."""
        return f"29:1{self.id.replace('-', '')}"


@dataclass(frozen=True)
class Channel:
    """One channel of a team; `id` is its thread's."""

    id: str
    name: str


@dataclass
class Team:
    """A team: `id` is its group's in Entra, `thread_id` that of its General channel."""

    id: str
    name: str
    thread_id: str
    member_ids: list[str]  # without the guests
    guest_ids: list[str] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    has_bot: bool = True
    deleted: bool = False

    @property
    def people_ids(self) -> list[str]:
        """Members and guests."""
        return [*self.member_ids, *self.guest_ids]


@dataclass
class GroupChat:
    """A chat of several people."""

    id: str
    name: str
    member_ids: list[str]
    has_bot: bool = True


@dataclass
class Meeting:
    """An online meeting and its calendar event.

    The occurrences of a series share `series_id`, `join_url` and what onlineMeetings tells of them:
    the first one's. An all-day one lasts from midnight to midnight in UTC, and is shown as midnight
    on every clock.
    """

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
    series_id: str = ""
    series_start: datetime | None = None  # what onlineMeetings tells, wherever this one is moved
    is_all_day: bool = False
    is_private: bool = False


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
    connector_slow_s: float = 0.0  # every answer of the Bot Connector waits so long
    connector_refuses: int = 0  # it answers each of the bot's calls with this status
