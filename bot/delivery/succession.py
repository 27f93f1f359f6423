"""A delivery that takes an earlier one's place: of the two only the new one goes on sending.

Without this a button of the earlier one's card, pressed later or somewhere else, would send what
the new one has sent already, or bring old words back over new ones.
"""

from sqlalchemy import Connection, Row, Select, and_, bindparam, exists, select, update

from bot.actor import Actor
from bot.delivery.decisions import stop, take_back
from bot.delivery.models import (
    BATCHES,
    DELIVERIES,
    IN_HAND,
    WAITING,
    How,
    Kind,
    State,
    Succession,
)
from bot.errors import HeraldError

_ALIVE = [state.value for state in (*WAITING, *IN_HAND)]
_MAY_HAVE_IT = [State.ACCEPTED.value, State.UNKNOWN.value]

# Statements are made once: building one costs as much as running it.
_THEIRS = and_(
    DELIVERIES.c.tenant_id == bindparam("tenant"), DELIVERIES.c.user_id == bindparam("user")
)
_FIRST: Select[tuple[str, str, int]] = select(
    DELIVERIES.c.id, DELIVERIES.c.kind, DELIVERIES.c.chain_id
).where(_THEIRS, DELIVERIES.c.id == bindparam("first"))
# In one order, so that two of them never wait for each other.
_CHAIN = (
    select(DELIVERIES.c.id, DELIVERIES.c.successor_id)
    .where(
        _THEIRS,
        DELIVERIES.c.chain_id == bindparam("chain"),
        DELIVERIES.c.id != bindparam("new"),
    )
    .order_by(DELIVERIES.c.id)
    .with_for_update()
)
_SUCCEED = (
    update(DELIVERIES)
    .where(DELIVERIES.c.id.in_(bindparam("ids", expanding=True)))
    # Drawn anew: its buttons would do nothing.
    .values(successor_id=bindparam("new"), drawn_at_ms=0)
)


class LeftMeanwhile(HeraldError):
    """What this was to replace has left meanwhile, so nothing of this was sent."""


class SentAgainMeanwhile(HeraldError):
    """This was sent again meanwhile, so nothing more was sent now."""

    advice = "Look at it in “history” first: somebody could get the text twice."


def predecessor(
    connection: Connection, actor: Actor, succession: Succession
) -> Row[tuple[str, str, int]]:
    """The earlier delivery: its id, kind and chain id. Raises LeftMeanwhile if there is none."""
    values = {"tenant": actor.tenant_id, "user": actor.user_id, "first": succession.delivery_id}
    found = connection.execute(_FIRST, values).one_or_none()
    if found is None:
        raise LeftMeanwhile
    return found


def take_over(
    connection: Connection,
    actor: Actor,
    succession: Succession,
    first: Row[tuple[str, str, int]],
    new_id: str,
    now: int,
) -> None:
    """The delivery `new_id` takes the place of `first`, in the transaction that records it.

    What still waits of the first is taken back. A notification has the same chain id: whoever got
    the first gets it replaced, and what is on the wire does not go again. A text replaces nothing,
    so of one that was changed before it left nothing may have left since its owner decided, and one
    that is repeated may not have been repeated, nor have reached anybody since then.

    Raises:
        LeftMeanwhile: it was to be changed before it left, and has left.
        SentAgainMeanwhile: it was to be repeated, and was repeated.
    """
    values = {"tenant": actor.tenant_id, "user": actor.user_id, "new": new_id}
    chain = connection.execute(_CHAIN, {**values, "chain": first.chain_id}).all()
    ids = [row.id for row in chain]
    if first.kind == Kind.TEXT.value:
        _check_text(connection, succession, now, is_over=any(row.successor_id for row in chain))
    else:
        of_them = BATCHES.c.delivery_id.in_(ids)
        taken = take_back(connection, of_them, now)
        if succession.how is How.REPLACES and not taken:
            raise LeftMeanwhile
        stop(connection, of_them)
    left = [row.id for row in chain if not row.successor_id]
    connection.execute(_SUCCEED, {"ids": left, "new": new_id})


def _check_text(connection: Connection, succession: Succession, now: int, *, is_over: bool) -> None:
    of_it = BATCHES.c.delivery_id == succession.delivery_id
    is_changed = succession.how is How.REPLACES
    if is_changed:
        take_back(connection, of_it, now)
    since = BATCHES.c.state.in_(_MAY_HAVE_IT) & (BATCHES.c.settled_at_ms > succession.seen_ms)
    unwanted = of_it & (BATCHES.c.state.in_(_ALIVE) | since)
    if is_over or connection.scalar(select(exists().where(unwanted))):
        raise LeftMeanwhile if is_changed else SentAgainMeanwhile
