"""Encryption at rest: what the database keeps of people is sealed with the keys of `SECRET_KEYS`.

Fernet (AES-128-CBC with HMAC-SHA256, authenticated) from the `cryptography` package. The first key
seals; every key opens, so a key is rotated by putting the new one in front.
"""

import base64
import hmac
import json
from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.errors import HeraldError


class Unreadable(HeraldError):
    """A stored record can't be read any more, because its key was taken away."""


def _fernet(secret: str, purpose: str) -> Fernet:
    # One key for each purpose: what is sealed as a token cannot be opened as a draft.
    derived = HKDF(hashes.SHA256(), 32, salt=None, info=f"herald/{purpose}".encode()).derive(
        secret.encode()
    )
    return Fernet(base64.urlsafe_b64encode(derived))


class Seal:
    """Seals and opens bytes and JSON for one purpose (`ledger`, `tokens`, `sign-in`).

    `secrets` are the values of `SECRET_KEYS`, newest first.
    """

    def __init__(self, secrets: Sequence[str], purpose: str) -> None:
        fernets = [_fernet(secret, purpose) for secret in secrets]
        self._newest = fernets[0]
        self._fernets = MultiFernet(fernets)

    def seal(self, plain: bytes) -> bytes:
        """Encrypt and authenticate with the newest key."""
        return self._fernets.encrypt(plain)

    def open(self, sealed: bytes, *, max_age_s: int | None = None) -> bytes:
        """Decrypt with whichever key fits.

        Raises:
            Unreadable: no key fits, the record was changed, or it is older than `max_age_s`.
        """
        try:
            return self._fernets.decrypt(sealed, ttl=max_age_s)
        except InvalidToken:
            raise Unreadable from None

    def reseal(self, sealed: bytes) -> bytes | None:
        """The same under the newest key, with its first time kept; None where it is so already.

        Raises Unreadable where no key fits.
        """
        try:
            self._newest.decrypt(sealed)
        except InvalidToken:
            pass
        else:
            return None
        try:
            return self._fernets.rotate(sealed)
        except InvalidToken:
            raise Unreadable from None

    def seal_json(self, value: Any) -> bytes:
        """Seal a JSON value."""
        return self.seal(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())

    def open_json(self, sealed: bytes, *, max_age_s: int | None = None) -> Any:
        """Open what `seal_json` sealed. Raises `Unreadable` as `open` does."""
        return json.loads(self.open(sealed, max_age_s=max_age_s))


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


def _mac(key: bytes, words: Sequence[str]) -> str:
    digest = hmac.digest(key, "\x1f".join(words).encode(), "sha256")[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
