"""Graph's throttling: token buckets for an application in one tenant, and over all tenants.

Source: the throttling limits of Teams activity notifications and virtual appointments; the bulk
action has 2 requests a second (20 over all tenants), an action for one target 5 (50).
"""

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Bucket:
    """Holds one second's worth of requests and fills up again evenly."""

    rate: float
    clock: Callable[[], float]
    level: float = field(init=False)
    at: float = field(init=False)

    def __post_init__(self) -> None:
        self.level, self.at = self.rate, self.clock()

    def wait_s(self) -> float:
        """Seconds until a request fits; 0 when one fits now."""
        now = self.clock()
        self.level = min(self.rate, self.level + (now - self.at) * self.rate)
        self.at = now
        # A caller that keeps exactly to the rate must not fail by a rounding error.
        return 0.0 if self.level >= 0.999 else (1 - self.level) / self.rate

    def take(self) -> None:
        """Spend one request."""
        self.level -= 1


RATES: dict[str, tuple[float, float]] = {"bulk": (2, 20), "single": (5, 50)}


class Limits:
    """Which requests come too fast. `clock` counts seconds; the real one by default."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.rates = dict(RATES)
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def retry_after_s(self, kind: str, tenant_id: str) -> int:
        """0 when the request may pass, which it then has; else whole seconds to wait."""
        per_tenant, overall = self.rates[kind]
        both = [
            self._bucket((kind, tenant_id), per_tenant),
            self._bucket((kind, ""), overall),
        ]
        wait_s = max(bucket.wait_s() for bucket in both)
        if wait_s > 0:
            return max(1, math.ceil(wait_s))
        for bucket in both:
            bucket.take()
        return 0

    def _bucket(self, key: tuple[str, str], rate: float) -> Bucket:
        return self._buckets.setdefault(key, Bucket(rate, self.clock))


class FeedLimit:
    """Teams drops more than ten notifications a minute to one person, silently."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._times: dict[str, deque[float]] = {}

    def drops(self, person_id: str, *, most: int = 10, window_s: float = 60.0) -> bool:
        """Whether one more is dropped now; if not, it counts."""
        now = self.clock()
        times = self._times.setdefault(person_id, deque())
        while times and now - times[0] >= window_s:
            times.popleft()
        if len(times) >= most:
            return True
        times.append(now)
        return False
