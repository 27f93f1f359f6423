"""When this process's requests really leave: one that is late holds back those behind it.

Slots have the distance that the limit asks for. What misses its slot, because a write or a token
took its time, would otherwise come too close to the next one.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.delivery.lanes import Rates, step_ms
from bot.delivery.models import Kind

_SPACED = 1_000  # lanes whose last requests are remembered
_COUNTED = 64  # a limit above is not looked at so closely


@dataclass
class _Lane:
    planned_ms: float = 0.0  # the last one was to leave then
    left_ms: deque[float] = field(default_factory=deque)  # as many as may leave in a window


class Spacing:
    """Keeps the distance of requests of one tenant and kind, as they leave."""

    def __init__(self, rates: Mapping[Kind, Rates]) -> None:
        self._step_ms = {kind: step_ms(rate.tenant) for kind, rate in rates.items()}
        # As many as may leave within a second, or the one of a slower rate's longer time.
        self._most = {kind: max(1, int(rate.tenant)) for kind, rate in rates.items()}
        self._lanes: OrderedDict[tuple[str, Kind], _Lane] = OrderedDict()

    def leaves_at_ms(self, tenant_id: str, kind: Kind, slot_ms: float, now: int) -> float:
        """When the request with this slot is to leave; the next one keeps its distance from it."""
        lane = self._lane(tenant_id, kind)
        lane.planned_ms = max(slot_ms, now, lane.planned_ms + self._step_ms[kind])
        return lane.planned_ms

    def too_soon_ms(self, tenant_id: str, kind: Kind, now: float) -> float:
        """How long it has to wait still, because those before it left later than planned."""
        most = self._most[kind]
        left_ms = self._lane(tenant_id, kind).left_ms
        if most > _COUNTED or len(left_ms) < most:
            return 0.0
        return max(0.0, left_ms[-most] + most * self._step_ms[kind] - now)

    def leaves_now(self, tenant_id: str, kind: Kind, now: float) -> None:
        """A request leaves."""
        lane = self._lane(tenant_id, kind)
        lane.planned_ms = max(now, lane.planned_ms)
        lane.left_ms.append(now)
        while len(lane.left_ms) > min(self._most[kind], _COUNTED):
            lane.left_ms.popleft()

    def _lane(self, tenant_id: str, kind: Kind) -> _Lane:
        key = (tenant_id, kind)
        lane = self._lanes.setdefault(key, _Lane())
        self._lanes.move_to_end(key)
        while len(self._lanes) > _SPACED:
            self._lanes.popitem(last=False)
        return lane
