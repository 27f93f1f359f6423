"""The real door on loopback: an app with the real adapter, the channel's keys and a connector.

What stands on the other side of the wire is small on purpose: it counts and answers as told.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from botbuilder.core import TurnContext

from bot.settings import Settings
from bot.teams import endpoint
from bot.teams.adapter import HeraldAdapter
from bot.teams.channel_auth import ChannelAuth
from bot.teams.connector import Connector
from sandbox.channel import Channel

APP_ID = "7b1f6a52-3d0e-4c19-8a54-2f2c9f0b6d11"
TENANT_ID = "5eafa5f0-6c1f-4f4e-9d3d-0c4b3b1a7e01"


def settings_for(address: str, **more: Any) -> Settings:
    """Settings whose every address is the far side's."""
    values: dict[str, Any] = {
        "microsoft_app_id": APP_ID,
        "microsoft_app_password": "not-a-secret",
        "microsoft_app_tenant_id": TENANT_ID,
        "public_url": address,
        "secret_keys": "k" * 40,
        "teams_app_id": "c0a9d4de-52b1-4d4f-9a86-3f5c8f6e2a77",
        "environment": "local",
        "graph_url": address,
        "entra_authority": address,
        "bot_openid_metadata_url": f"{address}/v1/.well-known/openidconfiguration",
        "_env_file": None,
    }
    return Settings(**{**values, **more})


@dataclass
class FarSide:
    """The channel's keys and the connector. `answers` is used up first, then 201 for everything."""

    channel: Channel = field(default_factory=lambda: Channel(APP_ID))
    key_fetches: int = 0
    keys_down: bool = False
    keys_slow: asyncio.Event | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    answers: list[web.Response | Callable[[web.Request], Awaitable[web.StreamResponse]]] = field(
        default_factory=list
    )
    calls: list[tuple[str, str, Any, str]] = field(default_factory=list)
    url: str = ""

    @property
    def service_url(self) -> str:
        return f"{self.url}/amer/"

    @property
    def posted(self) -> list[Any]:
        return [body for method, _, body, _ in self.calls if method in {"POST", "PUT"}]

    async def openid(self, _request: web.Request) -> web.Response:
        self.key_fetches += 1
        if self.keys_slow is not None:
            await self.keys_slow.wait()
        if self.keys_down:
            return web.Response(status=503)
        return web.json_response({"jwks_uri": f"{self.url}/v1/.well-known/keys", **self.metadata})

    async def keys(self, _request: web.Request) -> web.Response:
        return web.json_response(self.channel.document())

    async def connector(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        bearer = request.headers.get("Authorization", "")
        self.calls.append(
            (request.method, request.raw_path, json.loads(body) if body else None, bearer)
        )
        if self.answers:
            answer = self.answers.pop(0)
            return answer if isinstance(answer, web.Response) else await answer(request)
        return web.json_response({"id": f"activity-{len(self.calls)}"}, status=201)

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v1/.well-known/openidconfiguration", self.openid)
        app.router.add_get("/v1/.well-known/keys", self.keys)
        app.router.add_route("*", "/amer/{rest:.*}", self.connector)
        return app


class Echo:
    """Says what it heard; `turns` are the contexts it saw. `on` does more, by text."""

    def __init__(self) -> None:
        self.turns: list[TurnContext] = []
        self.on: dict[str, Callable[[TurnContext], Awaitable[Any]]] = {}

    async def on_turn(self, context: TurnContext) -> None:
        self.turns.append(context)
        activity = context.activity
        act = self.on.get(activity.text or activity.name or "")
        if act is not None:
            await act(context)
        elif activity.type == "message":
            await context.send_activity(f"You said {activity.text}")


@dataclass
class Door:
    """A client's hand on the door."""

    far: FarSide
    auth: ChannelAuth
    adapter: HeraldAdapter
    connector: Connector
    echo: Echo
    session: aiohttp.ClientSession
    url: str
    clock: "Clock"
    bot_tokens: list[str]
    pauses: list[float]

    def activity(self, **changes: Any) -> dict[str, Any]:
        """A message as Teams sends it; a change to None takes a field away."""
        activity: dict[str, Any] = {
            "type": "message",
            "id": "1700000000001",
            "timestamp": "2026-05-06T10:11:12.1234567Z",
            "localTimestamp": "2026-05-06T03:11:12.1234567-07:00",
            "localTimezone": "America/Los_Angeles",
            "serviceUrl": self.far.service_url,
            "channelId": "msteams",
            "from": {"id": "29:1abc", "name": "Adele Vance", "aadObjectId": "a0000001"},
            "recipient": {"id": f"28:{APP_ID}", "name": "Herald"},
            "conversation": {
                "id": "a:1xyz;messageid=7",
                "conversationType": "personal",
                "tenantId": TENANT_ID,
            },
            "channelData": {"tenant": {"id": TENANT_ID}},
            "entities": [{"type": "clientInfo", "locale": "en-US", "platform": "Web"}],
            "text": "hello",
            "textFormat": "plain",
            "locale": "en-US",
        }
        merged = {**activity, **changes}
        return {name: value for name, value in merged.items() if value is not None}

    def bearer(self, **signing: Any) -> str:
        signing = {"service_url": self.far.service_url, **signing}
        return "Bearer " + self.far.channel.sign(**signing)

    async def post(
        self,
        body: Any = None,
        *,
        authorization: str | None = "signed",
        headers: dict[str, str] | None = None,
        **signing: Any,
    ) -> tuple[int, Any]:
        """Status and body (JSON where it is JSON) of one POST."""
        data = body if isinstance(body, bytes) else json.dumps(body or self.activity()).encode()
        sent = {"Content-Type": "application/json", **(headers or {})}
        if authorization == "signed":
            authorization = self.bearer(**signing)
        if authorization is not None:
            sent["Authorization"] = authorization
        sent = {name: value for name, value in sent.items() if value}
        skipped = [] if "Content-Type" in sent else ["Content-Type"]
        async with self.session.post(
            self.url, data=data, headers=sent, skip_auto_headers=skipped
        ) as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json"
            return answer.status, json.loads(text) if is_json and text else text


class Clock:
    """Moves only when told."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


async def serve(app: web.Application) -> tuple[web.AppRunner, str]:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}"


@asynccontextmanager
async def open_door(
    *,
    body_timeout_s: float = endpoint.BODY_TIMEOUT_S,
    bot_token: Callable[[], Awaitable[str]] | None = None,
    now: Callable[[], float] | None = None,
    **settings: Any,
) -> AsyncIterator[Door]:
    far = FarSide()
    far_runner, far.url = await serve(far.app())
    async with aiohttp.ClientSession() as session:
        values = settings_for(far.url, **settings)
        clock, bot_tokens = Clock(1000.0), ["bot-token"]
        pauses: list[float] = []

        async def token() -> str:
            return bot_tokens.pop(0) if len(bot_tokens) > 1 else bot_tokens[0]

        async def pause(seconds: float) -> None:
            pauses.append(seconds)

        timing = {} if now is None else {"now": now}
        auth = ChannelAuth(values, session, tick=clock, **timing)
        connector = Connector(values, session, bot_token or token, pause=pause)
        adapter, echo = HeraldAdapter(values, connector), Echo()
        app = web.Application()
        app.add_routes(endpoint.routes(adapter, auth, echo, body_timeout_s=body_timeout_s))
        runner, url = await serve(app)
        address = url + endpoint.PATH
        try:
            yield Door(
                far, auth, adapter, connector, echo, session, address, clock, bot_tokens, pauses
            )
        finally:
            await auth.close()
            await runner.cleanup()
            await far_runner.cleanup()
