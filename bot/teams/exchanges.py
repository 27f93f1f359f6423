"""Silent sign-ins: `signin/tokenExchange`, once for each exchange id, within Teams' five seconds.

Every Teams client that shows the OAuthCard sends one; the first of an exchange id does the work,
the others are answered alike. The id says which command goes on afterwards, and for whom it was
made, since in a group chat the others' clients send one, too:
`<then>~<scopes>~<random>~<signature over these and the actor>`.
"""

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from bot.actor import Actor
from bot.delivery.drafts import Once
from bot.errors import EntraUnavailable, HeraldError
from bot.identity.obo import MEETINGS, NOTIFY, TEXT, Identity
from bot.sealing import Stamp
from bot.teams.answers import left_s

log = structlog.get_logger(__name__)

CONNECTION = "herald"
ANSWER_S = 4.0  # of the five seconds that Teams waits for an invoke's answer
SCOPES = {"notify": NOTIFY, "text": TEXT, "meetings": MEETINGS}
_STOP_S = 10.0  # what goes on after its answer is given so long to end
_FAILED_S = 30.0  # so long a failed exchange is answered alike; then it is tried again
_REMEMBERED = 2048

Reply = tuple[int, dict[str, Any]]


class Background:
    """Work that is done to the end, whoever has stopped waiting for it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Begin. What goes wrong is logged."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def stop(self) -> None:
        """Let it end; what takes too long is cut off."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=_STOP_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, HeraldError):
            log.warning("sign_in.not_said", problem=type(error).__name__)
        elif error is not None:
            log.error("sign_in.failed", exc_info=error)


@dataclass(frozen=True)
class Outcome:
    """What is said after an exchange: how it failed, or that the command `then` goes on."""

    then: str
    error: HeraldError | None = None


Say = Callable[[Outcome], Awaitable[None]]


@dataclass
class _Exchange:
    """One exchange id: its work, what is said after it, and until when a failure stands."""

    work: "asyncio.Task[Reply]"
    said: "asyncio.Task[None] | None" = None
    failed_until: float = 0.0


class Exchanges:
    """Mints exchange ids and answers what comes of them."""

    def __init__(
        self, secret_keys: Sequence[str], identity: Identity, once: Once, background: Background
    ) -> None:
        self._stamp = Stamp(secret_keys, "exchange")
        self._identity = identity
        self._once = once
        self._background = background
        self._known: OrderedDict[tuple[Actor, str], _Exchange] = OrderedDict()

    def new_id(self, actor: Actor, scopes: tuple[str, ...], then: str) -> str:
        """An id for this actor, with what goes on afterwards in it."""
        name = next(name for name, known in SCOPES.items() if known == scopes)
        words = (then, name, secrets.token_urlsafe(12))
        return "~".join((*words, self._stamp.sign(*words, *actor)))

    def has_begun(self, actor: Actor, exchange_id: str) -> bool:
        """Whether a client of this actor sent it."""
        return (actor, exchange_id) in self._known

    def scopes_of(self, actor: Actor, exchange_id: str) -> tuple[str, ...] | None:
        """What an exchange of this actor's asks for; None for an id that was made for nobody, or
        for somebody else."""
        words = exchange_id.split("~")
        if len(words) != 4 or not self._stamp.is_ours(words[3], *words[:3], *actor):
            return None
        return SCOPES.get(words[1])

    async def answer(self, actor: Actor, exchange_id: str, assertion: str, say: Say) -> Reply:
        """Status and body: 200, or 412 with a reason, on which Teams shows the sign-in button.

        An exchange that takes too long goes on after its 412. `say` is called once, after it.
        """
        if self.scopes_of(actor, exchange_id) is None:
            # Somebody else's client shows the card, too: nobody asked this person.
            return 200, _body(exchange_id[:200])
        began, clock = time.monotonic(), asyncio.get_running_loop().time
        ends_at = clock() + ANSWER_S
        exchange = self._known.get((actor, exchange_id))
        if exchange is None or 0 < exchange.failed_until < clock():
            exchange = self._begin(actor, exchange_id, assertion, say)
        done, _ = await asyncio.wait({exchange.work}, timeout=max(0, ends_at - clock()))
        if not done:
            return 412, _body(exchange_id, EntraUnavailable().sentence)
        reply = exchange.work.result()
        if exchange.said is not None:
            # Usually quick, and then the answer comes after it.
            await asyncio.wait({exchange.said}, timeout=left_s(began))
        return reply

    def _begin(self, actor: Actor, exchange_id: str, assertion: str, say: Say) -> _Exchange:
        async def work() -> Reply:
            # Until it is known how it ended: what breaks off in the middle is not done either.
            exchange.failed_until = asyncio.get_running_loop().time() + _FAILED_S
            then = exchange_id.split("~", maxsplit=1)[0]
            try:
                is_new = await self._done(actor, exchange_id, assertion)
            except HeraldError as error:
                log.info("sign_in.exchange_failed", problem=type(error).__name__)
                exchange.said = self._background.start(_said(say, Outcome(then, error)))
                return 412, _body(exchange_id, error.sentence)
            exchange.failed_until = 0.0
            if is_new:
                exchange.said = self._background.start(_said(say, Outcome(then)))
            return 200, _body(exchange_id)

        exchange = _Exchange(self._background.start(work()))
        self._known[actor, exchange_id] = exchange
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return exchange

    async def _done(self, actor: Actor, exchange_id: str, assertion: str) -> bool:
        """Exchange it, unless that was done; whether it was done here and now."""
        key = " ".join(("exchange", *actor, exchange_id))
        if await self._once.seen(key):
            return False
        scopes = SCOPES[exchange_id.split("~")[1]]
        await self._identity.exchange(actor, assertion, scopes)
        # Only now: what failed may be tried again, also after a restart.
        return await self._once.first_time(key)


async def _said(say: Say, outcome: Outcome) -> None:
    await say(outcome)


def _body(exchange_id: str, failure: str = "") -> dict[str, Any]:
    body = {"id": exchange_id, "connectionName": CONNECTION}
    return {**body, "failureDetail": failure} if failure else body
