"""Zones: IANA names and plain words in, Windows names out."""

from datetime import UTC, datetime

import pytest

from bot.appointments.zones import friendly, local_time, offered, windows_name


@pytest.mark.parametrize(
    ("written", "windows"),
    [
        ("America/Los_Angeles", "Pacific Standard Time"),
        ("Pacific Standard Time", "Pacific Standard Time"),
        ("pacific", "Pacific Standard Time"),
        ("Pacific time", "Pacific Standard Time"),
        ("PT", "Pacific Standard Time"),
        ("eastern", "Eastern Standard Time"),
        ("EDT", "Eastern Standard Time"),
        ("Mountain time (Arizona)", "US Mountain Standard Time"),
        ("america/chicago", "Central Standard Time"),
        ("utc", "UTC"),
    ],
)
def test_a_zone_is_known_by_every_name_people_use(written: str, windows: str) -> None:
    assert windows_name(written) == windows


@pytest.mark.parametrize("written", ["", "Mars/Olympus", "<script>", "🕰️"])
def test_what_is_no_zone_is_none(written: str) -> None:
    assert windows_name(written) is None


@pytest.mark.parametrize("own", ["America/Phoenix", "Europe/Madrid", "Asia/Tokyo"])
def test_the_users_own_zone_is_offered_first_and_each_zone_once(own: str) -> None:
    zones = offered(own)
    assert zones[0].windows == windows_name(own)
    assert len({zone.windows for zone in zones}) == len(zones)


def test_a_user_without_a_zone_still_gets_those_of_the_united_states() -> None:
    assert "Pacific Standard Time" in {zone.windows for zone in offered("Nowhere/Never")}


def test_a_moment_is_shown_on_the_clock_of_each_zone() -> None:
    moment = datetime(2026, 12, 1, 17, 0, tzinfo=UTC)
    assert local_time(moment, "Pacific Standard Time") == "Tue, Dec 1, 9:00 AM"
    assert local_time(moment, "America/New_York") == "Tue, Dec 1, 12:00 PM"
    assert friendly("US Mountain Standard Time") == "Mountain time (Arizona)"
