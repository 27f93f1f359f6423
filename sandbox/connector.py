"""The Bot Connector: where the bot's replies go, and where the channel's keys are published.

Strict as Teams is: what Microsoft's would refuse, this one refuses, with the same statuses.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web

from sandbox.bearer import BearerCheck, BearerRefused
from sandbox.channel import Channel, ChannelKey
from sandbox.connector_posts import Posts, body_of
from sandbox.conversation import Conversations
from sandbox.limits import Fault, Pace, Refusal, Script, refuse
from sandbox.roster import Roster
from sandbox.world import World

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_BASE = "/amer/v3/conversations"


class _Entra(Protocol):
    @property
    def url(self) -> str: ...


@dataclass(frozen=True)
class ConnectorCall:
    """One call of the bot, and what it was answered; status 0 when its connection was cut."""

    method: str
    path: str
    body: Any
    status: int


class Connector:
    """An aiohttp server on loopback; `service_url` is what activities carry as `serviceUrl`."""

    def __init__(self, world: World, entra: _Entra) -> None:
        self.world = world
        self.entra = entra
        self.channel = Channel(world.app_id)
        self.conversations = Conversations(world)
        self.pace = Pace()
        self.calls: list[ConnectorCall] = []
        self.key_fetches = 0
        self.metadata_fetches = 0
        self.url = ""
        self._bearer = BearerCheck(world.app_id)
        self._script = Script()
        self._runner: web.AppRunner | None = None

    @property
    def service_url(self) -> str:
        """The service URL, with its slash at the end, as Teams has it."""
        return f"{self.url}/amer/"

    @property
    def metadata_url(self) -> str:
        """`BOT_OPENID_METADATA_URL` for the bot."""
        return f"{self.url}/v1/.well-known/openidconfiguration"

    async def start(self, trust: ssl.SSLContext | None = None, port: int = 0) -> None:
        """Listen on loopback. `trust` is what Entra's certificate is checked against."""
        self._bearer = BearerCheck(self.world.app_id, trust)
        app = web.Application(
            middlewares=[self.world.delays.middleware, self._guard], client_max_size=4 * 1024 * 1024
        )
        app.add_routes(self._routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    def sign(self, service_url: str | None = None, **options: Any) -> str:
        """A bearer for a call to the bot; the options are those of `Channel.sign`."""
        return self.channel.sign(service_url or self.service_url, **options)

    def roll_key(self) -> ChannelKey:
        """Another key signs from now on."""
        return self.channel.roll_key()

    def fail_next(self, *faults: Fault, retry_after_s: int | None = None) -> None:
        """Answer the next calls of the bot so, one each.

        A status (412, 429, 502, 504 …) refuses; `reset` cuts the connection before anything is
        done; `lost` does what was asked and cuts the connection then.
        """
        self._script.add(faults, retry_after_s)

    def _routes(self) -> list[web.RouteDef]:
        posts = Posts(self.conversations, self.pace, lambda: self.service_url)
        roster = Roster(self.world, posts.asked)
        return [
            web.get("/v1/.well-known/openidconfiguration", self._metadata),
            web.get("/v1/.well-known/keys", self._keys),
            *posts.routes(_BASE),
            *roster.routes(_BASE + "/{conversation}"),
            roster.team_route("/amer/v3/teams/{team}"),
        ]

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not request.path.startswith("/amer/"):
            return await handler(request)
        body = await body_of(request)
        answer = await self._answer(request, handler)
        # A cut connection is kept as status 0: the bot got no answer.
        status = answer.status if answer is not None else 0
        self.calls.append(ConnectorCall(request.method, request.path, body, status))
        if answer is None:
            _cut(request)
            return web.Response()
        return answer

    async def _answer(self, request: web.Request, handler: _Handler) -> web.StreamResponse | None:
        try:
            await self._authenticate(request)
            await asyncio.sleep(self.world.faults.connector_slow_s)
            refuse(self.world.faults.connector_refuses)
            fault = self._script.next()
            if fault == "reset":
                return None
            answer = await handler(request)
        except Refusal as refusal:
            return web.json_response(refusal.body, status=refusal.status, headers=refusal.headers)
        return None if fault == "lost" else answer

    async def _authenticate(self, request: web.Request) -> None:
        keys_url = f"{self.entra.url}/{self.world.tenant_id}/discovery/v2.0/keys"
        try:
            await self._bearer.claims(request.headers.get("Authorization", ""), keys_url)
        except BearerRefused:
            raise Refusal(
                401, "Unauthorized", "Authorization has been denied for this request."
            ) from None

    async def _metadata(self, _: web.Request) -> web.Response:
        self.metadata_fetches += 1
        return web.json_response(
            {
                "issuer": "https://api.botframework.com",
                "authorization_endpoint": "https://invalid.botframework.com",
                "jwks_uri": f"{self.url}/v1/.well-known/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["private_key_post"],
            }
        )

    async def _keys(self, _: web.Request) -> web.Response:
        self.key_fetches += 1
        return web.json_response(self.channel.document())


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
