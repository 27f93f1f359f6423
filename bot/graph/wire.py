"""Requests to Graph: which go once, and which go again.

A send is attempted once: going again is the ledger's decision, which knows what must not happen
twice. A read goes again where Graph asks for it.
"""

import asyncio
import contextlib
import json
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

import aiohttp
from yarl import URL

from bot.errors import HeraldError
from bot.graph.attempts import Accepted, Attempts
from bot.graph.errors import (
    GraphError,
    GraphRefused,
    GraphSilent,
    GraphThrottled,
    GraphUnavailable,
    TokenRejected,
)
from bot.graph.routes import Route

_ATTEMPTS = 4  # of a read
_GO_AGAIN = frozenset({429, 503, 504})
_MOST_PAGES = 50


class Tokens(Protocol):
    """Whoever gave the tokens. Raises an IdentityError where the person is needed."""

    async def challenged(self, value: str, claims: str) -> None:
        """Graph refused this token and wants to see these claims (base64)."""

    async def instead_of(self, value: str) -> str | None:
        """Another token for this one, or None where there is none to be had."""


class Wire:
    """Requests to one Graph address.

    `base_url` has no version; `timeout_s` is for a whole attempt, `connect_s` for getting a
    connection, and `patience_s` for all the waiting between the attempts of a read. `tokens` hears
    of claims challenges, and gives a read another token for one that Graph refused.
    """

    def __init__(
        self,
        base_url: str,
        session: aiohttp.ClientSession,
        *,
        timeout_s: float = 20,
        connect_s: float = 5,
        patience_s: float = 8,
        tokens: Tokens | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._origin = URL(self._base_url).origin()
        # The connection's share is smaller, so that 'never left' and 'unknown' can be told apart.
        timeout = aiohttp.ClientTimeout(total=timeout_s, connect=min(connect_s, timeout_s / 2))
        self._attempts = Attempts(session, timeout)
        self.patience_s = patience_s
        self._tokens = tokens

    async def post(
        self,
        route: Route,
        token: str,
        body: bytes | Mapping[str, Any],
        *,
        path: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        client_request_id: str,
    ) -> Accepted:
        """Attempt a POST once. Raises a GraphError, whose class tells what is known of it."""
        data = body if isinstance(body, bytes) else _encoded(body)
        sent = {"Content-Type": "application/json", **(headers or {})}
        url = self._base_url + route.url_path(**(path or {}))
        try:
            return await self._attempts.make("POST", url, token, sent, client_request_id, data)
        except TokenRejected as error:
            await self._tell(token, error)
            raise

    async def get(
        self,
        route: Route,
        token: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON of a GET, which goes again after 429, 503, 504 and a cut connection."""
        return await self._read(self._address(route, path, query), token, headers or {})

    async def pages(
        self,
        route: Route,
        token: str,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[dict[str, Any]]:
        """Every item of a collection, page by page along `@odata.nextLink`.

        A link to another origin is an error, and never followed: the token would go along.
        """
        url: str | None = self._address(route, path, query)
        for _ in range(_MOST_PAGES):
            if url is None:
                return
            page = await self._read(url, token, headers or {})
            for item in page.get("value", ()):
                yield item
            url = self._next(page)

    def _next(self, page: Mapping[str, Any]) -> str | None:
        link = page.get("@odata.nextLink")
        if link is None:
            return None
        if URL(link, encoded=True).origin() != self._origin:
            raise GraphRefused(code="foreignNextLink")
        return str(link)

    def _address(
        self, route: Route, path: Mapping[str, str] | None, query: Mapping[str, str] | None
    ) -> str:
        # OData's names begin with '$', which stays as it is; everything in a value is encoded.
        encoded = "&".join(
            f"{name}={quote(value, safe='')}" for name, value in (query or {}).items()
        )
        url = self._base_url + route.url_path(**(path or {}))
        return f"{url}?{encoded}" if encoded else url

    async def read_by_post(
        self, route: Route, token: str, body: Mapping[str, Any], *, client_request_id: str
    ) -> Any:
        """The JSON of a POST that only reads, and so goes again as a GET does."""

        async def ask(token: str) -> Any:
            return _object(await self.post(route, token, body, client_request_id=client_request_id))

        return await self._with_another(token, ask)

    async def _read(self, url: str, token: str, headers: Mapping[str, str]) -> Any:
        async def ask(token: str) -> Any:
            try:
                answer = await self._attempts.make("GET", url, token, headers, str(uuid.uuid4()))
            except TokenRejected as error:
                await self._tell(token, error)
                raise
            return _object(answer)

        return await self._with_another(token, ask)

    async def _with_another(self, token: str, ask: Callable[[str], Awaitable[Any]]) -> Any:
        """Ask; and once more with another token, when Graph refused this one."""
        try:
            return await self._patiently(lambda: ask(token))
        except TokenRejected:
            another = await self._tokens.instead_of(token) if self._tokens else None
            if another is None:
                raise
        return await self._patiently(lambda: ask(another))

    async def _tell(self, token: str, error: TokenRejected) -> None:
        if self._tokens and error.claims:
            # What cannot be written down now, Graph says again: a send's own result comes first.
            with contextlib.suppress(HeraldError):
                await self._tokens.challenged(token, error.claims)

    async def _patiently(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        left_s = self.patience_s
        for attempt in range(1, _ATTEMPTS):
            try:
                return await ask()
            except (GraphThrottled, GraphUnavailable, GraphSilent) as error:
                wait_s = _wait_s(error, attempt)
                if wait_s is None or wait_s > left_s:
                    raise
            left_s -= wait_s
            await asyncio.sleep(wait_s)
        return await ask()


def _object(answer: Accepted) -> Any:
    if not isinstance(answer.body, dict):
        raise GraphSilent(answer.status, "notJson", request_id=answer.request_id)
    return answer.body


def _wait_s(error: GraphError, attempt: int) -> float | None:
    """Seconds to wait before a read goes again, or None when it should not."""
    if isinstance(error, GraphSilent):
        # A time-out has used up the caller's patience already.
        return None if "Timeout" in error.code else 0.2 * attempt
    if error.status not in _GO_AGAIN:
        return None
    said: float | None = getattr(error, "retry_after_s", None)
    if said is not None:
        return said
    return float(0.3 * 2 ** (attempt - 1) * random.uniform(0.75, 1.25))  # noqa: S311  not a secret


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
