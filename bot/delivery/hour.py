"""How much one person may submit within an hour; counted in the ledger, so over all replicas."""

from sqlalchemy import Connection, select, text

from bot.actor import Actor
from bot.delivery.models import DELIVERIES
from bot.errors import HeraldError
from bot.words import ngettext

HOUR_MS = 3_600_000
_TURN_OF = text("SELECT pg_advisory_xact_lock(hashtextextended(:actor, 4873254))")


class TooManyDeliveries(HeraldError):
    """You have sent as much within an hour as Herald is set up for, so nothing of this was sent.

    `most` is the limit, and in `wait_min` minutes there is room for the next one.
    """

    def __init__(self, most: int, wait_min: int) -> None:
        super().__init__()
        self.most = most
        self.wait_min = wait_min

    @property
    def sentence(self) -> str:
        """How much is allowed, and when it can go on."""
        allowed = ngettext(
            "You have sent once within an hour, which is as much as Herald is set up for.",
            "You have sent {number} times within an hour, which is as much as Herald is set up "
            "for.",
            self.most,
        )
        wait = ngettext(
            "Nothing of this was sent; you can send it in a minute.",
            "Nothing of this was sent; you can send it in {number} minutes.",
            max(1, self.wait_min),
        )
        return f"{allowed} {wait}"


class Hour:
    """Checks a submit against what its actor submitted before. `most` of 0 is no limit."""

    def __init__(self, most: int) -> None:
        self._most = most

    def check(self, connection: Connection, actor: Actor, now_ms: int) -> None:
        """Called in the transaction that has written the new delivery, which counts too.

        Raises:
            TooManyDeliveries: there are more than there may be.
        """
        if not self._most:
            return
        if connection.dialect.name == "postgresql":
            # The same person's submits at other replicas wait for this one, and then see it. On
            # SQLite one transaction writes at a time anyway.
            connection.execute(_TURN_OF, {"actor": " ".join(actor)})
        since_ms = now_ms - HOUR_MS
        columns = DELIVERIES.c
        oldest_that_fits = connection.scalar(
            select(columns.created_at_ms)
            .where(
                columns.tenant_id == actor.tenant_id,
                columns.user_id == actor.user_id,
                columns.created_at_ms > since_ms,
            )
            .order_by(columns.created_at_ms.desc())
            .offset(self._most)
            .limit(1)
        )
        if oldest_that_fits is not None:
            # When the oldest of those that fill the hour falls out of it.
            wait_ms = oldest_that_fits - since_ms
            raise TooManyDeliveries(self._most, max(1, -(-wait_ms // 60_000)))
