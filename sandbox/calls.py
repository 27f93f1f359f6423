"""Signed calls to the bot's endpoint, with Teams' patience."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import aiohttp

from sandbox.connector import Connector


@dataclass(frozen=True)
class Answer:
    """What the bot answered. Status 0: nothing came, or not within Teams' patience (`late`).

    `problem` says why Teams would not take the answer: the person reads "Something went wrong".
    """

    status: int
    body: Any = None
    late: bool = False
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Whether the status is a success."""
        return 200 <= self.status < 300


class Calls:
    """Posts activities to `endpoint`, each with a fresh token of the channel."""

    def __init__(self, connector: Connector) -> None:
        self.connector = connector
        self.endpoint = ""
        self._session: aiohttp.ClientSession | None = None
        self._unfinished: set[asyncio.Task[Answer]] = set()

    async def stop(self) -> None:
        """Give up what is still on its way, and close the connections."""
        for task in self._unfinished:
            task.cancel()
        await asyncio.gather(*self._unfinished, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    async def post(
        self,
        activity: dict[str, Any],
        *,
        patience_s: float,
        authorization: str | None = None,
        **signing: Any,
    ) -> Answer:
        """Post and wait at most `patience_s`.

        As with Teams, a late call is not cut off: the bot may still finish it. `authorization`
        takes the whole header's place (empty: none is sent); `signing` goes to `Channel.sign`.
        """
        if authorization is None:
            service_url = signing.pop("service_url", activity.get("serviceUrl"))
            authorization = f"Bearer {self.connector.sign(service_url, **signing)}"
        task = asyncio.create_task(self._post(activity, authorization))
        self._unfinished.add(task)
        task.add_done_callback(self._unfinished.discard)
        done, _ = await asyncio.wait({task}, timeout=patience_s)
        return task.result() if done else Answer(0, late=True)

    async def _post(self, activity: dict[str, Any], authorization: str) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        headers = {"Authorization": authorization} if authorization else {}
        try:
            async with self._session.post(self.endpoint, json=activity, headers=headers) as answer:
                raw = await answer.text()
        except (aiohttp.ClientError, TimeoutError):
            return Answer(0)
        return Answer(answer.status, _parsed(raw))


def _parsed(raw: str) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return raw
