"""What went wrong with a delivery, in the errors' own sentences, and what to do about it."""

from collections.abc import Iterator

from bot.delivery.models import (
    INTERRUPTED,
    OWNER_CANCELS,
    OWNER_INSISTS,
    Delivery,
    Kind,
    State,
    Tally,
)
from bot.errors import HeraldError
from bot.graph.errors import GraphError, GraphSilent, GraphUnavailable
from bot.words import gettext, marked
from cards.delivery import Problem

_WITHOUT_PROBLEM = (State.ACCEPTED, State.CANCELLED)
_INTERRUPTED = marked("Herald was interrupted while this was on its way.")
_ASK_FIRST = marked("Ask one of the people before you send it again: a text can't be taken back.")
_REPLACES = marked("You can retry it safely: for those who have it already, it replaces the first.")
_WHY = {
    GraphSilent.__name__: marked("The connection ended before an answer came."),
    GraphUnavailable.__name__: marked("Microsoft answered with a fault of its own."),
    INTERRUPTED: _INTERRUPTED,
}
_THEN = {Kind.TEXT: _ASK_FIRST, Kind.NOTICE: _REPLACES}


def problems(delivery: Delivery) -> Iterator[Problem]:
    """What went wrong, or why it waits: one for each reason."""
    for tally in delivery.tallies:
        if tally.problem in {"", OWNER_CANCELS, OWNER_INSISTS} or tally.state in _WITHOUT_PROBLEM:
            continue
        what, advice = _sentences(delivery.kind, tally.problem, tally.state)
        yield Problem(
            what=what, who=_who(delivery, tally), advice=advice, reference=tally.request_id
        )


def doubt(delivery: Delivery) -> str:
    """How it came that nobody can tell, where that is the same for all of them."""
    found = {tally.problem for tally in delivery.tallies if tally.state is State.UNKNOWN}
    why = _WHY.get(found.pop()) if len(found) == 1 else None
    return gettext(why) if why else ""


def never_left(delivery: Delivery) -> bool:
    """Whether all that is refused was refused before Microsoft Graph was asked."""
    found = [_errors().get(t.problem) for t in delivery.tallies if t.state is State.REFUSED]
    return bool(found) and not any(
        error is None or issubclass(error, GraphError) for error in found
    )


def _sentences(kind: Kind, name: str, state: State) -> tuple[str, str]:
    error = _errors().get(name, HeraldError)
    what = gettext(_INTERRUPTED if name == INTERRUPTED else _first_line(error))
    if state is State.UNKNOWN:
        # Whatever went wrong: an invitation to try again could be one to text twice.
        unclear = gettext("Nobody can tell whether it was sent.")
        return f"{what} {unclear}", gettext(_THEN[kind])
    if state is State.QUEUED and issubclass(error, GraphError):
        again = gettext("Herald tries again by itself; you don't need to do anything.")
        return what, again
    return what, gettext(str(getattr(error, "advice", "")))


def _first_line(kind: type[HeraldError]) -> str:
    return (kind.__doc__ or "").strip().splitlines()[0]


def _errors() -> dict[str, type[HeraldError]]:
    found: dict[str, type[HeraldError]] = {}
    kinds: list[type[HeraldError]] = [HeraldError]
    while kinds:
        kind = kinds.pop()
        found[kind.__name__] = kind
        kinds += kind.__subclasses__()
    return found


def _who(delivery: Delivery, tally: Tally) -> str:
    if tally.people == delivery.total:
        return gettext("Everybody") if tally.people > 1 else ""
    return gettext("{number} of {total} people", number=tally.people, total=delivery.total)
