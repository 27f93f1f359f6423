"""How long every stand-in takes to answer, and which requests waited for which.

Whoever answers people within a second may wait for Entra, Graph and the Bot Connector once, not for
one after the other. `rounds` says how often it did, whatever the machine was busy with.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Span:
    """One request: what it asked for, and when it came and was answered (the loop's seconds)."""

    what: str
    began: float
    ended: float


class Delays:
    """Lets every request wait for `seconds`, and keeps when it came and went."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.spans: list[Span] = []

    @web.middleware
    async def middleware(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """For the applications of the stand-ins."""
        clock = asyncio.get_running_loop().time
        began = clock()
        if self.seconds:
            await asyncio.sleep(self.seconds)
        answer = await handler(request)
        self.spans.append(Span(f"{request.method} {request.path}", began, clock()))
        return answer

    def rounds(self, began: float, ended: float) -> list[Span]:
        """The most requests of this time that were asked and answered one after the other."""
        chain: list[Span] = []
        within = (span for span in self.spans if span.began >= began and span.ended <= ended)
        for span in sorted(within, key=lambda span: span.ended):
            if not chain or span.began >= chain[-1].ended:
                chain.append(span)
        return chain
