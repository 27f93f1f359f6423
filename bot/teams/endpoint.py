"""`POST /api/messages`: the one door through which Teams comes in.

The order is from cheap to dear, and nothing of a stranger's is read: content type and announced
size, then the token, then the body, then whether the two belong together, then the bot.

| status | when |
|---|---|
| 200 | the turn ended; an invoke's own status and body are passed on |
| 400 | the body is not JSON, or not an activity |
| 401, 403 | the token is not good, or not good for this activity |
| 405 | another method than POST |
| 408 | the body did not arrive in time |
| 413, 415 | too large; not `application/json` |
| 500 | the bot failed and could not say so itself: an opaque id, which the log has too |
| 501 | nobody answered an invoke |
| 503 | the channel's keys were never readable; `Retry-After` says when to come again |
"""

import asyncio
import traceback
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import structlog
from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from botbuilder.core import InvokeResponse, TurnContext
from botbuilder.schema import Activity

from bot import metrics
from bot.teams import wire
from bot.teams.activity import check_envelope, read_activity
from bot.teams.adapter import HeraldAdapter
from bot.teams.channel_auth import ChannelAuth, Claims, TokenRefused
from bot.teams.channel_keys import KeysUnavailable

PATH = "/api/messages"
LARGEST_BODY = 256 * 1024
BODY_TIMEOUT_S = 10.0

log = structlog.get_logger(__name__)


class Bot(Protocol):
    """What a turn is given to."""

    async def on_turn(self, context: TurnContext) -> None:
        """Handle one verified activity."""


def routes(
    adapter: HeraldAdapter,
    auth: ChannelAuth,
    bot: Bot,
    *,
    body_timeout_s: float = BODY_TIMEOUT_S,
) -> Sequence[web.RouteDef]:
    """The routes to add to the web application. Other methods get aiohttp's 405."""
    return [web.post(PATH, _Endpoint(adapter, auth, bot, body_timeout_s).handle)]


class _Refused(Exception):
    """Ends a request early with a status and a word for the caller."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status


class _Endpoint:
    def __init__(
        self, adapter: HeraldAdapter, auth: ChannelAuth, bot: Bot, body_timeout_s: float
    ) -> None:
        self._adapter = adapter
        self._auth = auth
        self._bot = bot
        self._body_timeout_s = body_timeout_s

    async def handle(self, request: web.Request) -> web.Response:
        try:
            claims, raw, activity = await self._admit(request)
        except Exception as error:  # noqa: BLE001 - the last net: no trace leaves the process
            return _turned_away(error)
        try:
            answer = await self._adapter.process(claims, activity, raw, self._bot.on_turn)
            return web.Response() if answer is None else _written(answer)
        except Exception as error:  # noqa: BLE001 - the last net: no trace leaves the process
            return _failed(error)

    async def _admit(self, request: web.Request) -> tuple[Claims, dict[str, Any], Activity]:
        _check_headers(request)
        claims = await self._auth.authenticate(_authorization(request))
        raw = wire.parse(await self._body(request))
        check_envelope(raw)
        self._auth.authorize(claims, raw)
        return claims, raw, read_activity(raw)

    async def _body(self, request: web.Request) -> bytes:
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_timeout_s):
                async for chunk in request.content.iter_any():
                    body += chunk
                    if len(body) > LARGEST_BODY:
                        raise _Refused(413, "RequestEntityTooLarge")
        except TimeoutError:
            raise _Refused(408, "RequestTimeout") from None
        except (web.RequestPayloadError, HttpProcessingError, OSError):
            raise _Refused(400, "BadRequest") from None  # broken chunks, or the caller went away
        return bytes(body)


def _authorization(request: web.Request) -> str | None:
    """The header, when there is one: of two, a proxy before us may have believed the other."""
    found = request.headers.getall(hdrs.AUTHORIZATION, [])
    return found[0] if len(found) == 1 else None


def _check_headers(request: web.Request) -> None:
    charset = (request.charset or "utf-8").lower()
    if request.content_type != "application/json" or charset not in {"utf-8", "utf8"}:
        raise _Refused(415, "UnsupportedMediaType")
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise _Refused(415, "UnsupportedMediaType")
    if (request.content_length or 0) > LARGEST_BODY:
        raise _Refused(413, "RequestEntityTooLarge")


def _written(answer: InvokeResponse) -> web.Response:
    """An invoke's answer, as JSON. The SDK's own adapter serializes it twice, and fails."""
    status = int(answer.status or 200)
    if answer.body is None:
        return web.Response(status=status)
    return _json(status, answer.body)


def _json(status: int, body: object, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        body=wire.dumps(body),
        status=status,
        headers=headers,
        content_type="application/json",
        charset="utf-8",
    )


def _turned_away(error: Exception) -> web.Response:
    match error:
        case _Refused(status=status):
            response = _error(status, str(error))
            if status in {408, 413}:
                response.force_close()  # the rest of the body is not waited for
        case wire.Malformed():
            response = _error(400, "BadRequest")
        case TokenRefused(status=401):
            response = _error(401, "Unauthorized", {"WWW-Authenticate": "Bearer"})
        case TokenRefused(status=status):
            response = _error(status, "Forbidden")
        case KeysUnavailable(retry_after_s=seconds):
            response = _error(503, "ServiceUnavailable", {"Retry-After": str(seconds)})
        case _:
            return _failed(error)
    metrics.TURNED_AWAY.labels(str(response.status)).inc()
    log.info("activity_refused", status=response.status, reason=str(error))
    return response


def _error(status: int, code: str, headers: dict[str, str] | None = None) -> web.Response:
    return _json(status, {"error": {"code": code}}, headers)


def _failed(error: Exception) -> web.Response:
    """A 500 with an id to look for in the log.

    The log gets the error's type and its way, not its text: that may quote what a person wrote.
    """
    error_id = uuid.uuid4().hex
    log.error("turn_failed", error_id=error_id, error=type(error).__name__, way=_way(error))
    body: dict[str, Any] = {"error": {"code": "ServiceError", "id": error_id}}
    return _json(500, body)


def _way(error: Exception) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
