"""Who is in a chat, a channel or a team, as the Bot Connector tells it, over all its pages.

`GET v3/conversations/{id}/pagedmembers`: at most 500 a page, each page but the last with a
`continuationToken`. A team's roster is that of its thread id, which is its General channel's.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.delivery.models import Place
from bot.notifications.members import Member
from bot.teams.connector import Connector

__all__ = ["Member", "Rosters", "TeamFacts", "members"]

_MOST_PAGES = 100  # of 500: twice the largest team that Teams allows
_KEPT_S = 60.0  # for whoever stopped waiting, and presses again
_MOST_KEPT = 20
_Key = tuple[str, str]
_Reading = asyncio.Task[tuple[Member, ...]]
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def members(connector: Connector, place: Place) -> AsyncIterator[Member]:
    """The members of a place's conversation; of a thread those of its channel.

    Raises:
        ConversationGone: the bot isn't in it (403), or it was deleted (404).
        ConnectorError: Teams did not tell.
    """
    conversation = place.conversation_id.partition(";messageid=")[0]
    onward: str | None = None
    for _ in range(_MOST_PAGES):
        page = await connector.members(place.service_url, conversation, continuation_token=onward)
        rows = page.get("members")
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, Mapping):
                yield _member(row)
        told, before = page.get("continuationToken"), onward
        onward = told if isinstance(told, str) and told else None
        if onward is None or onward == before:
            return


@dataclass(frozen=True)
class TeamFacts:
    """What the connector tells of a team: its Entra group id, its name, how many are in it.

    Empty, or None, where it is not told.
    """

    group_id: str
    name: str
    members: int | None


class Rosters:
    """Whole rosters, each read once for all who want it at the same time.

    An invoke waits five seconds, and a large team's roster has many pages: the reading goes on when
    an invoke had to stop waiting, and the next press finds what it came to.
    """

    def __init__(self, connector: Connector, clock: Callable[[], float] = time.monotonic) -> None:
        self._connector = connector
        self._clock = clock
        self._readings: dict[_Key, tuple[float, _Reading]] = {}

    async def team(self, place: Place, thread_id: str) -> TeamFacts:
        """A team, by its thread id. Raises as `members` does.

        Source: "Get team's details" (`GET v3/teams/{id}`). Few activities name the group's id.
        """
        found = await self._connector.team(place.service_url, thread_id)
        group_id, number = _text(found, "aadGroupId").lower(), found.get("memberCount")
        is_number = isinstance(number, int) and not isinstance(number, bool)
        return TeamFacts(
            group_id if _GUID.fullmatch(group_id) else "",
            _text(found, "name"),
            number if is_number else None,
        )

    def begin(self, place: Place, roster_id: str) -> None:
        """Begin to read a roster that may be wanted in a moment."""
        self._reading(place, roster_id)

    async def whole(self, place: Place, roster_id: str) -> tuple[Member, ...]:
        """The members of a conversation at this place's service. Raises as `members` does."""
        key, reading = self._reading(place, roster_id)
        found = await asyncio.shield(reading)
        # Who waited for it has it; the next one is told of those who joined meanwhile.
        self._readings.pop(key, None)
        return found

    def _reading(self, place: Place, roster_id: str) -> tuple[_Key, _Reading]:
        key = (place.service_url, roster_id)
        begun_s, reading = self._readings.get(key, (0.0, None))
        is_old = reading is not None and reading.done() and self._clock() - begun_s > _KEPT_S
        if reading is None or is_old:
            reading = asyncio.create_task(self._read(replace(place, conversation_id=roster_id)))
            self._readings[key] = (self._clock(), reading)
            reading.add_done_callback(lambda done: self._forget(key, done))
        return key, reading

    async def stop(self) -> None:
        """End what is still being read."""
        running = [reading for _, reading in self._readings.values()]
        for reading in running:
            reading.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _read(self, place: Place) -> tuple[Member, ...]:
        return tuple([member async for member in members(self._connector, place)])

    def _forget(self, key: _Key, done: _Reading) -> None:
        """Forget what failed, and the oldest of too many."""
        if done.cancelled() or done.exception() is not None:
            self._readings.pop(key, None)
        ended = [name for name, (_, reading) in self._readings.items() if reading.done()]
        for name in ended[:-_MOST_KEPT]:
            self._readings.pop(name)


def _member(row: Mapping[str, Any]) -> Member:
    user_id = _text(row, "aadObjectId", "objectId").lower()
    return Member(
        teams_id=_text(row, "id"),
        user_id=user_id if _GUID.fullmatch(user_id) else "",
        name=_text(row, "name") or _text(row, "givenName") or _text(row, "userPrincipalName"),
        mail=_text(row, "email", "userPrincipalName"),
        role=(_text(row, "userRole") or "user").lower(),
        tenant_id=_text(row, "tenantId").lower(),
    )


def _text(row: Mapping[str, Any], *names: str) -> str:
    values = (row.get(name) for name in names)
    return next((value.strip()[:200] for value in values if isinstance(value, str) and value), "")
