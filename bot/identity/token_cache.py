"""Where sign-ins are kept: each person's MSAL cache, sealed, and what the consent pop-up waits for.

The only module outside the ledger that knows SQLAlchemy.
"""

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.actor import Actor
from bot.sealing import Drawer, Seal, Unreadable

METADATA = MetaData()

# Times are milliseconds since 1970 in UTC, as in the ledger's tables.
TOKEN_CACHES = Table(
    "token_caches",
    METADATA,
    Column("tenant_id", String(36), primary_key=True),
    Column("user_id", String(36), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    # Not a counter: a number that no other write of this row ever had, so that a row that was
    # removed and made anew is never taken for the old one.
    Column("version", BigInteger, nullable=False),
    Column("updated_at_ms", BigInteger, nullable=False),
)
SIGN_INS = Table(
    "sign_ins",
    METADATA,
    Column("key_hash", String(64), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False, index=True),
)
TOKENS = Drawer("token_caches", "sealed", "tokens", ("tenant_id", "user_id"))
SIGN_IN = Drawer("sign_ins", "sealed", "sign-in", ("key_hash",))

# How long another replica's sign-out or renewal may go unnoticed here.
_FRESH_S = 2.0
_MOST_HELD = 1_000


class Database(Protocol):
    """What is asked of the database: connections, and transactions that commit on leaving."""

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection for reading."""
        ...

    def write(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction; an error rolls it back."""
        ...


@dataclass
class Stored:
    """One person's MSAL cache as it was read.

    `text` is MSAL's own JSON, or None when no key opens it any more. `seen` is scratch space that
    lives as long as this version is current: whatever was made of the text.
    """

    version: int
    text: str | None = field(repr=False)
    updated_at_ms: int
    checked_at: float = field(default_factory=time.monotonic)
    seen: dict[Any, Any] = field(default_factory=dict, repr=False)


class TokenCache:
    """Every person's MSAL cache, each in a row of its own, sealed with the purpose `tokens`.

    What was read is kept in memory, unsealed, for the most recent people; it counts for
    two seconds, then the row's version is looked at again. `secrets` are the values of
    `SECRET_KEYS`, newest first.
    """

    def __init__(self, database: Database, secrets: Sequence[str]) -> None:
        self._database = database
        self._seal = Seal(secrets, "tokens")
        self._held: OrderedDict[Actor, Stored] = OrderedDict()
        self.sign_ins = SignIns(database, secrets)

    def recall(self, actor: Actor) -> Stored | None:
        """What is in memory for this person, if it was compared with the database just now."""
        stored = self._held.get(actor)
        if stored is None or time.monotonic() - stored.checked_at > _FRESH_S:
            return None
        return stored

    async def load(self, actor: Actor) -> Stored | None:
        """This person's cache as the database has it, or None when there is none."""
        async with self._database.read() as connection:
            row = (await connection.execute(_row_of(actor))).one_or_none()
        if row is None:
            self._held.pop(actor, None)
            return None
        stored = self._held.get(actor)
        if stored is None or stored.version != row.version:
            stored = Stored(row.version, self._open(actor, row.sealed), row.updated_at_ms)
        stored.checked_at = time.monotonic()
        self._hold(actor, stored)
        return stored

    async def save(self, actor: Actor, text: str, *, over: int | None) -> Stored | None:
        """Keep this person's cache in place of version `over` (None: there was no row).

        Returns None, having written nothing, when somebody else wrote or removed it meanwhile.
        """
        version = secrets.randbits(62)
        values: dict[str, Any] = {
            "sealed": self._seal.seal_json(
                {"t": actor.tenant_id, "u": actor.user_id, "c": text}, _binding(actor)
            ),
            "version": version,
            "updated_at_ms": _now_ms(),
        }
        if not await self._write(actor, values, over):
            return None
        stored = Stored(version, text, values["updated_at_ms"])
        self._hold(actor, stored)
        return stored

    async def forget(self, actor: Actor) -> bool:
        """Remove this person's cache. False when there was none."""
        self._held.pop(actor, None)
        async with self._database.write() as connection:
            done = await connection.execute(delete(TOKEN_CACHES).where(*_is(actor)))
        return bool(done.rowcount)

    async def _write(self, actor: Actor, values: dict[str, Any], over: int | None) -> bool:
        if over is not None:
            is_that = TOKEN_CACHES.c.version == over
            async with self._database.write() as connection:
                done = await connection.execute(
                    update(TOKEN_CACHES).where(*_is(actor), is_that).values(**values)
                )
            return bool(done.rowcount)
        row = {"tenant_id": actor.tenant_id, "user_id": actor.user_id, **values}
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(TOKEN_CACHES).values(**row))
        except IntegrityError:
            return False
        return True

    def _open(self, actor: Actor, sealed: bytes) -> str | None:
        try:
            record = self._seal.open_json(sealed, _binding(actor))
        except Unreadable:
            return None
        # What was sealed before records were bound to their rows says itself whose it is.
        if (record["t"], record["u"]) != actor:
            return None
        return str(record["c"])

    def _hold(self, actor: Actor, stored: Stored) -> None:
        self._held[actor] = stored
        self._held.move_to_end(actor)
        while len(self._held) > _MOST_HELD:
            self._held.popitem(last=False)


class SignIns:
    """What a sign-in on its way waits for, each found once and by a secret that is not stored.

    `kind` is `state` (between the pop-up's start and Entra's answer) or `code` (between that answer
    and `signin/verifyState`). The row's key is the SHA-256 of kind and secret.
    """

    def __init__(self, database: Database, secrets: Sequence[str]) -> None:
        self._database = database
        self._seal = Seal(secrets, "sign-in")

    async def keep(self, kind: str, record: dict[str, Any], *, life_s: float) -> str:
        """Keep a record and return the secret (256 random bits) that fetches it once."""
        secret = secrets.token_urlsafe(32)
        now_ms = _now_ms()
        row: dict[str, Any] = {
            "key_hash": _key_hash(kind, secret),
            "expires_at_ms": now_ms + int(life_s * 1000),
        }
        row["sealed"] = self._seal.seal_json(record, SIGN_IN.binding(row))
        async with self._database.write() as connection:
            await connection.execute(delete(SIGN_INS).where(SIGN_INS.c.expires_at_ms <= now_ms))
            await connection.execute(insert(SIGN_INS).values(**row))
        return secret

    async def take(self, kind: str, secret: str) -> dict[str, Any] | None:
        """Fetch and remove a record, in one statement; None when it is unknown, used or expired."""
        is_it = SIGN_INS.c.key_hash == _key_hash(kind, secret)
        async with self._database.read() as connection:
            # Strangers' guesses must not queue up for the writer.
            if (await connection.execute(select(SIGN_INS.c.key_hash).where(is_it))).first() is None:
                return None
        async with self._database.write() as connection:
            row = (
                await connection.execute(delete(SIGN_INS).where(is_it).returning(*SIGN_INS.c))
            ).one_or_none()
        if row is None or row.expires_at_ms <= _now_ms():
            return None
        try:
            record: dict[str, Any] = self._seal.open_json(row.sealed, SIGN_IN.binding(row._mapping))
        except Unreadable:
            return None
        return record


def _row_of(actor: Actor) -> Any:
    columns = TOKEN_CACHES.c
    return select(columns.version, columns.sealed, columns.updated_at_ms).where(*_is(actor))


def _is(actor: Actor) -> tuple[Any, Any]:
    columns = TOKEN_CACHES.c
    return columns.tenant_id == actor.tenant_id, columns.user_id == actor.user_id


def _binding(actor: Actor) -> bytes:
    return TOKENS.binding({"tenant_id": actor.tenant_id, "user_id": actor.user_id})


def _key_hash(kind: str, secret: str) -> str:
    return hashlib.sha256(f"{kind}:{secret}".encode()).hexdigest()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
