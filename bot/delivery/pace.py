"""How long the worker waits, and how often it tries: every number of its patience in one place.

Read as `pace.NAME` at each use, so that a test can hurry.
"""

import random

LEASE_MS = 30_000  # longer than the HTTP time-out, so that no lease ends while a POST is out
FENCE_HOLDS_MS = LEASE_MS / 3  # the rest is the POST's
FENCED_AHEAD_S = 0.05  # so that a slot is not missed by the time that writing takes
HEARTBEAT_S = 10.0
TRIES = 8  # of what perhaps arrived: about four minutes of back-off
AWAY_S = 15.0  # between two looks whether Graph or Entra is there again; nothing has left
LONGEST_PAUSE_S = 60.0
LONGEST_WAIT_S = 3600.0  # whatever Retry-After says; then Graph is asked again
THROTTLED_S = 5.0  # a 429 without Retry-After
POLL_S = 0.5  # another replica may have queued something; on SQLite there is none
LOOK_S = 0.1  # a turn that waits for what another replica may be sending
# At a stop, with a result in hand and the database away. Kubernetes insists after 30 seconds. To be
# killed over it costs no more than to give up: what it came to is judged at the next start.
STOP_GRACE_S = 25.0


def back_off_s(attempt: int) -> float:
    """The pause after this many attempts, doubling up to `LONGEST_PAUSE_S`."""
    # Jitter only: no secret depends on it.
    return float(min(LONGEST_PAUSE_S, 2 ** max(0, attempt - 1)) * random.uniform(0.8, 1.2))  # noqa: S311
