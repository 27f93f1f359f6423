"""The Graph stand-in: `/v1.0` over plain http on loopback, as strict as Graph or stricter."""

import asyncio
import base64
import contextlib
import json
import uuid
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from aiohttp import web

from sandbox import graph_directory
from sandbox.entra import Entra, close
from sandbox.entra_permissions import GRAPH
from sandbox.entra_tokens import BadToken
from sandbox.graph_answers import Answer, Call, Refusal, bad_request, error_body, forbidden
from sandbox.graph_batch import run_batch
from sandbox.graph_faults import NOTHING, Fault, fault_of, throttled
from sandbox.graph_limits import FeedLimit, Limits
from sandbox.graph_notices import Notices
from sandbox.graph_routes import Route, find, routes
from sandbox.graph_schema import SchemaError, check
from sandbox.world import GraphCall, World

VERSION = "/v1.0"


class Graph:
    """Microsoft Graph for one tenant. `url` has no version: `http://127.0.0.1:<port>`.

    Answers by rule alone; what a request did is found in the world, and every request in
    `World.graph_calls`.
    """

    def __init__(self, world: World, entra: Entra) -> None:
        self.world = world
        self.entra = entra
        self.url = ""
        self.limits = Limits()
        self.notices = Notices(FeedLimit())
        self._routes = routes(self.notices)
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()

    async def start(self, port: int = 0) -> None:
        """Serve on 127.0.0.1; port 0 takes a free one."""
        app = web.Application(
            middlewares=[self.world.delays.middleware], client_max_size=4 * 1024 * 1024
        )
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._stopping = asyncio.Event()
        self._runner = web.AppRunner(app, shutdown_timeout=0.5, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop serving; answers that never come are given up."""
        self._stopping.set()
        if self._runner is not None:
            await close(self._runner)
            self._runner = None

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        request_id = str(uuid.uuid4())
        client_id = request.headers.get("client-request-id", request_id)
        answer, fault, actor_id = self._decide(request, raw)
        cut = fault.cut
        if cut == "before":
            answer = Answer(0, code="ConnectionCut")
        elif answer.code:
            body = error_body(answer, self.world.now(), request_id, client_id)
            answer = replace(answer, body=body)
        self._record(request, raw, answer, actor_id, request_id, answered=not cut)
        if self.world.faults.slow_s and not cut:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self.world.faults.slow_s)
        if cut == "hang":
            await self._stopping.wait()
        response = _response(answer, request_id, client_id)
        if cut:
            await _cut(request, response, in_body=cut == "body")
        return response

    def _decide(self, request: web.Request, raw: bytes) -> tuple[Answer, Fault, str]:
        """What to answer, what goes wrong on the way, and who asked (empty where unknown)."""
        fault, actor_id = NOTHING, ""
        try:
            if self.world.faults.offline:
                return Answer(0), fault_of(self.world, send=False), ""
            about_the_app = self._about_the_app(request)
            if about_the_app is not None:
                return about_the_app, NOTHING, ""
            call = self._call(request, raw)
            actor_id = call.actor.id
            if call.path == "/$batch":
                fault = fault_of(self.world, send=False)
                return fault.instead or run_batch(call, self._subrequest), fault, actor_id
            route, params = find(self._routes, call.method, call.path)
            self._throttle(route, call)
            fault = fault_of(self.world, send=bool(route.lane))
            if fault.cut == "before" or fault.instead is not None:
                return fault.instead or Answer(0), fault, actor_id
            answer = self._perform(route, replace(call, params=params))
            if fault.then is not None and answer.took_effect:
                answer = replace(fault.then, took_effect=True)
        except Refusal as refusal:
            # A request that is refused was not sent, so there is no "after it was sent" either.
            return refusal.answer, NOTHING, actor_id
        return answer, fault, actor_id

    def _call(self, request: web.Request, raw: bytes) -> Call:
        claims, actor = self._caller(request.headers.get("Authorization", ""))
        if not request.path.startswith(f"{VERSION}/"):
            raise bad_request("Invalid version.")
        return Call(
            world=self.world,
            method=request.method,
            path=request.path.removeprefix(VERSION),
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items()},
            actor=self.world.person(actor),
            scopes=frozenset(str(claims.get("scp", "")).split()),
            token_life_s=claims["exp"] - self.world.now().timestamp(),
            base=f"{self.url}{VERSION}",
            raw_body=raw,
        )

    def _about_the_app(self, request: web.Request) -> Answer | None:
        if request.method != "GET" or "(appId=" not in request.path:
            return None
        claims = self._claims(request.headers.get("Authorization", ""))
        return graph_directory.answer(request.path, claims, self.entra.registration, self.world)

    def _caller(self, authorization: str) -> tuple[dict[str, Any], str]:
        claims = self._claims(authorization)
        if "scp" not in claims:
            raise forbidden("Application-only tokens are not supported here.")
        if claims.get("oid") not in self.world.people:
            raise _unauthorized("The token's user does not exist.")
        challenge = self.entra.grants.challenges.unmet(claims)
        if challenge:
            raise _challenged(challenge)
        return claims, claims["oid"]

    def _claims(self, authorization: str) -> dict[str, Any]:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthorized("Access token is empty.")
        try:
            return self.entra.tokens.check(token.strip(), GRAPH)
        except BadToken as error:
            raise _unauthorized(_TOKEN_SENTENCES[error.reason]) from None

    def _throttle(self, route: Route, call: Call) -> None:
        if route.lane and self.world.limits_enforced:
            wait_s = self.limits.retry_after_s(route.lane, call.actor.tenant_id)
            if wait_s:
                answer = throttled(wait_s)
                raise Refusal(429, answer.code, answer.message, **answer.headers)

    def _perform(self, route: Route, call: Call) -> Answer:
        if not call.scopes & set(route.scopes):
            raise forbidden(
                "Missing scope permissions on the request. API requires one of "
                f"'{', '.join(route.scopes)}'. Scopes on the request "
                f"'{', '.join(sorted(call.scopes))}'."
            )
        if route.read is not None:
            return route.read(call)
        assert route.write is not None  # noqa: S101 a route has one of the two
        assert route.action is not None  # noqa: S101
        try:
            body = check(route.action, read_json(call))
        except SchemaError as error:
            raise bad_request(f"{error}.") from None
        return route.write(call, body)

    def _subrequest(self, call: Call, address: str) -> Answer:
        """One GET of a batch."""
        parts = urlsplit(address)
        try:
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            one = replace(call, method="GET", path=unquote(parts.path), query=query)
            route, params = find(self._routes, "GET", one.path)
            return self._perform(route, replace(one, params=params))
        except Refusal as refusal:
            answer = refusal.answer
            body = error_body(answer, self.world.now(), str(uuid.uuid4()), str(uuid.uuid4()))
            return replace(answer, body=body)

    def _record(
        self,
        request: web.Request,
        raw: bytes,
        answer: Answer,
        actor_id: str,
        request_id: str,
        *,
        answered: bool,
    ) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        headers.pop("authorization", None)
        self.world.graph_calls.append(
            GraphCall(
                at=self.world.now(),
                method=request.method,
                path=request.path,
                actor_id=actor_id,
                body=_as_it_came(raw),
                status=answer.status,
                code=answer.code,
                client_request_id=headers.get("client-request-id", ""),
                request_id=request_id,
                query=request.query_string,
                headers=headers,
                took_effect=answer.took_effect,
                answered=answered,
            )
        )
        self.world.changed()


def read_json(call: Call) -> Any:
    """The body of a POST. 415 for another content type, 400 for what is not JSON."""
    content_type = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise Refusal(415, "UnsupportedMediaType", "Content-Type must be application/json.")
    try:
        return json.loads(
            call.raw_body, object_pairs_hook=_without_doubles, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        raise bad_request("Unable to read JSON request payload.") from None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a property is given twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _as_it_came(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw.decode("utf-8", "replace")


def _unauthorized(sentence: str) -> Refusal:
    return Refusal(
        401, "InvalidAuthenticationToken", sentence, **{"WWW-Authenticate": 'Bearer realm=""'}
    )


def _challenged(claims: str) -> Refusal:
    wanted = base64.b64encode(claims.encode()).decode()
    challenge = (
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/'
        f'authorize", error="insufficient_claims", claims="{wanted}"'
    )
    sentence = "Continuous access evaluation resulted in challenge with result: InteractionRequired"
    return Refusal(401, "InvalidAuthenticationToken", sentence, **{"WWW-Authenticate": challenge})


_TOKEN_SENTENCES = {
    "signature": "Signature is invalid.",
    "malformed": "The token is malformed.",
    "issuer": "The token's issuer is not trusted.",
    "audience": "Access token validation failure. Invalid audience.",
    "expired": "Lifetime validation failed, the token is expired.",
}


def _response(answer: Answer, request_id: str, client_id: str) -> web.Response:
    headers = {"request-id": request_id, "client-request-id": client_id} | dict(answer.headers)
    if answer.body is None:
        return web.Response(status=answer.status or 500, headers=headers)
    return web.json_response(answer.body, status=answer.status, headers=headers)


async def _cut(request: web.Request, response: web.Response, *, in_body: bool) -> None:
    """Cut the connection: in the middle of the answer, or without a byte of it."""
    transport = request.transport
    if transport is None:
        return
    if in_body:
        head = f"HTTP/1.1 {response.status} Accepted\r\nContent-Type: application/json\r\n"
        transport.write(f"{head}Content-Length: 64\r\n\r\n{{".encode())
        await asyncio.sleep(0.01)
    transport.abort()
