"""The channel's signing keys: who the bot believes when a call says that it comes from Teams.

Shapes and rules: Microsoft's "Authentication with the Bot Connector API", connector to bot.
"""

import base64
import hashlib
import hmac
import json
import time
from functools import cache
from typing import Any, Literal

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

ISSUER = "https://api.botframework.com"
ENDORSEMENTS = ("msteams", "webchat", "directline", "skype")
_HASHES = {"RS256": hashes.SHA256(), "RS384": hashes.SHA384(), "RS512": hashes.SHA512()}


@cache
def _private_key(_name: str) -> rsa.RSAPrivateKey:
    # Making a key takes a tenth of a second; one process uses each name's key again.
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class ChannelKey:
    """One RSA key of the channel, with the channels that it is endorsed for."""

    def __init__(self, name: str, endorsements: tuple[str, ...] = ENDORSEMENTS) -> None:
        self.private = _private_key(name)
        self.endorsements = endorsements
        numbers = self.private.public_key().public_numbers()
        self._n, self._e = _encode_number(numbers.n), _encode_number(numbers.e)
        self.kid = _encode(hashlib.sha256(f"{name}{self._n}".encode()).digest()[:20])

    def public(self) -> dict[str, Any]:
        """The key as the channel's key document lists it (JSON Web Key with endorsements)."""
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.kid,
            "n": self._n,
            "e": self._e,
            "endorsements": list(self.endorsements),
        }

    def sign(self, algorithm: str, signed: bytes) -> bytes:
        """The signature of a token's first two parts.

        `HS256` is keyed with this key's public half, the classic confusion; `none` signs nothing.
        """
        if algorithm == "none":
            return b""
        if algorithm == "HS256":
            return hmac.new(self._public_pem(), signed, hashlib.sha256).digest()
        return self.private.sign(signed, padding.PKCS1v15(), _HASHES[algorithm])

    def _public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


class Channel:
    """Signs the channel's calls to the bot, and publishes the keys to check them with.

    The document lists the current key and one that is not endorsed for Teams.
    """

    def __init__(self, app_id: str) -> None:
        self._app_id = app_id
        self._rolled = 0
        self.ahead_s = 0.0  # how far Microsoft's clock is ahead of this machine's
        self.current = ChannelKey("channel-0")

    def roll_key(self) -> ChannelKey:
        """From now on another key signs, and the document lists it instead of the old one."""
        self._rolled += 1
        self.current = ChannelKey(f"channel-{self._rolled}")
        return self.current

    def document(self) -> dict[str, Any]:
        """What `/v1/.well-known/keys` answers."""
        return {"keys": [self.current.public(), self._unendorsed().public()]}

    def sign(
        self,
        service_url: str,
        *,
        audience: str | None = None,
        issuer: str = ISSUER,
        expires_in_s: float = 3600,
        valid_from_s: float = -300,
        key: Literal["current", "unendorsed", "unknown"] | ChannelKey = "current",
        algorithm: str = "RS256",
        claims: dict[str, Any] | None = None,
        header: dict[str, Any] | None = None,
        spoiled: bool = False,
    ) -> str:
        """A token as the channel sends it, or any bad variant of it.

        `key` is `current`, `unendorsed`, `unknown` (not in the document), or a kept ChannelKey.
        `algorithm` is RS256, RS384, RS512, HS256 or none. `claims` and `header` are laid over the
        right ones; a value of None takes one away. `spoiled` changes the signature.
        """
        signing_key = self._key(key)
        now = time.time() + self.ahead_s
        payload = {
            "serviceurl": service_url,
            "nbf": int(now + valid_from_s),
            "exp": int(now + expires_in_s),
            "iss": issuer,
            "aud": self._app_id if audience is None else audience,
        }
        head = {"alg": algorithm, "kid": signing_key.kid, "x5t": signing_key.kid, "typ": "JWT"}
        signed = f"{_encode_json(head, header)}.{_encode_json(payload, claims)}"
        signature = signing_key.sign(algorithm, signed.encode())
        if spoiled:
            signature = bytes([signature[0] ^ 1]) + signature[1:]
        return f"{signed}.{_encode(signature)}"

    def _key(self, key: str | ChannelKey) -> ChannelKey:
        if isinstance(key, ChannelKey):
            return key
        if key == "unendorsed":
            return self._unendorsed()
        return self.current if key == "current" else ChannelKey("of nobody")

    def _unendorsed(self) -> ChannelKey:
        return ChannelKey("channel-unendorsed", ("webchat",))


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _encode_number(number: int) -> str:
    return _encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _encode_json(value: dict[str, Any], changes: dict[str, Any] | None) -> str:
    merged = {**value, **(changes or {})}
    kept = {name: item for name, item in merged.items() if item is not None}
    return _encode(json.dumps(kept, separators=(",", ":")).encode())
