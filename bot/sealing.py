"""Encryption at rest: what the database keeps of people is sealed with the keys of `SECRET_KEYS`.

AES-256-GCM from the `cryptography` package. Each record is bound to its place: its table, its
column, and what its row is and whose. Copied to another row, tenant or column it doesn't open. The
first key seals; every key opens, so a key is rotated by putting the new one in front.

A record is a version byte, 12 random bytes (NIST SP 800-38D: good for 2**32 records a key) and the
ciphertext. What was sealed before records were bound is Fernet, whose first byte is another one; it
is still read, until `python -m bot keys rotate` has sealed it anew.
"""

import base64
import hmac
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.errors import HeraldError

_BOUND = b"\x01"
_NONCE = 12


class Unreadable(HeraldError):
    """A stored record can't be read any more: its key was taken away, or it was changed."""


class Columns(Protocol):
    """A row's values by their columns' names."""

    def __getitem__(self, name: str, /) -> Any: ...


@dataclass(frozen=True)
class Drawer:
    """A sealed column of a table, and what each of its records is bound to.

    `purpose` chooses the key (`ledger`, `drafts`, `tokens`, `sign-in`). `bound_to` names columns
    of the row, or of the row that it belongs to, which never change.
    """

    table: str
    column: str
    purpose: str
    bound_to: tuple[str, ...]

    def binding(self, row: Columns) -> bytes:
        """The associated data of the record in this row."""
        values = (row[name] for name in self.bound_to)
        return json.dumps([self.table, self.column, *values]).encode()


class Seal:
    """Seals and opens records of one purpose.

    `secrets` are the values of `SECRET_KEYS`, newest first. `binding` is `Drawer.binding`'s.
    """

    def __init__(self, secrets: Sequence[str], purpose: str) -> None:
        self._secrets = secrets
        self._purpose = purpose
        # One key for each purpose: what is sealed as a token cannot be opened as a draft.
        self._keys = [AESGCM(_derived(secret, f"bound {purpose}")) for secret in secrets]

    def seal(self, plain: bytes, binding: bytes) -> bytes:
        """Encrypt and authenticate with the newest key."""
        nonce = os.urandom(_NONCE)
        return _BOUND + nonce + self._keys[0].encrypt(nonce, plain, binding)

    def open(self, sealed: bytes, binding: bytes) -> bytes:
        """Decrypt with whichever key fits.

        Raises:
            Unreadable: no key fits, or the record was changed, or is another place's.
        """
        if not sealed.startswith(_BOUND):
            return self._open_unbound(sealed)
        for key in self._keys:
            plain = _opened(key, sealed, binding)
            if plain is not None:
                return plain
        raise Unreadable

    def reseal(self, sealed: bytes, binding: bytes) -> bytes | None:
        """The same under the newest key, and bound; None where it is so already.

        Raises Unreadable where no key fits.
        """
        is_bound = sealed.startswith(_BOUND)
        if is_bound and _opened(self._keys[0], sealed, binding) is not None:
            return None
        return self.seal(self.open(sealed, binding), binding)

    def seal_json(self, value: Any, binding: bytes) -> bytes:
        """Seal a JSON value."""
        return self.seal(_json(value), binding)

    def open_json(self, sealed: bytes, binding: bytes) -> Any:
        """Open what `seal_json` sealed. Raises `Unreadable` as `open` does."""
        return json.loads(self.open(sealed, binding))

    @cached_property
    def _unbound(self) -> MultiFernet:
        return _fernets(self._secrets, self._purpose)

    def _open_unbound(self, sealed: bytes) -> bytes:
        try:
            return self._unbound.decrypt(sealed)
        except InvalidToken:
            raise Unreadable from None


class Ticket:
    """Seals what goes through a browser and comes back, for a while; Fernet, which knows its age.

    What is sealed for one purpose does not open for another, nor does a stored record.
    """

    def __init__(self, secrets: Sequence[str], purpose: str) -> None:
        self._fernets = _fernets(secrets, f"ticket {purpose}")

    def seal_json(self, value: Any) -> str:
        """A JSON value as text for an address."""
        return self._fernets.encrypt(_json(value)).decode()

    def open_json(self, sealed: str, *, max_age_s: int) -> Any:
        """What was sealed. Raises `Unreadable`: it isn't ours, was changed, or is too old."""
        try:
            plain = self._fernets.decrypt(sealed.encode("ascii", "replace"), ttl=max_age_s)
        except InvalidToken:
            raise Unreadable from None
        return json.loads(plain)


class Stamp:
    """Signs short names for one purpose, so that what comes back can be told from what was made up.

    HMAC-SHA256, cut to 128 bits. The newest of `secrets` signs; every one of them is believed.
    """

    def __init__(self, secrets: Sequence[str], purpose: str) -> None:
        self._keys = [f"herald/{purpose}/{secret}".encode() for secret in secrets]

    def sign(self, *words: str) -> str:
        """22 characters for these words."""
        return _mac(self._keys[0], words)

    def is_ours(self, signature: str, *words: str) -> bool:
        """Whether `signature` was made here for these words."""
        made = [_mac(key, words) for key in self._keys]
        return any(hmac.compare_digest(signature.encode(), one.encode()) for one in made)


def _derived(secret: str, purpose: str) -> bytes:
    kdf = HKDF(hashes.SHA256(), 32, salt=None, info=f"herald/{purpose}".encode())
    return kdf.derive(secret.encode())


def _fernets(secrets: Sequence[str], purpose: str) -> MultiFernet:
    keys = (base64.urlsafe_b64encode(_derived(secret, purpose)) for secret in secrets)
    return MultiFernet([Fernet(key) for key in keys])


def _opened(key: AESGCM, sealed: bytes, binding: bytes) -> bytes | None:
    start = len(_BOUND)
    try:
        return key.decrypt(sealed[start : start + _NONCE], sealed[start + _NONCE :], binding)
    except (InvalidTag, ValueError):  # ValueError: shorter than it could be
        return None


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _mac(key: bytes, words: Sequence[str]) -> str:
    digest = hmac.digest(key, "\x1f".join(words).encode(), "sha256")[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
