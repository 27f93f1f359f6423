"""The ledger's records, and the tables that hold them.

Times are milliseconds since 1970 in UTC (`…_at_ms`): the same on SQLite and PostgreSQL, comparable
in SQL. Everything that says who is told what is sealed; counts, states and keys are not.
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Column,
    ColumnElement,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    case,
    text,
)

from bot.actor import Actor

METADATA = MetaData()

BATCH = 100  # sendActivityNotificationToRecipients: at most 100 recipients a request


class State(StrEnum):
    """The states of a batch. A delivery's state is derived from its batches."""

    SCHEDULED = "scheduled"  # waits for its time
    QUEUED = "queued"
    CLAIMED = "claimed"  # a worker has it; safe to take back
    SENDING = "sending"  # it may be on the wire
    ACCEPTED = "accepted"  # Graph took it (202)
    REFUSED = "refused"  # Graph said no, or it surely never left
    UNKNOWN = "unknown"  # it left, and nobody can tell
    CANCELLED = "cancelled"
    NEEDS_SIGN_IN = "needs_sign_in"  # waits for its owner to sign in
    HELD = "held"  # waits for its owner's decision: what it is about has changed


SETTLED = (State.ACCEPTED, State.REFUSED, State.UNKNOWN, State.CANCELLED)
IN_HAND = (State.CLAIMED, State.SENDING)
WAITING = (State.SCHEDULED, State.QUEUED, State.NEEDS_SIGN_IN, State.HELD)

# Words in a batch's `problem` that are no error's name.
INTERRUPTED = "Interrupted"  # the process died, or its owner stepped in, after it may have left
OWNER_CANCELS = "OwnerCancels"  # it is on the wire, and does not go again
OWNER_INSISTS = "OwnerInsists"  # sent although what it is about has changed
OWNER_SAYS = "OwnerSaysItArrived"


class Kind(StrEnum):
    """What a delivery is; and, of a batch, which of Graph's limits it counts against."""

    TEXT = "text"
    NOTICE = "notice"
    GROUP = "group"  # of batches alone: a notice for all members of a group, in one request


@dataclass(frozen=True)
class Place:
    """Where a delivery's card stands, and how its owner reads times and languages.

    `activity_id` is empty where there is no message to keep up to date, as in a dialog. Where it
    `is_shared` (a channel's thread, a group chat) others read the card: it names nobody but the
    owner, `owner_name`, whose id in Teams (`29:…`) is `owner_id`.
    """

    service_url: str
    conversation_id: str
    activity_id: str = ""
    locale: str = "en-US"
    zone: str = "UTC"  # IANA name
    is_shared: bool = False
    owner_id: str = ""
    owner_name: str = ""


class How(StrEnum):
    """In what way a delivery takes an earlier one's place."""

    REPLACES = "r"  # what waits: it was changed before it left
    CORRECTS = "c"  # what people have in their feeds
    REPEATS = "a"  # what was refused, or what nobody can tell of


@dataclass(frozen=True)
class Succession:
    """The earlier delivery whose place a new one takes: that one sends nothing any more.

    `seen_ms` is the newest result that its owner had seen when this was decided.
    """

    how: How
    delivery_id: str
    seen_ms: int = 0


@dataclass(frozen=True)
class NewDelivery:
    """What a submit asks for.

    `request` is what the form had, to show it and to change it; `call` is what all requests to
    Graph have in common. A `due_at_ms` in the future schedules it. One that `succeeds` a
    notification has its chain id, so that it replaces in the feeds what that one sent.
    """

    actor: Actor
    form_id: str
    kind: Kind
    place: Place
    request: dict[str, Any] = field(repr=False)
    call: dict[str, Any] = field(repr=False)
    due_at_ms: int | None = None
    succeeds: Succession | None = None
    lane: Kind | None = None  # of its batches, where that is not its kind

    @property
    def batch_kind(self) -> Kind:
        """The kind of its batches."""
        return self.lane or self.kind


@dataclass(frozen=True)
class Batch:
    """One Graph request of a delivery: the unit of the ledger. A worker's view of it.

    `due_at_ms` is from when on it was to leave, `starts_at_ms` its lane's slot: it may not leave
    before. `call` is what the delivery's requests have in common, `people` whom this one is for.
    """

    id: int
    delivery_id: str
    position: int
    actor: Actor
    kind: Kind
    count: int
    attempt: int
    problem: str = ""  # why it was put back before
    doubted: bool = False  # an earlier try may have been accepted
    insisted: bool = False  # its owner wants it sent, whatever has changed
    starts_at_ms: float = 0.0
    due_at_ms: int = 0
    call: dict[str, Any] = field(default_factory=dict, repr=False)
    people: list[Any] = field(default_factory=list, repr=False)

    def evolve(self, **changes: Any) -> Self:
        """A copy with these fields changed."""
        return replace(self, **changes)


@dataclass(frozen=True)
class Tally:
    """The batches of one delivery that are in the same state for the same reason.

    `problem` is the name of the error class whose sentence the card shows.
    """

    state: State
    problem: str
    batches: int
    people: int
    request_id: str = ""
    settled_at_ms: int | None = None
    due_at_ms: int | None = None
    first: int = 0  # the positions of the first and the last of them
    last: int = 0


@dataclass(frozen=True)
class Delivery:
    """What one submit asked for, and what is known of it."""

    id: str
    actor: Actor
    form_id: str
    kind: Kind
    chain_id: int
    created_at_ms: int
    due_at_ms: int
    place: Place
    total: int  # people
    request: dict[str, Any] = field(repr=False)  # what the form asked for; {} once erased
    tallies: tuple[Tally, ...] = ()
    is_readable: bool = True  # False: sealed with a key that was taken away
    drawn_at_ms: int = 0  # when its card was last drawn, or an answer showed all of it
    lane_free_at_ms: float = 0.0  # when its lane's next request may leave, where much of it waits
    ahead: int = 0  # other deliveries' requests that leave before it, where much of it waits
    successor_id: str = ""  # the delivery that took its place: this one sends nothing any more

    @property
    def short_id(self) -> str:
        """What a person types: `status <short id>`."""
        return self.id[:8]

    def people(self, *states: State) -> int:
        """How many people are in batches of these states."""
        return sum(tally.people for tally in self.tallies if tally.state in states)

    def batches(self, *states: State) -> int:
        """How many batches are in these states."""
        return sum(tally.batches for tally in self.tallies if tally.state in states)

    @property
    def arrived(self) -> int:
        """How many people have it by their owner's word alone; they count as accepted too."""
        return sum(tally.people for tally in self.tallies if tally.problem == OWNER_SAYS)

    @property
    def seen_ms(self) -> int:
        """The time of its newest result: what a decision about it refers to."""
        return max((tally.settled_at_ms or 0 for tally in self.tallies), default=0)

    @property
    def is_settled(self) -> bool:
        """Whether nothing of it waits any more."""
        return all(tally.state in SETTLED for tally in self.tallies)


DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("tenant_id", String(36), nullable=False),
    Column("user_id", String(36), nullable=False),
    Column("form_id", String(120), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("chain_id", BigInteger, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("due_at_ms", BigInteger, nullable=False),
    Column("total", Integer, nullable=False),
    Column("drawn_at_ms", BigInteger, nullable=False),  # when its card was last drawn
    Column("sealed_place", LargeBinary, nullable=False),
    Column("sealed_request", LargeBinary),
    Column("sealed_call", LargeBinary),
    Column("erased_at_ms", BigInteger),  # when its words and names were
    Column("successor_id", String(32)),  # the delivery that took its place
    UniqueConstraint("tenant_id", "user_id", "form_id", name="uq_deliveries_form"),
    Index("ix_deliveries_owner", "tenant_id", "user_id", "created_at_ms"),
    Index("ix_deliveries_created", "created_at_ms"),
)

# A delivery's first request. As text: a database uses a partial index only where it can read its
# condition in the statement.
IS_FIRST = text("position = 0")

BATCHES = Table(
    "batches",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("delivery_id", String(32), ForeignKey("deliveries.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("tenant_id", String(36), nullable=False),
    Column("user_id", String(36), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("people", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("doubted", Integer, nullable=False),
    Column("insisted", Integer, nullable=False),
    Column("due_at_ms", BigInteger, nullable=False),
    Column("owner", String(64)),
    Column("lease_until_ms", BigInteger),
    Column("settled_at_ms", BigInteger),
    Column("problem", String(64), nullable=False),
    Column("status", Integer),
    Column("code", String(128), nullable=False),
    Column("request_id", String(64), nullable=False),
    UniqueConstraint("delivery_id", "position", name="uq_batches_position"),
    Index("ix_batches_lane", "tenant_id", "kind", "state", "due_at_ms"),
    Index("ix_batches_due", "state", "due_at_ms"),
    Index("ix_batches_owner", "tenant_id", "user_id", "state"),
    Index(
        "ix_batches_first",
        "tenant_id",
        "kind",
        "state",
        "due_at_ms",
        sqlite_where=IS_FIRST,
        postgresql_where=IS_FIRST,
    ),
)

# Apart from their batches: a batch is written again at each of its steps, and SQLite writes a row
# as a whole.
RECIPIENTS = Table(
    "recipients",
    METADATA,
    Column("delivery_id", String(32), ForeignKey("deliveries.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("sealed_people", LargeBinary, nullable=False),
)

LANES = Table(
    "lanes",
    METADATA,
    Column("key", String(60), primary_key=True),  # "<kind> <tenant>", or "<kind>" for the app
    Column("kind", String(16), nullable=False),
    Column("tenant_id", String(36)),  # NULL: the whole app's
    Column("free_at_ms", Double, nullable=False),  # when the next request may leave
    Index("ix_lanes_free", "kind", "free_at_ms"),
)

DRAFTS = Table(
    "drafts",
    METADATA,
    Column("tenant_id", String(36), primary_key=True),
    Column("user_id", String(36), primary_key=True),
    Column("form_id", String(120), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("saved_at_ms", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

ONCE = Table(
    "once",
    METADATA,
    Column("key", String(200), primary_key=True),
    Column("seen_at_ms", BigInteger, nullable=False),
)


def settled_at(now: int | BindParameter[int]) -> ColumnElement[int]:
    """When a batch is settled: always later than the last time, also where a clock was put back.

    Or a decision about the last result would be one about this one, too.
    """
    before = BATCHES.c.settled_at_ms
    return case((before >= now, before + 1), else_=now)
