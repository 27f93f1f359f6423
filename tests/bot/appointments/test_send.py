"""What goes with a text's requests: the meeting as its sender saw it, and until when that holds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.appointments import form, send
from bot.appointments.request import Attendee, Meeting, TextRequest

NOW = datetime(2026, 12, 1, 17, tzinfo=UTC)
SOON = NOW + timedelta(minutes=5)


def about(starts_at: datetime | None, **more: Any) -> TextRequest:
    meeting = Meeting("m", "Check-up", starts_at, is_all_day=more.pop("is_all_day", False))
    people = (Attendee("+12063428631", "Pacific Standard Time"),)
    return TextRequest(meeting, "https://x", "confirmation", "en-US", people, **more)


def promised(request: TextRequest) -> dict[str, Any]:
    found: dict[str, Any] = send.call(request, NOW, holds_until=SOON)["promise"]
    return found


def test_a_text_is_late_when_the_appointment_has_begun() -> None:
    starts_at = NOW + timedelta(hours=1)
    assert promised(about(starts_at))["begins_at"] == starts_at.isoformat()


@pytest.mark.parametrize("starts_at", [None, NOW, NOW - timedelta(minutes=20)])
def test_a_text_about_what_its_sender_saw_going_on_is_never_late(
    starts_at: datetime | None,
) -> None:
    assert promised(about(starts_at))["begins_at"] is None


def test_a_day_begins_when_it_has_begun_everywhere() -> None:
    midnight = NOW.replace(hour=0) + timedelta(days=1)
    begins_at = promised(about(midnight, is_all_day=True))["begins_at"]
    assert begins_at == (midnight + timedelta(hours=12)).isoformat()


def test_only_what_leaves_at_once_needs_no_second_look() -> None:
    starts_at = NOW + timedelta(hours=1)
    assert promised(about(starts_at))["holds_until"] == SOON.isoformat()
    assert promised(about(starts_at, leaves_at=SOON))["holds_until"] is None


def test_a_time_is_too_late_only_for_what_has_not_begun_yet() -> None:
    meeting = about(SOON).meeting
    assert form.too_late(meeting, SOON, NOW).keys() == {"when_time"}
    assert form.too_late(meeting, NOW, NOW) == {}
    assert form.too_late(meeting, None, NOW) == {}
    assert form.too_late(meeting, SOON + timedelta(hours=1), SOON) == {}
