"""What is kept beside the ledger for a while: drafts of forms, and keys that are seen once."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, delete, select

from bot.actor import Actor
from bot.delivery import drawers
from bot.delivery.database import Database
from bot.delivery.models import DRAFTS, ONCE, Kind
from bot.errors import StaleButton
from bot.sealing import Seal

# Statements are made once: building one costs as much as running it.
_READ = select(DRAFTS).where(
    DRAFTS.c.tenant_id == bindparam("tenant"),
    DRAFTS.c.user_id == bindparam("user"),
    DRAFTS.c.form_id == bindparam("form"),
    DRAFTS.c.kind == bindparam("of"),
)


@dataclass(frozen=True)
class Draft:
    """What one review showed: its id, the request as JSON, and how long ago it was shown."""

    id: str
    request: Any = field(repr=False)
    age_s: float


class Drafts:
    """What a review showed, kept sealed under its actor and form until it is sent."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal
        statement = database.insert(DRAFTS)
        self._keep = statement.on_conflict_do_update(
            index_elements=["tenant_id", "user_id", "form_id"],
            set_={
                "kind": statement.excluded.kind,
                "saved_at_ms": statement.excluded.saved_at_ms,
                "sealed": statement.excluded.sealed,
            },
        )

    async def keep(self, actor: Actor, form_id: str, kind: Kind, request: Any) -> str:
        """Keep what a form asked for; the newest word of one form counts.

        Returns the draft's id: what a review showed is known by it.
        """
        draft_id = secrets.token_urlsafe(9)
        row: dict[str, Any] = {
            "tenant_id": actor.tenant_id,
            "user_id": actor.user_id,
            "form_id": form_id,
            "kind": kind.value,
            "saved_at_ms": self._database.clock_ms(),
        }
        draft = {"id": draft_id, "request": request}
        row["sealed"] = self._seal.seal_json(draft, drawers.DRAFT.binding(row))
        await self._database.write_in_one(lambda connection: connection.execute(self._keep, row))
        return draft_id

    async def read(self, actor: Actor, form_id: str, kind: Kind) -> Draft:
        """What `keep` kept.

        Raises:
            StaleButton: nothing is kept under this form for this actor.
        """
        values = {"tenant": actor.tenant_id, "user": actor.user_id, "form": form_id}
        row = await self._database.read_in_one(
            lambda connection: connection.execute(_READ, {**values, "of": kind.value}).one_or_none()
        )
        if row is None:
            raise StaleButton
        opened = self._seal.open_json(row.sealed, drawers.DRAFT.binding(row._mapping))
        age_s = (self._database.clock_ms() - row.saved_at_ms) / 1000
        return Draft(opened["id"], opened["request"], age_s)

    async def forget(self, *, before_ms: int) -> None:
        """Drop drafts and keys older than this."""
        async with self._database.write() as connection:
            await connection.execute(delete(DRAFTS).where(DRAFTS.c.saved_at_ms < before_ms))
            await connection.execute(delete(ONCE).where(ONCE.c.seen_at_ms < before_ms))


class Once:
    """Keys that are seen once, whichever replica sees them: an exchange id, a retried invoke."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def seen(self, key: str) -> bool:
        """Whether this key was seen before."""
        async with self._database.read() as connection:
            found = await connection.execute(select(ONCE.c.key).where(ONCE.c.key == key[:200]))
            return found.first() is not None

    async def first_time(self, key: str) -> bool:
        """Whether this key was never seen before; it is seen from now on."""
        async with self._database.write() as connection:
            added = await connection.execute(
                self._database.insert(ONCE)
                .values(key=key[:200], seen_at_ms=self._database.clock_ms())
                .on_conflict_do_nothing(index_elements=["key"])
            )
        return added.rowcount == 1

    async def forget_key(self, key: str) -> None:
        """What happened under this key counts no more: it can be a first time again."""
        async with self._database.write() as connection:
            await connection.execute(delete(ONCE).where(ONCE.c.key == key[:200]))
