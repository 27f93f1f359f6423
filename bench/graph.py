"""A Graph that does next to nothing, in a process of its own, so that it is not what is measured.

It takes every send after a given delay, keeps a given limit for each tenant, and counts what came:
each batch by its first recipient, and how many of one tenant's sends came within one second.
"""

import argparse
import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp

_BULK = b"sendActivityNotificationToRecipients"
_TEXT = b"sendVirtualAppointment"
_USER = b'"userId":'
_HEAD_END = b"\r\n\r\n"
# A busy machine hands us a request some milliseconds late, and the next one in time: two requests
# that left a second apart may come a little closer.
_SECOND_S = 0.98


@dataclass
class Received:
    """What came in since the last reset."""

    batches: Counter[bytes] = field(default_factory=Counter)
    arrivals: dict[bytes, list[float]] = field(default_factory=lambda: defaultdict(list))
    texts: list[tuple[str, float]] = field(default_factory=list)
    throttled: int = 0
    last_at: float = 0.0

    def report(self) -> dict[str, Any]:
        """What the benchmark asks for, as JSON. Times are seconds since 1970."""
        return {
            "received": self.batches.total(),
            "distinct": len(self.batches),
            "most_for_one": max(self.batches.values(), default=0),
            "throttled": self.throttled,
            "most_in_a_second": max(map(_most_in_a_second, self.arrivals.values()), default=0),
            "spans": [
                [times[0], times[-1], len(times)] for times in self.arrivals.values() if times
            ],
            "texts": self.texts,
            "last_at": self.last_at,
        }


class StandIn:
    """The rules: how long an answer takes, and how many sends a tenant may have in a second."""

    def __init__(self, delay_s: float, limit: int) -> None:
        self.delay_s = delay_s
        self.limit = limit
        self.received = Received()
        self._recent: dict[bytes, deque[float]] = defaultdict(deque)
        self._number = 0

    def answer(self, head: bytes, body: bytes) -> tuple[float, bytes]:
        """After how many seconds, and what."""
        path = head.split(b" ", 2)[1]
        if path == b"/bench/report":
            return 0, _response(200, json.dumps(self.received.report()).encode())
        if path == b"/bench/reset":
            self.received = Received()
            self._recent.clear()
            return 0, _response(200)
        now = time.time()
        self.received.last_at = now
        if path.endswith(_BULK):
            if not self._may(_tenant(head), now):
                self.received.throttled += 1
                return 0, _response(429, more=b"Retry-After: 1\r\n")
            self.received.arrivals[_tenant(head)].append(now)
            self.received.batches[_first_recipient(body)] += 1
        elif _TEXT in path:
            self.received.texts.append((path.decode().split("/")[-2], now))
        self._number += 1
        return self.delay_s, _response(202, more=b"request-id: %032x\r\n" % self._number)

    def _may(self, tenant: bytes, now: float) -> bool:
        if not self.limit:
            return True
        recent = self._recent[tenant]
        while recent and recent[0] <= now - 1:
            recent.popleft()
        if len(recent) >= self.limit:
            return False
        recent.append(now)
        return True


class _Connection(asyncio.Protocol):
    """As much HTTP/1.1 as one well-behaved client on loopback needs."""

    def __init__(self, stand_in: StandIn) -> None:
        self._stand_in = stand_in
        self._data = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(_HEAD_END)) >= 0:
            head = bytes(self._data[:end])
            length = _content_length(head)
            if len(self._data) < end + 4 + length:
                return
            body = bytes(self._data[end + 4 : end + 4 + length])
            del self._data[: end + 4 + length]
            delay_s, answer = self._stand_in.answer(head, body)
            asyncio.get_running_loop().call_later(delay_s, self._write, answer)

    def _write(self, answer: bytes) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.write(answer)


class Graph:
    """The stand-in as its user has it: `async with Graph(delay_s=0.05) as graph: graph.url`."""

    def __init__(self, *, delay_s: float = 0.0, limit: int = 0) -> None:
        self._arguments = [f"--delay={delay_s}", f"--limit={limit}"]
        self.url = ""

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", __spec__.name, *self._arguments, stdin=PIPE, stdout=PIPE
        )
        assert self._process.stdout is not None
        port = int(await self._process.stdout.readline())
        self.url = f"http://127.0.0.1:{port}"
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        await self._session.close()
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def report(self) -> dict[str, Any]:
        """What came in since the last reset; see `Received.report`."""
        async with self._session.get(f"{self.url}/bench/report") as response:
            found: dict[str, Any] = json.loads(await response.read())
            return found

    async def reset(self) -> None:
        """Count from nothing again."""
        async with self._session.post(f"{self.url}/bench/reset") as response:
            await response.read()


def _response(status: int, body: bytes = b"", more: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d -\r\nContent-Length: %d\r\n%b\r\n%b" % (status, len(body), more, body)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _tenant(head: bytes) -> bytes:
    """The benchmarks' tokens are `<tenant id>.<user id>`."""
    return head.partition(b"Bearer ")[2].partition(b".")[0]


def _first_recipient(body: bytes) -> bytes:
    return body[body.find(_USER) + len(_USER) :].lstrip()[1:37]


def _most_in_a_second(times: list[float]) -> int:
    most, first = 0, 0
    for last, at in enumerate(times):
        while times[first] <= at - _SECOND_S:
            first += 1
        most = max(most, last - first + 1)
    return most


async def _serve(stand_in: StandIn) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(stand_in), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Whoever started this process ends it, also by dying: its end of our input closes.
    await asyncio.to_thread(sys.stdin.buffer.read)
    server.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--limit", type=int, default=0)
    given = parser.parse_args()
    asyncio.run(_serve(StandIn(given.delay, given.limit)))
