"""What is counted and timed, for Prometheus: one registry for the process.

No label names a tenant, a person, a number or an address: labels are words of our own, from short
lists, so that what is scraped tells nothing of anybody and stays small.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = CONTENT_TYPE_PLAIN_1_0_0
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

# An invoke should be answered within one second, and must be within five.
_TURN_S = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10)
_CALL_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)
_WAIT_S = (0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200)

TURNS = Histogram(
    "herald_turn_seconds",
    "Activities from Teams: what kind, how it ended, and how long it took.",
    ("kind", "outcome"),
    buckets=_TURN_S,
    registry=REGISTRY,
)
TURNED_AWAY = Counter(
    "herald_turned_away", "Calls that the door refused, by status.", ("status",), registry=REGISTRY
)
GRAPH = Histogram(
    "herald_graph_seconds",
    "Requests to Microsoft Graph.",
    ("action", "status"),
    buckets=_CALL_S,
    registry=REGISTRY,
)
TEAMS = Histogram(
    "herald_teams_seconds",
    "Requests to the Bot Connector.",
    ("method", "status"),
    buckets=_CALL_S,
    registry=REGISTRY,
)
TOKENS = Counter(
    "herald_tokens",
    "Tokens asked of Entra, and what came.",
    ("grant", "outcome"),
    registry=REGISTRY,
)
ENDED = Counter(
    "herald_batches_ended", "Requests that came to an end.", ("kind", "state"), registry=REGISTRY
)
WAITED = Histogram(
    "herald_lane_wait_seconds",
    "From when a request was due until it left.",
    ("kind",),
    buckets=_WAIT_S,
    registry=REGISTRY,
)
ERRORS = Counter("herald_errors", "What went wrong, by kind.", ("kind",), registry=REGISTRY)
BATCHES = Gauge(
    "herald_batches", "Requests that have not ended.", ("kind", "state"), registry=REGISTRY
)
OVERDUE = Gauge(
    "herald_overdue_seconds",
    "How long the longest waiting request has been due.",
    ("kind",),
    registry=REGISTRY,
)
TASKS = Gauge("herald_tasks", "What runs or waits in this process's loop.", registry=REGISTRY)
UP = Gauge("herald_database_up", "1 when the database answered this scrape.", registry=REGISTRY)


def exposed() -> bytes:
    """Everything, in Prometheus' text format."""
    return generate_latest(REGISTRY)


def status_class(status: int) -> str:
    """`2xx` … `5xx`, `429` by itself, and `none` for 0: no answer came."""
    if not status:
        return "none"
    return "429" if status == 429 else f"{status // 100}xx"


class Outcome:
    """How something that is being timed ended."""

    def __init__(self, word: str) -> None:
        self.word = word


@contextmanager
def timed(histogram: Histogram, label: str, outcome: str) -> Iterator[Outcome]:
    """Time a block under `label`; its outcome can be changed until it ends."""
    began, ended = time.perf_counter(), Outcome(outcome)
    try:
        yield ended
    finally:
        histogram.labels(label, ended.word).observe(time.perf_counter() - began)
