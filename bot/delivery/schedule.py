"""When something leaves: a day and a time in the user's own zone, read and checked.

Clocks that are put forward skip an hour, and those that are put back have one twice: the first
cannot be meant, of the second the earlier is taken and said.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.words import gettext

DAYS_AHEAD = 90
_T = TypeVar("_T")


@dataclass(frozen=True)
class Leaves:
    """When it leaves; `moment` is None for now. `twice`: that time comes twice in that night.

    `unused`: a day or a time was filled in, and now was chosen.
    """

    moment: datetime | None = None
    twice: bool = False
    unused: bool = False


def read_when(values: Mapping[str, str], zone: str, now: datetime) -> tuple[Leaves, dict[str, str]]:
    """Read `when` (now, later), `when_date` (2026-12-01) and `when_time` (09:00).

    `zone` is the user's IANA zone, `now` aware. Returns the moment in UTC, and errors by field.
    """
    if values.get("when", "now") != "later":
        filled_in = any(values.get(name, "").strip() for name in ("when_date", "when_time"))
        return Leaves(unused=filled_in), {}
    return read_moment(values, zone, now)


def read_moment(
    values: Mapping[str, str], zone: str, now: datetime
) -> tuple[Leaves, dict[str, str]]:
    """Read `when_date` and `when_time` alone."""
    errors: dict[str, str] = {}
    day = _read(date.fromisoformat, values.get("when_date", ""))
    clock = _read(time.fromisoformat, values.get("when_time", ""))
    if day is None:
        errors["when_date"] = gettext("Choose the day.")
    if clock is None:
        errors["when_time"] = gettext("Choose the time.")
    if day is None or clock is None:
        return Leaves(), errors
    return _placed(datetime.combine(day, clock.replace(tzinfo=None)), _zone(zone), now)


def offered_days(zone: str, now: datetime) -> tuple[str, str]:
    """The first and the last day that a form offers, as ISO dates."""
    today = now.astimezone(_zone(zone)).date()
    return today.isoformat(), (today + timedelta(days=DAYS_AHEAD)).isoformat()


def _placed(local: datetime, zone: ZoneInfo, now: datetime) -> tuple[Leaves, dict[str, str]]:
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    too_far = gettext("At most {days} days ahead, please.", days=DAYS_AHEAD)
    try:
        moment = first.astimezone(UTC)
    except OverflowError:  # the last day of the last year
        return Leaves(), {"when_date": too_far}
    if moment.astimezone(zone).replace(tzinfo=None) != local:
        skipped = gettext(
            "Clocks are put forward then, so this time doesn't exist. Choose an hour later."
        )
        return Leaves(), {"when_time": skipped}
    if moment <= now:
        passed = gettext("This time has passed. Choose a later one, or “Now”.")
        return Leaves(), {"when_time": passed}
    if moment > now + timedelta(days=DAYS_AHEAD):
        return Leaves(), {"when_date": too_far}
    return Leaves(moment, twice=first.utcoffset() != second.utcoffset()), {}


def _read(parse: Callable[[str], _T], written: str) -> _T | None:
    try:
        return parse(written.strip())
    except ValueError:
        return None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
