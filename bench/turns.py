"""Turns: Herald's beside those of the SDK's own echo bot, signed, over HTTP, in alternating rounds.

A round asks for about a second, so many at once; its requests are made before. The echo bot answers
a message with a message, and so does Herald's `help`. The form submit is the press that sends what
a review showed: checked, written to the ledger with fsync, answered with the card that shows where
it stands. It is scheduled, so that Graph is not what is waited for.
"""

import asyncio
import json
import os
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.http1 import Caller
from bench.process import cpu_s, free_port, server
from bench.stage import Around, Stage
from bench.table import Row, median, share
from bot.actor import Actor
from bot.delivery.models import Kind
from bot.teams.forms import Forms

AT_ONCE = (1, 8, 32)
_ROUNDS = 3
_ROUND_S = 0.8
_MOST_SUBMITS = 240  # in one round; a form can be submitted once
_DRAFT = re.compile(rb'"draft_id":\s*"([^"]+)"')
_UNBOUNDED = {"DELIVERIES_PER_HOUR": "1000000", "TENANT_RATE": "1000000", "METRICS_PORT": "0"}


@dataclass
class Measured:
    """What one work came to, over its rounds."""

    rates: list[float] = field(default_factory=list)
    latencies_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)  # of the server, a turn
    busy: list[float] = field(default_factory=list)  # the busiest other process, of one core

    @property
    def rate(self) -> float:
        """Turns a second."""
        return median(self.rates)

    def ms(self, percent: float) -> float:
        """The latency that so many percent of the turns were not above."""
        return 1000 * share(self.latencies_s, percent)


async def beside_an_echo_bot(folder: Path) -> list[Row]:
    """`help`, a form submit and a dialog fetch, beside an echo; at 1, 8 and 32 at once."""
    async with AsyncExitStack() as closing:
        stage = await closing.enter_async_context(Stage(str(folder)))
        around = stage.around
        echo = await closing.enter_async_context(_echo(around))
        spared = await closing.enter_async_context(_echo(around, ECHO_TOKEN="e" * 1200))
        herald = await closing.enter_async_context(_herald(around))
        form = await stage.sign_in()
        bench = _Bench(around, form, stage.process.pid, echo, spared, herald)
        found = await bench.run()
    return list(_rows(found))


@dataclass(frozen=True)
class Served:
    """A bot: its port and its process."""

    port: int
    pid: int


class _Bench:
    def __init__(
        self,
        around: Around,
        form: dict[str, str],
        stage_pid: int,
        echo: Served,
        spared: Served,
        herald: Served,
    ) -> None:
        self._asks = Requests(around, form)
        self._stage_pid = stage_pid
        self._echo, self._spared, self._herald = echo, spared, herald

    async def run(self) -> dict[tuple[str, int], Measured]:
        """All works at all widths; the rounds take turns, the works within each, too."""
        asks = self._asks
        works: list[tuple[str, Served, Callable[[], Iterator[bytes]]]] = [
            ("echo", self._echo, lambda: asks.messages("hello")),
            ("help", self._herald, lambda: asks.messages("help")),
            ("submit", self._herald, lambda: iter(self._ready)),
            ("spared echo", self._spared, lambda: asks.messages("hello")),
            ("dialog", self._herald, asks.dialogs),
        ]
        found: dict[tuple[str, int], Measured] = {}
        for _, served, requests in works[:2] + works[3:]:
            await self._round(served, requests(), 8, Measured())  # warm
        for at_once in AT_ONCE:
            for _ in range(_ROUNDS):
                for name, served, requests in works:
                    if name == "submit":
                        await self._review(_MOST_SUBMITS)
                    measured = found.setdefault((name, at_once), Measured())
                    await self._round(served, requests(), at_once, measured)
        return found

    async def _review(self, count: int) -> None:
        """Forms filled in and reviewed: what remains is to send them."""
        reviews = self._asks.reviews(count)
        callers = [await Caller.connect(self._herald.port) for _ in range(8)]
        self._ready: list[bytes] = []

        async def work(caller: Caller) -> None:
            for form_id, request in reviews:
                status, body = await caller.ask(request)
                draft = _DRAFT.search(body)
                assert status == 200, body[:500]
                assert draft, body[:3000]
                self._ready.append(self._asks.send(form_id, draft[1].decode()))

        await asyncio.gather(*map(work, callers))
        for caller in callers:
            caller.close()

    async def _round(
        self, served: Served, requests: Iterator[bytes], at_once: int, measured: Measured
    ) -> None:
        callers = [await Caller.connect(served.port) for _ in range(at_once)]
        others = (self._stage_pid, os.getpid())
        used, used_by_others = cpu_s(served.pid), [cpu_s(pid) for pid in others]
        began = time.perf_counter()
        latencies: list[float] = []

        async def work(caller: Caller) -> None:
            for request in requests:
                asked = time.perf_counter()
                status, body = await caller.ask(request)
                now = time.perf_counter()
                assert status in (200, 201), (status, body[:500])
                latencies.append(now - asked)
                if now - began > _ROUND_S:
                    return

        await asyncio.gather(*map(work, callers))
        seconds = time.perf_counter() - began
        for caller in callers:
            caller.close()
        measured.rates.append(len(latencies) / seconds)
        measured.latencies_s += latencies
        measured.cpu_s.append((cpu_s(served.pid) - used) / len(latencies))
        spent = [cpu_s(pid) - before for pid, before in zip(others, used_by_others, strict=True)]
        measured.busy.append(max(spent) / seconds)


class Requests:
    """Whole signed requests, as the channel sends them."""

    def __init__(self, around: Around, form: dict[str, str]) -> None:
        self._around = around
        self._form = form
        self._actor = Actor(around.tenant_id, around.user_id)
        self._forms = Forms((around.environment["SECRET_KEYS"],))
        self._count = 0

    def messages(self, text: str) -> Iterator[bytes]:
        """Typed messages."""
        while True:
            yield self._signed({"text": text})

    def dialogs(self) -> Iterator[bytes]:
        """The compose box's command that opens a form."""
        value = {"commandId": "textAttendees", "commandContext": "compose"}
        while True:
            yield self._invoke("composeExtension/fetchTask", value)

    def reviews(self, count: int) -> "Iterator[tuple[str, bytes]]":
        """Forms of their own, filled in, and the press on their review."""
        for _ in range(count):
            form_id = self._forms.mint(Kind.TEXT, self._actor)
            yield form_id, self._press("text.review", self._form, form_id=form_id, rows=2)

    def send(self, form_id: str, draft_id: str) -> bytes:
        """The press that sends what a review showed."""
        return self._press("text.send", {}, form_id=form_id, draft_id=draft_id)

    def _press(self, verb: str, inputs: dict[str, str], **ids: Any) -> bytes:
        action = {
            "type": "Action.Execute",
            "verb": verb,
            "data": {"verb": verb, **ids, **inputs},
        }
        return self._invoke("adaptiveCard/action", {"action": action, "trigger": "manual"})

    def _invoke(self, name: str, value: dict[str, Any]) -> bytes:
        return self._signed({"type": "invoke", "name": name, "value": value, "text": None})

    def _signed(self, changed: dict[str, Any]) -> bytes:
        self._count += 1
        fresh = {"id": str(uuid.uuid4()), "replyToId": "1700000000000"}
        activity = {**self._around.message, **fresh, **changed}
        body = json.dumps({k: v for k, v in activity.items() if v is not None}).encode()
        token = self._around.tokens[self._count % len(self._around.tokens)]
        head = (
            f"POST /api/messages HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def _rows(found: dict[tuple[str, int], Measured]) -> Iterator[Row]:
    titles = {
        "help": "`help`",
        "submit": "form submit, written durably",
        "dialog": "dialog fetch",
        "spared echo": "the echo bot, spared its token requests",
    }
    bars = {"help": ("≥", 3.0), "submit": ("≥", 2.0)}
    for at_once in AT_ONCE:
        echo = found["echo", at_once]
        for name, title in titles.items():
            ours = found[name, at_once]
            what = f"{title}, {at_once} at once"
            bar = bars.get(name)
            yield Row.compared(f"{what}: turns a second", ours.rate, echo.rate, bar)
            p99 = ("≤", 0.6) if (name, at_once) == ("submit", 8) else None
            yield Row.compared(f"{what}: p50 ms", ours.ms(50), echo.ms(50), None)
            yield Row.compared(f"{what}: p99 ms", ours.ms(99), echo.ms(99), p99)
    for name in ("help", "submit", "dialog"):
        ours, echo = found[name, 8], found["echo", 8]
        yield Row.compared(
            f"{titles[name]}: CPU of a turn, ms",
            1000 * median(ours.cpu_s),
            1000 * median(echo.cpu_s),
            None,
        )
    busiest = max(median(measured.busy) for measured in found.values())
    yield Row.absolute("busiest process that is not measured, of a core", busiest, ("<", 0.95))


def _echo(around: Around, **more: str) -> Any:
    port = free_port()
    environment = {
        "PORT": str(port),
        "ECHO_APP_ID": around.app_id,
        "ECHO_APP_PASSWORD": around.environment["MICROSOFT_APP_PASSWORD"],
        "ECHO_AUTHORITY": around.token_authority,
        "ECHO_METADATA_URL": around.metadata_url,
        "REQUESTS_CA_BUNDLE": around.environment["REQUESTS_CA_BUNDLE"],
    }
    return _served("-m", "bench.echo", environment=environment | more, port=port)


def _herald(around: Around) -> Any:
    port = int(around.environment["PORT"])
    return _served("app.py", environment=around.environment | _UNBOUNDED, port=port)


class _served:  # noqa: N801 - reads as a word in `async with`
    def __init__(self, *arguments: str, environment: dict[str, str], port: int) -> None:
        self._server = server(*arguments, environment=environment, port=port)
        self._port = port

    async def __aenter__(self) -> Served:
        process = await self._server.__aenter__()
        return Served(self._port, process.pid)

    async def __aexit__(self, *error: Any) -> None:
        await self._server.__aexit__(*error)
