"""Searching in the messaging extension."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.teams.turn import Turn

Answering = Callable[[Turn], Awaitable[tuple[int, dict[str, Any]]]]


class MessageSearch:
    """Searches."""

    def invokes(self) -> Mapping[str, Answering]:
        """What answers each invoke, by its name."""
        return {}
