"""GETs at the Graph stand-in, in somebody's name."""

from typing import Any

import aiohttp

from sandbox.entra import Entra
from sandbox.graph import Graph

READ = {"User.ReadBasic.All", "Calendars.Read", "OnlineMeetings.Read"}


class Reader:
    """GETs in one person's name."""

    def __init__(self, graph: Graph, entra: Entra, session: aiohttp.ClientSession) -> None:
        self.graph, self.entra, self.session = graph, entra, session

    async def get(
        self,
        path: str,
        *,
        who: str = "Adele",
        scopes: set[str] = READ,
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> tuple[int, Any]:
        token = self.entra.tokens.graph_token(self.graph.world.named(who), scopes)
        address = path if path.startswith("http") else f"{self.graph.url}/v1.0{path}"
        async with self.session.get(
            address,
            params={name.replace("_", "$", 1): value for name, value in query.items()} or None,
            headers={"Authorization": f"Bearer {token}"} | (headers or {}),
        ) as answer:
            return answer.status, await answer.json()

    async def batch(self, body: Any) -> tuple[int, Any]:
        token = self.entra.tokens.graph_token(self.graph.world.named("Adele"), READ)
        async with self.session.post(
            f"{self.graph.url}/v1.0/$batch",
            json=body,
            headers={"Authorization": f"Bearer {token}"},
        ) as answer:
            return answer.status, await answer.json()
