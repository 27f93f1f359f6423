"""The page: Teams as a person sees it, live, for everybody of the world."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from sandbox.page_person import PersonRoutes
from sandbox.page_world import WorldRoutes
from sandbox.playground import Playground
from sandbox.snapshot import Deltas, Snapshots
from sandbox.stage import Stage
from sandbox.tunnel import Tunnel
from sandbox.world import ROOT, Person

STATIC = ROOT / "sandbox" / "static"
MODULES = ROOT / "node_modules"
_HOST_CONFIGS = "adaptivecards-designer/lib/hostConfigs"
# Installed by npm and served as they are; nothing of them is copied in.
VENDOR = {
    "adaptivecards.js": "adaptivecards/dist/adaptivecards.min.js",
    "adaptivecards.css": "adaptivecards/dist/adaptivecards.css",
    "markdown-it.js": "markdown-it/dist/browser/markdown-it.umd.min.js",
    "purify.js": "dompurify/dist/purify.min.js",
    "teams-light.json": f"{_HOST_CONFIGS}/microsoft-teams-light.json",
    "teams-dark.json": f"{_HOST_CONFIGS}/microsoft-teams-dark.json",
}
# Nothing outside of this origin: the page works without any network.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'none'; "
    "frame-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_COALESCE_S = 0.05


class Page:
    """The page's server. `url` is `http://localhost:<port>` once it was started."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.snapshots = Snapshots(stage)
        self.url = ""
        self._tunnel = Tunnel(
            stage.world.tenant_id, lambda: stage.app_url, lambda: stage.entra.url, stage.trust
        )
        self._open_pages: set[asyncio.Event] = set()
        self._of_person = PersonRoutes(stage, self.snapshots)
        self.of_world = WorldRoutes(stage, self.snapshots, self._of_person.forget)
        self._stopping = False
        self._runner: web.AppRunner | None = None
        stage.world.on_change(self._changed)

    async def start(self, port: int = 0) -> None:
        """Listen on loopback. Raises OSError when the port is taken."""
        app = web.Application(middlewares=[_guard])
        playground = Playground(self.stage)
        app.add_routes([*self._routes(), *self._tunnel.routes(), *playground.routes()])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        bound = self._runner.addresses[0][1]
        # Browsers on Windows and macOS try ::1 first; where there is no IPv6, they go on.
        with contextlib.suppress(OSError):
            await web.TCPSite(self._runner, "::1", bound).start()
        self.url = f"http://localhost:{bound}"
        self.stage.public_url = self.url

    async def stop(self) -> None:
        """Close every open page's stream, and stop listening."""
        self._stopping = True
        self._changed()
        if self._runner is not None:
            await self._runner.cleanup()
        await self._tunnel.stop()

    def _changed(self) -> None:
        for event in self._open_pages:
            event.set()

    def _routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", _index),
            web.get("/vendor/{name}", _vendor),
            web.get("/static/{path:.+}", _static),
            web.get("/favicon.ico", _favicon),
            web.get("/sandbox/people", self._people),
            web.get("/sandbox/people/{person}/events", self._events),
            *self._of_person.routes("/sandbox/people/{person}"),
            *self.of_world.routes("/sandbox"),
        ]

    async def _people(self, _: web.Request) -> web.Response:
        people = self.stage.world.people.values()
        # A guest has no apps: there is nothing to be seen at a guest's desk.
        return web.json_response([person.id for person in people if not person.is_guest])

    async def _events(self, request: web.Request) -> web.StreamResponse:
        me = self._of_person.person(request)
        stream = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await stream.prepare(request)
        with contextlib.suppress(ConnectionResetError):
            async for data in self._changes(me):
                await stream.write(f"data: {data}\n\n".encode())
        return stream

    async def _changes(self, me: Person) -> AsyncIterator[str]:
        deltas = Deltas(lambda: self.snapshots.draw(me))
        event = asyncio.Event()
        self._open_pages.add(event)
        try:
            while not self._stopping:
                event.clear()
                if data := deltas.next():
                    yield data
                await event.wait()
                # Several changes at once are one event.
                await asyncio.sleep(_COALESCE_S)
        finally:
            self._open_pages.discard(event)


@web.middleware
async def _guard(request: web.Request, handler: Any) -> web.StreamResponse:
    # A page of another site may send a form to localhost, but not JSON.
    own = request.path.startswith("/sandbox/")
    if own and request.method == "POST" and request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Only JSON.")
    response: web.StreamResponse = await handler(request)
    if not response.prepared and request.path == "/":
        response.headers["Content-Security-Policy"] = _POLICY
    if not response.prepared:
        response.headers.setdefault("Cache-Control", "no-cache")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
    return response


async def _index(_: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "index.html")


async def _vendor(request: web.Request) -> web.FileResponse:
    path = VENDOR.get(request.match_info["name"])
    if path is None:
        raise web.HTTPNotFound
    return web.FileResponse(MODULES / path)


async def _static(request: web.Request) -> web.FileResponse:
    path = (STATIC / request.match_info["path"]).resolve()
    if not path.is_relative_to(STATIC) or not path.is_file():
        raise web.HTTPNotFound
    # Windows may call JavaScript text/plain, which browsers then refuse as a module.
    kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    kind = kinds.get(path.suffix, "application/octet-stream")
    return web.FileResponse(path, headers={"Content-Type": kind})


async def _favicon(_: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "herald.svg", headers={"Content-Type": "image/svg+xml"})
