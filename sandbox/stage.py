"""All stand-ins together, and what `app.py` must be told to live among them."""

import contextlib
import secrets
import socket
import ssl
import tempfile
from functools import cache
from pathlib import Path
from typing import Self

import trustme

from sandbox.connector import Connector
from sandbox.entra import Entra
from sandbox.graph import Graph
from sandbox.teams import TeamsClient
from sandbox.world import World, clinic


class Stage:
    """Entra, Graph, the Bot Connector and the Teams client on loopback, around one world.

    `state_dir` keeps the app's database and its secret keys; a temporary one when not given.
    `public_url` is where the page (and, through it, the app's sign-in pages) is reached.
    `app_port` is where `app.py` is to listen; any free port when not given.
    """

    def __init__(
        self,
        world: World | None = None,
        *,
        state_dir: Path | None = None,
        public_url: str = "http://localhost:8700",
        app_port: int = 0,
    ) -> None:
        self.world = world or clinic()
        self.public_url = public_url
        self.entra = Entra(self.world)
        self.graph = Graph(self.world, self.entra)
        self.connector = Connector(self.world, self.entra)
        self.teams = TeamsClient(self.world, self.entra, self.connector)
        self._scratch = tempfile.TemporaryDirectory(prefix="herald-", ignore_cleanup_errors=True)
        self.state_dir = state_dir or Path(self._scratch.name)
        self.ca_file = Path(self._scratch.name) / "ca.pem"
        self.app_port = app_port or free_port()
        self.teams.endpoint = f"{self.app_url}/api/messages"

    @property
    def app_url(self) -> str:
        """Where `app.py` listens."""
        return f"http://127.0.0.1:{self.app_port}"

    @property
    def database_file(self) -> Path:
        """The app's SQLite file; whoever has one with tables may put it here before a start."""
        return self.state_dir / "herald.sqlite3"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the three servers."""
        authority, server = _certified()
        authority.cert_pem.write_to_path(str(self.ca_file))
        await self.entra.start(server)
        await self.graph.start()
        await self.connector.start(self.trust())

    async def stop(self) -> None:
        """Stop everything, also after a start that failed half-way."""
        await self.teams.stop()
        await self.connector.stop()
        await self.graph.stop()
        await self.entra.stop()
        self._scratch.cleanup()

    def trust(self) -> ssl.SSLContext:
        """A client context that believes the sandbox's certificate authority."""
        return ssl.create_default_context(cafile=self.ca_file)

    def environment(self, **more: str) -> dict[str, str]:
        """Every variable that `app.py` needs to run among the stand-ins; `more` is laid over it."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        if not self.entra.registration.document:
            self.entra.registration.register(more.get("PUBLIC_URL", self.public_url))
        database = self.database_file.resolve().as_posix()
        return {
            "ENVIRONMENT": "local",
            "HOST": "127.0.0.1",
            "PORT": str(self.app_port),
            "METRICS_PORT": "0",  # several stages may stand on one machine
            "PUBLIC_URL": self.public_url,
            "MICROSOFT_APP_ID": self.world.app_id,
            "MICROSOFT_APP_PASSWORD": self.world.app_secret,
            "MICROSOFT_APP_TENANT_ID": self.world.tenant_id,
            "MICROSOFT_APP_TYPE": "SingleTenant",
            "TEAMS_APP_ID": self.world.teams_app_id,
            "SECRET_KEYS": self._secret(),
            "DATABASE_URL": f"sqlite+aiosqlite:///{database}",
            "GRAPH_URL": self.graph.url,
            "ENTRA_AUTHORITY": self.entra.url,
            "BOT_OPENID_METADATA_URL": self.connector.metadata_url,
            "BOT_TOKEN_ISSUER": "https://api.botframework.com",
            "BOT_TOKEN_SCOPE": "https://api.botframework.com/.default",
            "REQUESTS_CA_BUNDLE": str(self.ca_file),
            "SSL_CERT_FILE": str(self.ca_file),
            **more,
        }

    def _secret(self) -> str:
        # Kept beside the database: what an earlier run sealed must open again.
        kept = self.state_dir / "secret-key.txt"
        if not kept.exists():
            kept.write_text(secrets.token_urlsafe(48), "utf-8")
        return kept.read_text("utf-8")


@cache
def _certified() -> tuple[trustme.CA, ssl.SSLContext]:
    """An authority and a server that it vouches for; all stages of a process share them."""
    authority = trustme.CA(organization_name="Herald sandbox")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(server)
    return authority, server


def free_port() -> int:
    """A port of loopback that nobody listens on.

    Below those that systems give to outgoing connections: one of these could take it before the
    app does.
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
