"""A day and a time in the user's own zone: read, and checked against clocks and calendars."""

from datetime import UTC, datetime

import pytest

from bot.delivery.schedule import offered_days, read_when

NOW = datetime(2026, 10, 20, 15, 0, tzinfo=UTC)
PACIFIC = "America/Los_Angeles"


def when(day: str, clock: str, zone: str = PACIFIC, now: datetime = NOW):  # type: ignore[no-untyped-def]
    return read_when({"when": "later", "when_date": day, "when_time": clock}, zone, now)


def test_now_is_now_whatever_else_is_filled_in() -> None:
    leaves, errors = read_when({"when": "now", "when_date": "x"}, PACIFIC, NOW)
    assert errors == {}
    assert leaves.moment is None


def test_a_time_is_meant_in_the_users_own_zone() -> None:
    leaves, errors = when("2026-10-21", "09:00")
    assert errors == {}
    assert leaves.moment == datetime(2026, 10, 21, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "clock", "field"),
    [
        ("", "09:00", "when_date"),
        ("tomorrow", "09:00", "when_date"),
        ("2026-02-30", "09:00", "when_date"),
        ("2026-10-21", "", "when_time"),
        ("2026-10-21", "25:00", "when_time"),
        ("2026-10-20", "07:59", "when_time"),
        ("2025-10-21", "09:00", "when_time"),
        ("2027-01-19", "09:00", "when_date"),
        ("9999-12-31", "23:59", "when_date"),
    ],
)
def test_what_cannot_be_meant_is_an_error_of_its_field(day: str, clock: str, field: str) -> None:
    leaves, errors = when(day, clock)
    assert leaves.moment is None
    assert field in errors


def test_an_hour_that_daylight_saving_skips_does_not_exist() -> None:
    spring = datetime(2026, 3, 1, tzinfo=UTC)
    _, errors = when("2026-03-08", "02:30", now=spring)
    assert "doesn't exist" in errors["when_time"]
    _, errors = when("2026-03-08", "03:30", now=spring)
    assert errors == {}


def test_of_an_hour_that_comes_twice_the_first_is_taken_and_said() -> None:
    leaves, errors = when("2026-11-01", "01:30")
    assert errors == {}
    assert leaves.twice
    assert leaves.moment == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
    leaves, _ = when("2026-11-01", "03:30")
    assert not leaves.twice


def test_ninety_days_are_offered_from_today_where_the_user_is() -> None:
    late = datetime(2026, 10, 21, 3, 0, tzinfo=UTC)
    assert offered_days(PACIFIC, late) == ("2026-10-20", "2027-01-18")
    assert offered_days("Nowhere/Never", late)[0] == "2026-10-21"
