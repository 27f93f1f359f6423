"""The channel's public keys: read from its OpenID metadata, kept, and read again when one is new.

A flood of bad tokens must not become a flood of fetches, and a key roll-over must not become an
outage. So an unknown key id asks for the keys at once, but all callers share one fetch, and after
it the next one may start no sooner than `REFETCH_S` later, whoever asks. The bound that follows:
a new key is known `REFETCH_S` after it was published, even in the middle of a flood, because any
fetch brings it. (A key id that was asked for before it was published waits `ABSENT_S` at most.)
"""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

import aiohttp
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWTError
from jwt.algorithms import RSAAlgorithm

from bot.errors import HeraldError
from bot.settings import Settings

KEEP_S = 24 * 3600.0  # keys older than this are read again in the background
REFETCH_S = 5.0  # at most one fetch in this time because of unknown key ids
RETRY_S = 1.0  # the same while there has never been a key
LATE_S = 60.0  # how soon a failed background renewal is tried again
ABSENT_S = 30.0  # a key id that a fetch did not bring is not asked for again before
_ABSENT_AT_MOST = 1024
_FETCH_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)
_LARGEST_DOCUMENT = 1024 * 1024
_SHORTEST_KEY_BITS = 2048

log = structlog.get_logger(__name__)


class KeysUnavailable(HeraldError):
    """The keys that prove who is calling can't be read right now. Please try again shortly."""

    status: ClassVar[int] = 503
    retry_after_s: ClassVar[int] = 5


class KeysUnreadable(HeraldError):
    """The channel's key document is not what it should be."""


@dataclass(frozen=True, slots=True, eq=False)
class ChannelKey:
    """One RSA key, parsed, and the ids of the channels that it is endorsed for."""

    kid: str
    public: RSAPublicKey
    endorsements: frozenset[str]
    source: str  # the JSON it was read from, to tell whether a fetch changed it


class ChannelKeys:
    """Keys by key id. `tick` is a monotonic clock in seconds."""

    def __init__(
        self,
        settings: Settings,
        session: aiohttp.ClientSession,
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._metadata_url = settings.bot_openid_metadata_url
        self._local = settings.environment == "local"
        self._session = session
        self._tick = tick
        self._keys: dict[str, ChannelKey] = {}
        self._absent: OrderedDict[str, float] = OrderedDict()
        self._fetching: asyncio.Task[bool] | None = None
        self._may_fetch_at = float("-inf")
        self._old_at = float("inf")

    def known(self, kid: str) -> ChannelKey | None:
        """The key, when it is at hand; starts a renewal in the background when keys are old."""
        if self._tick() >= self._old_at:
            self._old_at = self._tick() + LATE_S
            self._start()
        return self._keys.get(kid)

    async def find(self, kid: str) -> ChannelKey | None:
        """The key with this id, or None when the channel does not publish it.

        Raises:
            KeysUnavailable: no keys could be read since the start.
        """
        key = self.known(kid)
        if key is None and self._absent.get(kid, 0.0) <= self._tick() and self._may_wait():
            own = self._fetching is None
            fetched = await asyncio.shield(self._start())
            key = self._keys.get(kid)
            # A fetch that was under way before may be older than the key: it proves nothing.
            if key is None and own and fetched:
                self._note_absent(kid)
        if not self._keys:
            raise KeysUnavailable
        return key

    async def warm(self) -> None:
        """Read the keys before the first request needs them; a failure is only logged."""
        if not self._keys:
            await asyncio.shield(self._start())

    async def missing(self) -> str:
        """A sentence when nobody who calls can be recognized, else nothing."""
        await self.warm()
        return "" if self._keys else KeysUnavailable().sentence

    async def close(self) -> None:
        """Give up a fetch that is under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    def _may_wait(self) -> bool:
        return self._fetching is not None or self._tick() >= self._may_fetch_at

    def _start(self) -> "asyncio.Task[bool]":
        if self._fetching is None:
            self._may_fetch_at = self._tick() + (REFETCH_S if self._keys else RETRY_S)
            self._fetching = asyncio.create_task(self._fetch(), name="channel-keys")
        return self._fetching

    def _note_absent(self, kid: str) -> None:
        self._absent[kid] = self._tick() + ABSENT_S
        self._absent.move_to_end(kid)
        while len(self._absent) > _ABSENT_AT_MOST:
            self._absent.popitem(last=False)

    async def _fetch(self) -> bool:
        try:
            keys_url = self._keys_url(await self._read(self._metadata_url))
            self._keys = _parse(await self._read(keys_url), self._keys)
        except (aiohttp.ClientError, TimeoutError, ValueError, KeysUnreadable) as error:
            # The old keys stay: better a key too many than a channel that cannot speak.
            log.warning("channel_keys_unavailable", reason=type(error).__name__, detail=str(error))
            return False
        else:
            self._old_at = self._tick() + KEEP_S
            log.info("channel_keys_read", keys=len(self._keys))
            return True
        finally:
            self._fetching = None

    async def _read(self, url: str) -> Mapping[str, Any]:
        async with self._session.get(url, timeout=_FETCH_TIMEOUT, allow_redirects=False) as answer:
            if answer.status != 200:
                raise KeysUnreadable(f"status {answer.status}")
            body = bytearray()
            async for chunk in answer.content.iter_any():
                body += chunk
                if len(body) > _LARGEST_DOCUMENT:
                    raise KeysUnreadable("too large")
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            raise KeysUnreadable("not JSON") from None
        if not isinstance(document, dict):
            raise KeysUnreadable("not an object")
        return document

    def _keys_url(self, metadata: Mapping[str, Any]) -> str:
        url = metadata.get("jwks_uri")
        if not isinstance(url, str) or not urlsplit(url).hostname:
            raise KeysUnreadable("no jwks_uri")
        if urlsplit(url).scheme != "https" and not self._local:
            raise KeysUnreadable("jwks_uri is not https")
        return url


def _parse(document: Mapping[str, Any], before: Mapping[str, ChannelKey]) -> dict[str, ChannelKey]:
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise KeysUnreadable("no keys")
    parsed = [key for item in listed if (key := _parse_key(item, before)) is not None]
    if not parsed:
        raise KeysUnreadable("no usable key")
    return {key.kid: key for key in reversed(parsed)}


def _parse_key(item: object, before: Mapping[str, ChannelKey]) -> ChannelKey | None:
    """The key, or None for what is not a public RSA signing key that we would trust."""
    if not isinstance(item, dict) or item.get("kty") != "RSA" or item.get("use", "sig") != "sig":
        return None
    kid, endorsements = item.get("kid"), item.get("endorsements", [])
    if not isinstance(kid, str) or "d" in item or item.get("alg", "RS256") != "RS256":
        return None
    if not isinstance(endorsements, list):
        return None
    source = json.dumps(item, sort_keys=True)
    if kid in before and before[kid].source == source:
        return before[kid]  # parsed once; and what it verified stays verified
    try:
        public = RSAAlgorithm.from_jwk(source)
    except (PyJWTError, ValueError, TypeError, KeyError):
        return None
    if not isinstance(public, RSAPublicKey) or public.key_size < _SHORTEST_KEY_BITS:
        return None
    return ChannelKey(kid, public, frozenset(map(str, endorsements)), source)
