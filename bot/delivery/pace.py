"""How fast one tenant's batches of one kind may leave: Graph's documented rates."""

import asyncio
from collections.abc import Callable

from bot.delivery.actions import ACTIONS
from bot.delivery.models import Kind

Clock = Callable[[], float]


class Pace:
    """Spaces requests of one tenant and kind evenly, and keeps back what Graph asked to wait."""

    def __init__(self) -> None:
        self._free_at: dict[tuple[str, Kind], float] = {}

    async def turn(self, tenant_id: str, kind: Kind) -> None:
        """Wait for this tenant's next slot of this kind."""
        loop = asyncio.get_running_loop()
        key = (tenant_id, kind)
        slot = max(loop.time(), self._free_at.get(key, 0.0))
        self._free_at[key] = slot + 1 / ACTIONS[kind].per_second
        await asyncio.sleep(slot - loop.time())

    def hold(self, tenant_id: str, kind: Kind, seconds: float) -> None:
        """Let nothing of this tenant and kind leave for so long: Graph's `Retry-After`."""
        key = (tenant_id, kind)
        until = asyncio.get_running_loop().time() + seconds
        self._free_at[key] = max(until, self._free_at.get(key, 0.0))
