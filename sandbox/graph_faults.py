"""How the Graph stand-in misbehaves on purpose: the panel of faults, and a script for tests.

Entries of `World.script`, each for one send (a POST that texts or notifies):

    ok               nothing special
    reset_before     the connection is cut, nothing was sent
    reset_after      it was sent, and the connection is cut without an answer
    cut_body         it was sent, and the connection is cut in the middle of the answer
    hang             it was sent, and the answer never comes
    500 502 503 504  this answer, and nothing was sent
    500_after        (or 502_after, …) it was sent, and the answer is this error
    503:7            this answer with `Retry-After: 7`
    429              too many requests, with `Retry-After: 1`
    429:7            the same with `Retry-After: 7`
    429:date         the same with an HTTP date three seconds away
    429:none         the same without `Retry-After`
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from sandbox.graph_answers import Answer
from sandbox.world import World

CODES = {
    500: "InternalServerError",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request.

    `instead` is answered and nothing done; `then` is answered after it was done; `cut` is one of
    `before`, `after`, `body`, `hang`.
    """

    instead: Answer | None = None
    then: Answer | None = None
    cut: str = ""


NOTHING = Fault()
_CUTS = {
    "reset_before": Fault(cut="before"),
    "reset_after": Fault(cut="after"),
    "cut_body": Fault(cut="body"),
    "hang": Fault(cut="hang"),
    "ok": NOTHING,
}


def fault_of(world: World, *, send: bool) -> Fault:
    """What the panel, and for a send the script's next entry, do to this request."""
    faults = world.faults
    if faults.offline:
        return Fault(cut="before")
    if faults.unavailable:
        return Fault(instead=_failure(503))
    if not send:
        return NOTHING
    if world.script:
        return read(world.script.pop(0), world.now())
    if faults.throttled:
        return Fault(instead=throttled(faults.retry_after_s))
    return Fault(cut="hang") if faults.hang else NOTHING


def read(entry: str, now: datetime) -> Fault:
    """One entry of a script. Raises ValueError for a word that is not in the list above."""
    if entry in _CUTS:
        return _CUTS[entry]
    if match := re.fullmatch(r"(50[0234])(_after)?", entry):
        failure = _failure(int(match[1]))
        return Fault(then=failure) if match[2] else Fault(instead=failure)
    if match := re.fullmatch(r"503:(\d+)", entry):
        return Fault(instead=replace(_failure(503), headers={"Retry-After": match[1]}))
    if match := re.fullmatch(r"429(?::(\d+|date|none))?", entry):
        when = match[1] or "1"
        if when == "date":
            then = (now + timedelta(seconds=3)).astimezone(UTC)
            return Fault(instead=throttled(format_datetime(then, usegmt=True)))
        return Fault(instead=throttled(None if when == "none" else int(when)))
    raise ValueError(f"the script says {entry!r}, which means nothing")


def throttled(retry_after: int | str | None) -> Answer:
    """429, with a `Retry-After` in seconds or as an HTTP date, or without one."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Answer(429, headers=headers, code="TooManyRequests", message="Too many requests.")


def _failure(status: int) -> Answer:
    return Answer(status, code=CODES[status], message="The service could not answer.")
