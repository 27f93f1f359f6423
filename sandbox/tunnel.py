"""Forwards what belongs to the app, as a dev tunnel does, and Entra's pages.

The app's sign-in pages and the Teams page share an origin this way, and a browser that has never
heard of the sandbox's certificate authority can still read Entra's pages.
"""

import re
import ssl
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

_HOP_BY_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailers",
    "transfer-encoding", "upgrade", "content-length", "content-encoding", "host",
    "accept-encoding",
}  # fmt: skip

# teams-js opens no window but for https, which a real tunnel has and this one has not.
_TEAMS_JS = "/auth/teams.js"
_HTTPS_ALONE = re.compile(rb'return"https:"===\w+\.protocol')


class Tunnel:
    """Routes for `/auth/…` and `/api/messages` to the app, and `/<tenant id>/…` to Entra.

    The addresses are asked for at each request: the servers may start after the routes are made.
    """

    def __init__(
        self,
        tenant_id: str,
        app_url: Callable[[], str],
        entra_url: Callable[[], str],
        trust: Callable[[], ssl.SSLContext],
    ) -> None:
        self._tenant_id = tenant_id
        self._app_url = app_url
        self._entra_url = entra_url
        self._trust = trust
        self._session: aiohttp.ClientSession | None = None

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to the page's server."""
        return [
            web.route("*", "/auth/{tail:.*}", self._to_app),
            web.route("*", "/api/messages", self._to_app),
            web.route("*", f"/{self._tenant_id}/{{tail:.*}}", self._to_entra),
        ]

    async def stop(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _to_app(self, request: web.Request) -> web.Response:
        return await self._forward(request, self._app_url() + request.raw_path)

    async def _to_entra(self, request: web.Request) -> web.Response:
        return await self._forward(request, self._entra_url() + request.raw_path)

    async def _forward(self, request: web.Request, url: str) -> web.Response:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._trust()),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=60),
            )
        try:
            async with self._session.request(
                request.method,
                URL(url, encoded=True),
                headers=_passed_on(request.headers),
                data=await request.read() or None,
                allow_redirects=False,
            ) as answer:
                headers = _passed_on(answer.headers)
                if "Location" in headers:
                    headers["Location"] = self.local(headers["Location"])
                body = await answer.read()
                if request.path == _TEAMS_JS:
                    body = _HTTPS_ALONE.sub(b"return true", body)
                return web.Response(status=answer.status, headers=headers, body=body)
        except (aiohttp.ClientError, TimeoutError):
            return web.Response(status=502, text="The app does not answer.")

    def local(self, address: str) -> str:
        """The address under this origin, when it is one of Entra's."""
        entra = self._entra_url()
        if entra and urlsplit(address).netloc == urlsplit(entra).netloc:
            return address.removeprefix(entra)
        return address


def _passed_on(headers: Mapping[str, str]) -> CIMultiDict[str]:
    return CIMultiDict(
        (name, value) for name, value in headers.items() if name.lower() not in _HOP_BY_HOP
    )
