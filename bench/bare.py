"""The peer: a bare aiohttp loop that posts ready-made bodies, and keeps no record of anything."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from typing import Any

import aiohttp

PATH = "/v1.0/teamwork/sendActivityNotificationToRecipients"
_HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer bare.loop"}


def encoded(bodies: Iterable[dict[str, Any]]) -> list[bytes]:
    """Bodies as bytes, made before the clock starts."""
    return [json.dumps(body, separators=(",", ":")).encode() for body in bodies]


async def post_all(
    session: aiohttp.ClientSession, url: str, bodies: list[bytes], *, at_once: int
) -> None:
    """Post each body once, so many at once."""
    waiting = iter(bodies)
    await asyncio.gather(*(_post(session, url + PATH, waiting) for _ in range(at_once)))


async def _post(session: aiohttp.ClientSession, url: str, waiting: Iterator[bytes]) -> None:
    for body in waiting:
        async with session.post(url, data=body, headers=_HEADERS) as response:
            await response.read()
            assert response.status == 202
