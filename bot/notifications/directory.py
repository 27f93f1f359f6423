"""Looking many people up, a few questions at a time, without asking twice.

An invoke waits five seconds, and a long list takes Graph longer than that on a bad day: what was
found before the time was up is kept for some minutes, so that the next press goes on from there.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence

from bot.actor import Actor
from bot.graph.client import Graph, PersonFound

_IN_A_QUESTION = 20  # Graph's limit of requests in one $batch
_AT_ONCE = 4
_KEPT_S = 300.0
_MOST_KEPT = 20_000

_Key = tuple[Actor, str]
_Ask = Callable[[str, Iterable[str]], Awaitable[dict[str, PersonFound | None]]]


class Directory:
    """Who has which id, address or name, as each actor may see it. Raises GraphError."""

    def __init__(self, graph: Graph, clock: Callable[[], float] = time.monotonic) -> None:
        self._graph = graph
        self._clock = clock
        self._kept: OrderedDict[_Key, tuple[float, PersonFound]] = OrderedDict()

    async def by_id(
        self, actor: Actor, token: str, ids: Sequence[str]
    ) -> dict[str, PersonFound | None]:
        """Who has each Entra object id; None where there is nobody."""
        return await self._look_up(actor, token, ids, self._graph.people_by_id)

    async def by_address(
        self, actor: Actor, token: str, addresses: Sequence[str]
    ) -> dict[str, PersonFound | None]:
        """Who has each mail address or sign-in name; None where nobody has, or several do."""
        return await self._look_up(actor, token, addresses, self._graph.people_by_address)

    async def by_name(
        self, actor: Actor, token: str, names: Sequence[str]
    ) -> dict[str, tuple[PersonFound, ...]]:
        """Whom each name may mean, at most `bot.graph.client.MOST_NAMESAKES`."""
        several: dict[str, tuple[PersonFound, ...]] = {}

        async def ask(token: str, some: Iterable[str]) -> dict[str, PersonFound | None]:
            found = await self._graph.people_by_name(token, some)
            several.update(found)
            return {name: people[0] if len(people) == 1 else None for name, people in found.items()}

        # Whoever alone has a name is remembered, as those with an address are.
        alone = await self._look_up(actor, token, names, ask)
        return {
            name: (person,) if person else several.get(name, ()) for name, person in alone.items()
        }

    async def _look_up(
        self, actor: Actor, token: str, names: Sequence[str], ask: _Ask
    ) -> dict[str, PersonFound | None]:
        found = {name: self._known((actor, name)) for name in names}
        wanted = [name for name, person in found.items() if person is None]
        free = asyncio.Semaphore(_AT_ONCE)

        async def one(some: Sequence[str]) -> None:
            async with free:
                answers = await ask(token, some)
            for name, person in answers.items():
                found[name] = person
                if person is not None:
                    self._keep((actor, name), person)

        questions = [
            one(wanted[start : start + _IN_A_QUESTION])
            for start in range(0, len(wanted), _IN_A_QUESTION)
        ]
        # All of them are let end, so that what can be found is kept although one goes wrong.
        for outcome in await asyncio.gather(*questions, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        return found

    def _known(self, key: _Key) -> PersonFound | None:
        until, person = self._kept.get(key, (0.0, None))
        return person if until > self._clock() else None

    def _keep(self, key: _Key, person: PersonFound) -> None:
        self._kept[key] = (self._clock() + _KEPT_S, person)
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
