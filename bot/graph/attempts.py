"""One attempt at a request to Graph, and what is known of it afterwards."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import structlog
from yarl import URL

from bot import metrics
from bot.graph.errors import GraphSilent, GraphUnreachable, error_of, request_id_of
from bot.graph.routes import action_of

# What aiohttp raises before a byte of the request has left. A ClientConnectorError is also an
# OSError and a ConnectionTimeoutError also a TimeoutError, so these are asked first.
_NEVER_LEFT = (
    aiohttp.ClientConnectorError,  # refused, no such name, TLS not agreed on
    aiohttp.ConnectionTimeoutError,  # includes waiting for a free connection
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Accepted:
    """Graph took it: status (2xx), Graph's name for the request, and its JSON or None."""

    status: int
    request_id: str
    body: Any = None


def open_session() -> aiohttp.ClientSession:
    """The one session for Graph; to be opened inside the event loop, and closed by its owner."""
    connector = aiohttp.TCPConnector(
        limit=100,
        limit_per_host=50,
        ttl_dns_cache=60,
        # Shorter than any server's: a send must not go out on a connection that is just being
        # closed at the other end, because then nobody can tell whether it arrived.
        keepalive_timeout=10,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept": "application/json", "User-Agent": "Herald"},
    )


class Attempts:
    """Makes requests, each once. `timeout` is for a whole one."""

    def __init__(self, session: aiohttp.ClientSession, timeout: aiohttp.ClientTimeout) -> None:
        self._session = session
        self._timeout = timeout

    async def make(
        self,
        method: str,
        url: str,
        token: str,
        headers: Mapping[str, str],
        client_request_id: str,
        data: bytes | None = None,
    ) -> Accepted:
        """Raises a GraphError, whose class tells what is known of it."""
        sent = {
            **headers,
            "Authorization": f"Bearer {token}",
            "client-request-id": client_request_id,
            "return-client-request-id": "true",
        }
        began = time.perf_counter()
        status, request_id = 0, ""
        try:
            async with self._session.request(
                method,
                URL(url, encoded=True),
                data=data,
                headers=sent,
                timeout=self._timeout,
                allow_redirects=False,
            ) as response:
                body = await _body(response)
                status, request_id = response.status, request_id_of(response.headers)
                if status < 300:
                    return Accepted(status, request_id, body)
                raise error_of(response.status, response.headers, body, urlsplit(url).path)
        except _NEVER_LEFT as error:
            raise GraphUnreachable(code=type(error).__name__) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise GraphSilent(code=type(error).__name__) from None
        finally:
            _noted(url, status, request_id, time.perf_counter() - began)


def _noted(url: str, status: int, request_id: str, took_s: float) -> None:
    """For the metrics and the log: with the turn or batch in its context, a line leads from there
    to what Microsoft's support asks for."""
    action = action_of(urlsplit(url).path)
    metrics.GRAPH.labels(action, metrics.status_class(status)).observe(took_s)
    log.info(
        "graph.answered" if status else "graph.silent",
        action=action,
        status=status,
        took_ms=round(took_s * 1000),
        graph_request_id=re.sub(r"[^\w-]", "", request_id)[:64],
    )


async def _body(response: aiohttp.ClientResponse) -> Any:
    """The answer's JSON, or None.

    The status has arrived and says what is known, so a body that is cut off takes nothing away.
    """
    try:
        text = await response.read()
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None
