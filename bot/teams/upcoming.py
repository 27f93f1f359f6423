"""A person's upcoming appointments for somebody who types: read once, and remembered for a minute.

A search answers at every pause in the typing. What the calendar has not told by then is not waited
for: its reading goes on, and the next answer has it.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bot.actor import Actor
from bot.appointments.meetings import DAYS_LISTED, listed
from bot.errors import HeraldError
from bot.graph.client import MOST_EVENTS, Graph
from bot.graph.records import MeetingEvent
from bot.identity.obo import MEETINGS, Identity
from bot.teams.turn import Turn

SEARCHED_DAYS = 180
SEARCHED_EVENTS = 500
_KEPT_S = 60.0
_KNOWN_S = 900.0  # what is better than nothing while the calendar doesn't answer
_MOST_KEPT = 500

_Key = tuple[Actor, str]  # whose, and in which zone
_Reading = asyncio.Task[list[MeetingEvent]]


class Upcoming:
    """Reads calendars, one reading at a time for each person: so many days and events."""

    def __init__(
        self,
        identity: Identity,
        graph: Graph,
        *,
        days: int = DAYS_LISTED,
        most: int = MOST_EVENTS,
    ) -> None:
        self._identity = identity
        self._graph = graph
        self._days = days
        self._most = most
        self._readings: OrderedDict[_Key, tuple[float, _Reading]] = OrderedDict()
        self._known: OrderedDict[_Key, tuple[float, list[MeetingEvent]]] = OrderedDict()

    async def of(self, turn: Turn) -> Sequence[MeetingEvent]:
        """The appointments that the actor organizes and that are not over, the next one first.

        Whoever gives up waiting leaves the reading going on. Raises IdentityError and GraphError.
        """
        # Also for what is remembered: whoever signed out is asked to sign in again.
        token = await self._identity.token(turn.actor, MEETINGS)
        now = datetime.now(UTC)
        events = await asyncio.shield(self._reading(turn, token.value))
        return [event for event in events if event.end > now]

    async def anew(self, turn: Turn) -> Sequence[MeetingEvent]:
        """The same, read again whatever is remembered, with those of the last day that are over."""
        token = await self._identity.token(turn.actor, MEETINGS)
        return await asyncio.shield(self._reading(turn, token.value, anew=True))

    def known(self, turn: Turn) -> Sequence[MeetingEvent] | None:
        """What was read last, if that was not long ago; None: nothing is known."""
        read_at, events = self._known.get(_key(turn), (0.0, None))
        return events if time.monotonic() - read_at < _KNOWN_S else None

    def _reading(self, turn: Turn, token: str, *, anew: bool = False) -> _Reading:
        key = _key(turn)
        until, reading = self._readings.get(key, (0.0, None))
        if anew and reading is not None and reading.done():
            reading = None
        if reading is None or _is_over(reading, until):
            reading = asyncio.create_task(
                listed(
                    self._graph,
                    token,
                    turn.place.zone,
                    datetime.now(UTC),
                    days=self._days,
                    most=self._most,
                )
            )
            reading.add_done_callback(partial(self._read, key))
            _put(self._readings, key, (time.monotonic() + _KEPT_S, reading))
        return reading

    def _read(self, key: _Key, reading: _Reading) -> None:
        if not reading.cancelled() and reading.exception() is None:
            _put(self._known, key, (time.monotonic(), reading.result()))
        _looked_at(reading)


def _key(turn: Turn) -> _Key:
    return turn.actor, turn.place.zone


def _put(kept: "OrderedDict[_Key, Any]", key: _Key, value: Any) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > _MOST_KEPT:
        kept.popitem(last=False)


def _is_over(reading: _Reading, until: float) -> bool:
    """Whether it is time for a new one; what went wrong is not remembered."""
    if not reading.done():
        return False
    return time.monotonic() > until or reading.cancelled() or reading.exception() is not None


def _looked_at(reading: _Reading) -> None:
    # What goes wrong after nobody waits any more is found again by the next who asks.
    if not reading.cancelled() and not isinstance(reading.exception(), HeraldError | None):
        asyncio.get_running_loop().call_exception_handler(
            {"message": "A calendar could not be read", "exception": reading.exception()}
        )
