"""How we call back: the Bot Connector's REST interface over one pooled client.

Retries: 412, 429, 502, 504 and lost connections, as Teams asks of bots; at most `ATTEMPTS` tries,
with full jitter that doubles from `FIRST_PAUSE_S`, and none that would start past `PATIENCE_S`.
`Retry-After` is kept to; one beyond the patience left is given to the caller instead. A POST that
timed out after it was sent may have been done already, and is not done again.
"""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
from yarl import URL

from bot import metrics
from bot.settings import Settings
from bot.teams import wire
from bot.teams.connector_errors import (
    ConnectorRefused,
    ConnectorThrottled,
    ConnectorUnavailable,
    ConversationGone,
)
from bot.teams.conversations import ConnectorConversations

ATTEMPTS = 4
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 4.0
PATIENCE_S = 20.0
_RETRIED = frozenset({412, 429, 502, 504})
_TIMEOUT = aiohttp.ClientTimeout(total=10, connect=5)
_LARGEST_ANSWER = 4 * 1024 * 1024
_PAGE_SIZE = 500

BotToken = Callable[[], Awaitable[str]]


class Connector:
    """Posts, updates and deletes activities.

    `bot_token` gives the bot's token from a cache; `renew_token`, when there is one, gives a new
    one after a 401. Service addresses are those of verified activities, live or kept.
    """

    def __init__(
        self,
        settings: Settings,
        session: aiohttp.ClientSession,
        bot_token: BotToken,
        *,
        renew_token: BotToken | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._app_id = settings.microsoft_app_id
        self._local = settings.environment == "local"
        self._session = session
        self._bot_token = bot_token
        self._renew_token = renew_token or bot_token
        self._pause = pause
        self._clients: dict[str, ConnectorClient] = {}

    def client(self, service_url: str) -> "ConnectorClient":
        """What the SDK's adapter takes for its connector client; one for each address, kept."""
        client = self._clients.get(service_url)
        if client is None:
            client = ConnectorClient(self, service_url)
            if len(self._clients) < 64:  # Teams has a handful; a bound all the same
                self._clients[service_url] = client
        return client

    async def send(self, service_url: str, conversation_id: str, activity: object) -> str:
        """Post an activity (a dict, or the SDK's model); its id.

        Raises:
            ConversationGone: 403 or 404.
            ConnectorThrottled: still 429 after the retries.
            ConnectorRefused: any other refusal.
            ConnectorUnavailable: no answer, or 5xx, after the retries.
        """
        return _id(await self._call("POST", service_url, (conversation_id, "activities"), activity))

    async def reply(
        self, service_url: str, conversation_id: str, activity_id: str, activity: object
    ) -> str:
        """Post an activity in the thread of another; its id. Raises as `send` does."""
        path = (conversation_id, "activities", activity_id)
        return _id(await self._call("POST", service_url, path, activity))

    async def update(
        self, service_url: str, conversation_id: str, activity_id: str, activity: object
    ) -> str:
        """Replace an activity; its id. Raises as `send` does."""
        path = (conversation_id, "activities", activity_id)
        return _id(await self._call("PUT", service_url, path, activity)) or activity_id

    async def delete(self, service_url: str, conversation_id: str, activity_id: str) -> None:
        """Delete an activity. Raises as `send` does."""
        await self._call("DELETE", service_url, (conversation_id, "activities", activity_id))

    async def create(self, service_url: str, tenant_id: str, user_id: str) -> str:
        """The id of the 1:1 conversation with a person, made if there is none.

        `user_id` is the person's Teams id (`29:…`) or Entra object id. Raises as `send` does.
        """
        parameters = {
            "bot": {"id": f"28:{self._app_id}"},
            "members": [{"id": user_id}],
            "tenantId": tenant_id,
            "channelData": {"tenant": {"id": tenant_id}},
            "isGroup": False,
        }
        return _id(await self.create_conversation(service_url, parameters))

    async def create_conversation(self, service_url: str, parameters: object) -> dict[str, Any]:
        """Create a conversation of any kind: `{id, activityId?, serviceUrl?}`."""
        return await self._call("POST", service_url, (), parameters)

    async def member(self, service_url: str, conversation_id: str, user_id: str) -> dict[str, Any]:
        """One member of a conversation, by Teams id or Entra object id. Raises as `send` does."""
        return await self._call("GET", service_url, (conversation_id, "members", user_id))

    async def members(
        self,
        service_url: str,
        conversation_id: str,
        page_size: int | None = None,
        continuation_token: str | None = None,
    ) -> dict[str, Any]:
        """One page of members: `{members: […], continuationToken?}`. Raises as `send` does."""
        query = {"pageSize": str(page_size or _PAGE_SIZE)}
        if continuation_token:
            query["continuationToken"] = continuation_token
        return await self._call("GET", service_url, (conversation_id, "pagedmembers"), query=query)

    async def team(self, service_url: str, thread_id: str) -> dict[str, Any]:
        """A team by its thread id: `{id, name, aadGroupId, memberCount?}`.

        Raises as `send` does.
        """
        return await self._call("GET", service_url, (thread_id,), below="v3/teams")

    async def _call(
        self,
        method: str,
        service_url: str,
        path: tuple[str, ...],
        body: object = None,
        query: Mapping[str, str] | None = None,
        below: str = "v3/conversations",
    ) -> dict[str, Any]:
        url = self._url(service_url, below, path, query)
        data = None if body is None else wire.dumps(body)
        until = time.monotonic() + PATIENCE_S
        token = await self._bot_token()
        attempt, renewed = 1, False
        while True:
            outcome = await self._once(method, url, data, token)
            if isinstance(outcome, dict):
                return outcome
            if isinstance(outcome, ConnectorRefused) and outcome.status == 401 and not renewed:
                refused, token, renewed = token, await self._renew_token(), True
                if token != refused:
                    continue
            pause_s = _pause_s(outcome, method, attempt)
            if pause_s is None or attempt >= ATTEMPTS or time.monotonic() + pause_s > until:
                raise outcome
            await self._pause(pause_s)
            attempt += 1

    async def _once(
        self, method: str, url: URL, data: bytes | None, token: str
    ) -> dict[str, Any] | ConnectorRefused | ConnectorUnavailable:
        """One request: the answer's object, or the error that it amounts to."""
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        if data is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        began, status = time.perf_counter(), 0
        try:
            async with self._session.request(
                method, url, data=data, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            ) as answer:
                document, status = _read(await _body(answer)), answer.status
                if status < 300:
                    return document
                return _refusal(answer, document)
        except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError) as error:
            return _Lost(type(error).__name__)
        except TimeoutError:
            return _TimedOut("timed out")
        except aiohttp.ClientError as error:
            return _Lost(type(error).__name__)
        finally:
            took_s = time.perf_counter() - began
            metrics.TEAMS.labels(method, metrics.status_class(status)).observe(took_s)

    def _url(
        self,
        service_url: str,
        below: str,
        path: tuple[str, ...],
        query: Mapping[str, str] | None,
    ) -> URL:
        if urlsplit(service_url).scheme != "https" and not self._local:
            raise ConnectorRefused(400, "ServiceUrlNotHttps")
        if any(part in {"", ".", ".."} for part in path):
            raise ConnectorRefused(400, "BadId")
        parts = (service_url.rstrip("/"), below, *(quote(p, safe="") for p in path))
        url = URL("/".join(parts), encoded=True)
        return url.update_query(query) if query else url


class ConnectorClient:
    """In the place of the SDK's ConnectorClient: what the adapter and TeamsInfo ask of it."""

    def __init__(self, connector: Connector, service_url: str) -> None:
        self.service_url = service_url
        self.conversations = ConnectorConversations(connector, service_url)


class _Lost(ConnectorUnavailable):
    """Teams could not be reached. The message was not posted."""


class _Unwell(ConnectorUnavailable):
    """Teams is having trouble. The message may not have been posted."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}".strip())
        self.status = status


class _TimedOut(ConnectorUnavailable):
    """Teams did not answer in time. The message may or may not have been posted."""


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in answer.content.iter_any():
        body += chunk
        if len(body) > _LARGEST_ANSWER:
            raise aiohttp.ClientPayloadError("too large")
    return bytes(body)


def _read(body: bytes) -> dict[str, Any]:
    """The answer's object; an empty one for what is not JSON, as many 202s and all proxies are."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _refusal(
    answer: aiohttp.ClientResponse, document: dict[str, Any]
) -> ConnectorRefused | ConnectorUnavailable:
    error = document.get("error")
    code = str(error.get("code", ""))[:100] if isinstance(error, dict) else ""
    if answer.status == 429:
        return ConnectorThrottled(429, code, _retry_after_s(answer.headers.get("Retry-After")))
    if answer.status in {403, 404}:
        return ConversationGone(answer.status, code)
    if answer.status >= 500:
        return _Unwell(answer.status, code)
    return ConnectorRefused(answer.status, code)


def _pause_s(
    outcome: ConnectorRefused | ConnectorUnavailable, method: str, attempt: int
) -> float | None:
    """How long to wait before the next try, or None for no next try."""
    back_off = random.uniform(0, min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempt))  # noqa: S311
    if isinstance(outcome, ConnectorThrottled) and outcome.retry_after_s is not None:
        return outcome.retry_after_s + back_off / 4
    if isinstance(outcome, ConnectorRefused | _Unwell):
        return back_off if outcome.status in _RETRIED else None
    if isinstance(outcome, _Lost) or (isinstance(outcome, _TimedOut) and method != "POST"):
        return back_off
    return None


def _retry_after_s(value: str | None) -> float | None:
    """Seconds, from either form of the header (RFC 9110, 10.2.3)."""
    if not value:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _id(document: Mapping[str, Any]) -> str:
    found = document.get("id")
    return found if isinstance(found, str) else ""
