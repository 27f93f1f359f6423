"""As much HTTP/1.1 as the benchmarks' stand-ins and load need, for next to no CPU time.

aiohttp's server and client cost about as much as what is measured with them here.
"""

import asyncio
import ssl
from typing import Protocol

_HEAD_END = b"\r\n\r\n"


class Answering(Protocol):
    """A stand-in: an answer to each request, at once."""

    def answer(self, head: bytes, body: bytes, /) -> bytes:
        """The whole answer, as `response` makes it."""


def response(status: int, body: bytes = b"") -> bytes:
    """An answer of JSON."""
    return b"HTTP/1.1 %d -\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        status,
        len(body),
        body,
    )


async def serve(answering: Answering, trust: ssl.SSLContext | None = None) -> int:
    """Listen on loopback as long as the process lives; the port."""
    server = await asyncio.get_running_loop().create_server(
        lambda: _Served(answering), "127.0.0.1", 0, ssl=trust
    )
    port: int = server.sockets[0].getsockname()[1]
    return port


class Messages:
    """Cuts what comes over a connection into heads and bodies."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> "list[tuple[bytes, bytes]]":
        """The messages that are whole by now."""
        self._data += data
        whole = []
        while (end := self._data.find(_HEAD_END)) >= 0:
            head = bytes(self._data[:end])
            last = end + 4 + _content_length(head)
            if len(self._data) < last:
                break
            whole.append((head, bytes(self._data[end + 4 : last])))
            del self._data[:last]
        return whole


class _Served(asyncio.Protocol):
    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._messages = Messages()
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for head, body in self._messages.feed(data):
            self._transport.write(self._answering.answer(head, body))


class Caller(asyncio.Protocol):
    """One kept connection; one request at a time."""

    def __init__(self) -> None:
        self._messages = Messages()
        self._answer: asyncio.Future[tuple[bytes, bytes]] | None = None
        self._transport: asyncio.WriteTransport

    @classmethod
    async def connect(cls, port: int) -> "Caller":
        """To a server on loopback."""
        loop = asyncio.get_running_loop()
        _, caller = await loop.create_connection(cls, "127.0.0.1", port)
        return caller

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        """It is over: whoever waits hears of it."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the connection was closed"))

    def data_received(self, data: bytes) -> None:
        """Some of an answer."""
        for message in self._messages.feed(data):
            assert self._answer is not None
            self._answer.set_result(message)

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """The status and the body of the answer to a whole request."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        head, body = await self._answer
        return int(head.split(b" ", 2)[1]), body

    def close(self) -> None:
        """End the connection."""
        self._transport.close()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
