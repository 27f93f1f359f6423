"""The Entra stand-in: discovery, keys, tokens and the consent pages, over TLS on loopback."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from sandbox import entra_pages as pages
from sandbox.entra_consent import BadRequest, Consent, Page, Redirect
from sandbox.entra_grants import Grants, TokenRequest
from sandbox.entra_refusals import Refused, unknown_tenant
from sandbox.entra_tokens import Tokens
from sandbox.registration import Registration
from sandbox.world import Person, World

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Entra:
    """One tenant's sign-in service. `url` is `https://localhost:<port>` once it was started.

    MSAL takes it with `authority=f"{entra.url}/{tenant_id}"` and `instance_discovery=False`.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.tokens = Tokens(world)
        self.grants = Grants(world, self.tokens)
        self.consent = Consent(world, self.grants)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The address without a tenant: what `ENTRA_AUTHORITY` is set to."""
        return self.tokens.url

    @property
    def requests(self) -> list[TokenRequest]:
        """Every request to the token endpoint, in order."""
        return self.grants.requests

    @property
    def registration(self) -> Registration:
        """The application as it is registered here."""
        return self.grants.registration

    @property
    def token_life_s(self) -> int:
        """Seconds that access tokens live from now on (4500); a test may set it."""
        return self.tokens.life_s

    @token_life_s.setter
    def token_life_s(self, seconds: int) -> None:
        self.tokens.life_s = seconds

    def sso_token(self, person: Person, **changes: Any) -> str:
        """What the Teams client gets for the app; `changes` replace claims (`life_s`: its life)."""
        return self.tokens.sso_token(person, **changes)

    def revoke(self, person: Person) -> None:
        """Make this person's refresh tokens worthless: 50173 from now on."""
        self.grants.revoke(person)

    def challenge(self, person: Person, *, in_person: bool = False) -> None:
        """Continuous access evaluation: from now on Graph refuses this person's tokens until one
        is asked for with its claims challenge; `in_person`: at a sign-in with a browser only."""
        self.grants.challenges.put(person.id, self.world.now(), in_person=in_person)

    def secret_has_expired(self) -> None:
        """From now on the application's secret is one of yesterday."""
        self.grants.clients.secret_has_expired = True

    def register_certificate(self, pem: bytes) -> None:
        """Accept client assertions signed with this certificate's key."""
        self.grants.clients.register_certificate(pem)

    def sign_in(self, address: str, person: Person, *, accept: bool = True) -> str:
        """What this person does in the browser at an authorize or admin-consent address.

        Returns the address that the browser is then sent to, with the answer in its query whatever
        `response_mode` says. Raises `BadRequest` where the page would only show an error.
        """
        parts = urlsplit(address)
        query = dict(parse_qsl(parts.query)) | {"login_hint": person.mail}
        query.pop("prompt", None)
        if query.get("response_mode") == "form_post":
            query["response_mode"] = "query"
        kind = "adminconsent" if parts.path.endswith("/adminconsent") else "authorize"
        tenant = parts.path.split("/")[1]
        ask = self.consent.read(kind, parts.path, tenant, query)
        html = self.consent.show(ask).html
        ticket = html.partition('name="ticket" value="')[2].partition('"')[0]
        outcome = self.consent.answer(ticket, "accept" if accept else "cancel")
        if not isinstance(outcome, Redirect):
            raise BadRequest("the answer was not a redirect")
        return outcome.location

    async def start(self, ssl_context: ssl.SSLContext, port: int = 0) -> None:
        """Serve on `localhost` with this certificate; port 0 takes a free one."""
        app = web.Application(
            middlewares=[self.world.delays.middleware, self._weather], client_max_size=256 * 1024
        )
        app.add_routes(
            [
                web.get("/{tenant}/v2.0/.well-known/openid-configuration", self._configuration),
                web.get("/{tenant}/.well-known/openid-configuration", self._configuration),
                web.get("/{tenant}/discovery/v2.0/keys", self._keys),
                web.post("/{tenant}/oauth2/v2.0/token", self._token),
                web.get("/{tenant}/oauth2/v2.0/authorize", self._show),
                web.post("/{tenant}/oauth2/v2.0/authorize", self._answer),
                web.get("/{tenant}/v2.0/adminconsent", self._show),
                web.post("/{tenant}/v2.0/adminconsent", self._answer),
            ]
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.5, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=ssl_context)
        await site.start()
        bound = self._runner.addresses[0][1]
        # Where localhost is tried as ::1 first, a refused connection can cost two seconds.
        with contextlib.suppress(OSError):
            await web.TCPSite(self._runner, "::1", bound, ssl_context=ssl_context).start()
        self.tokens.url = f"https://localhost:{bound}"

    async def stop(self) -> None:
        """Stop serving."""
        if self._runner is not None:
            await close(self._runner)
            self._runner = None

    @web.middleware
    async def _weather(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self.world.faults.entra_down:
            return web.json_response(
                {"error": "temporarily_unavailable", "error_codes": [90033]}, status=503
            )
        return await handler(request)

    def _tenant(self, request: web.Request) -> str:
        tenant = request.match_info["tenant"].lower()
        if self.grants.knows(tenant) or tenant in {"common", "organizations", "botframework.com"}:
            return tenant
        refused = unknown_tenant(tenant)
        raise web.HTTPBadRequest(
            text=json.dumps(refused.body(self.world.now())), content_type="application/json"
        )

    async def _configuration(self, request: web.Request) -> web.Response:
        tenant = self._tenant(request)
        base = f"{self.url}/{tenant}"
        issuer = "{tenantid}" if tenant in {"common", "organizations"} else tenant
        return web.json_response(
            {
                "issuer": f"{self.url}/{issuer}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query", "form_post"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
                "tenant_region_scope": "NA",
            }
        )

    async def _keys(self, request: web.Request) -> web.Response:
        self._tenant(request)
        return web.json_response(self.tokens.keys())

    async def _token(self, request: web.Request) -> web.Response:
        if request.content_type != "application/x-www-form-urlencoded":
            refused = Refused("invalid_request", 900144, "The request body must be a form.")
            return web.json_response(refused.body(self.world.now()), status=400)
        form = {name: str(value) for name, value in (await request.post()).items()}
        status, body = self.grants.answer(request.match_info["tenant"], form)
        return web.json_response(
            body, status=status, headers={"Cache-Control": "no-store", "Pragma": "no-cache"}
        )

    async def _show(self, request: web.Request) -> web.Response:
        kind = "adminconsent" if request.path.endswith("/adminconsent") else "authorize"
        try:
            ask = self.consent.read(
                kind, request.path, request.match_info["tenant"], dict(request.query)
            )
        except BadRequest as error:
            return _response(Page(pages.error_page(str(error)), status=400))
        return _response(self.consent.show(ask))

    async def _answer(self, request: web.Request) -> web.Response:
        form = await request.post()
        try:
            outcome = self.consent.answer(str(form.get("ticket")), str(form.get("answer")))
        except BadRequest as error:
            outcome = Page(pages.error_page(str(error)), status=400)
        return _response(outcome)


async def close(runner: web.AppRunner) -> None:
    """Stop a server and drop what is still connected to it.

    A client that keeps its connection would else hold its end of a TLS close open for ever.
    """
    server = runner.server
    transports = [link.transport for link in server.connections] if server is not None else []
    await runner.cleanup()
    for transport in transports:
        if transport is not None:
            transport.abort()
    await asyncio.sleep(0)


def _response(outcome: Page | Redirect) -> web.Response:
    if isinstance(outcome, Redirect):
        return web.Response(
            status=302, headers={"Location": outcome.location, "Cache-Control": "no-store"}
        )
    return web.Response(
        text=outcome.html,
        status=outcome.status,
        content_type="text/html",
        headers=pages.headers(outcome.redirect_uri),
    )
