"""A scheduled text leaves only when its meeting is still what its sender saw."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.delivery import pace
from bot.delivery.models import Delivery, State
from bot.delivery.recheck import promise
from sandbox.entra import Entra
from sandbox.graph import Graph as GraphStandIn
from sandbox.series import new_series
from sandbox.world import Meeting, clinic
from tests.bot.delivery.sending import Sending, SignedIn, sending

SMS = "sendVirtualAppointmentSms"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "LONGEST_PAUSE_S", 0.02)


@pytest.fixture
async def graph() -> AsyncIterator[GraphStandIn]:
    world = clinic()
    graph = GraphStandIn(world, Entra(world))
    await graph.start()
    yield graph
    await graph.stop()


@pytest.fixture
async def room(graph: GraphStandIn, tmp_path: Path) -> AsyncIterator[Sending]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite3'}"
    async with sending(graph.world, graph.url, url, SignedIn(graph.entra)) as room:
        yield room


@pytest.fixture
def meeting(room: Sending) -> Meeting:
    """The one that Adele's texts are about."""
    adele = room.world.named("Adele")
    return next(one for one in room.world.meetings.values() if one.organizer_id == adele.id)


def seen(meeting: Meeting, **more: Any) -> dict[str, Any]:
    return promise(
        join_link=meeting.join_url,
        starts_at=meeting.start,
        told_at=meeting.series_start,
        in_calendar=True,
        **more,
    )


def ahead(**by: float) -> datetime:
    return datetime.now(UTC) + timedelta(**by)


async def scheduled(
    room: Sending, meeting: Meeting, *, begins_at: datetime | None = None, **call: Any
) -> Delivery:
    """A text that is due in a moment, about the meeting as it is now."""
    due_at_ms = room.queue.clock_ms() + 60_000
    shown = seen(meeting, begins_at=begins_at)
    return await room.text(due_at_ms=due_at_ms, promise=shown, **call)


async def comes_due(room: Sending, delivery: Delivery) -> None:
    assert await room.ledger.change_time(delivery, room.queue.clock_ms())
    room.worker.nudge()


def texts(room: Sending) -> int:
    return sum(len(some) for some in room.world.phones.values())


async def held(room: Sending, delivery: Delivery) -> str:
    """Why it is held; nothing was sent."""
    await comes_due(room, delivery)
    now = await room.reaches(delivery, State.HELD)
    assert texts(room) == 0
    return now.tallies[0].problem


async def test_a_text_about_an_unchanged_meeting_leaves(room: Sending, meeting: Meeting) -> None:
    delivery = await scheduled(room, meeting)
    await comes_due(room, delivery)
    await room.reaches(delivery, State.ACCEPTED)
    assert texts(room) == 1


async def test_a_text_about_a_meeting_that_was_moved_is_held(
    room: Sending, meeting: Meeting
) -> None:
    delivery = await scheduled(room, meeting)
    meeting.start += timedelta(hours=1)
    assert await held(room, delivery) == "MeetingMoved"


async def test_a_text_about_a_meeting_that_was_cancelled_is_held(
    room: Sending, meeting: Meeting
) -> None:
    delivery = await scheduled(room, meeting)
    meeting.is_cancelled = True
    assert await held(room, delivery) == "MeetingCancelled"


async def test_a_text_about_a_meeting_that_is_gone_is_held(room: Sending, meeting: Meeting) -> None:
    delivery = await scheduled(room, meeting)
    del room.world.meetings[meeting.id]
    assert await held(room, delivery) == "MeetingUnreadable"


async def test_a_text_about_a_meeting_that_another_organizes_now_is_held(
    room: Sending, meeting: Meeting
) -> None:
    delivery = await scheduled(room, meeting)
    meeting.organizer_id = room.world.named("Megan").id
    assert await held(room, delivery) == "MeetingUnreadable"


async def test_a_text_that_says_cancelled_leaves_although_the_meeting_was_cancelled(
    room: Sending, meeting: Meeting
) -> None:
    delivery = await scheduled(room, meeting, message_type="cancellation")
    meeting.is_cancelled = True
    await comes_due(room, delivery)
    await room.reaches(delivery, State.ACCEPTED)


async def test_a_meeting_that_cannot_be_read_for_long_holds_its_text(
    room: Sending, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room.graph, "patience_s", 0)
    delivery = await scheduled(room, meeting)
    room.world.faults.unavailable = True
    assert await held(room, delivery) == "MeetingUnreadable"


async def test_a_meeting_that_cannot_be_read_for_a_moment_does_not(
    room: Sending, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room.graph, "patience_s", 0)
    monkeypatch.setattr(pace, "TRIES", 1_000)
    delivery = await scheduled(room, meeting)
    room.world.faults.unavailable = True
    await comes_due(room, delivery)
    await room.until(delivery, lambda now: now.tallies[0].problem == "GraphUnavailable")
    room.world.faults.unavailable = False
    await room.reaches(delivery, State.ACCEPTED)
    assert texts(room) == 1


async def test_a_token_that_is_rejected_while_reading_is_renewed_once(
    room: Sending, meeting: Meeting, graph: GraphStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = graph._caller, [1]

    def caller(authorization: str) -> Any:
        return real("Bearer revoked" if left and left.pop() else authorization)

    monkeypatch.setattr(graph, "_caller", caller)
    delivery = await scheduled(room, meeting)
    await comes_due(room, delivery)
    await room.reaches(delivery, State.ACCEPTED)
    assert not left


async def test_a_token_that_is_rejected_twice_while_reading_needs_its_owner(
    room: Sending, meeting: Meeting, graph: GraphStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = graph._caller
    monkeypatch.setattr(graph, "_caller", lambda _authorization: real("Bearer revoked"))
    delivery = await scheduled(room, meeting)
    await comes_due(room, delivery)
    await room.reaches(delivery, State.NEEDS_SIGN_IN)
    assert texts(room) == 0


async def test_its_owner_can_send_a_held_text_anyway(room: Sending, meeting: Meeting) -> None:
    delivery = await scheduled(room, meeting)
    meeting.start += timedelta(hours=1)
    await held(room, delivery)
    await room.ledger.send_now(delivery)
    room.worker.nudge()
    await room.reaches(delivery, State.ACCEPTED)
    assert texts(room) == 1


@pytest.mark.parametrize("first", ["429:none", "reset"])
async def test_what_its_owner_insists_on_is_not_held_again_after_a_first_try_in_vain(
    room: Sending, meeting: Meeting, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    monkeypatch.setattr(pace, "THROTTLED_S", 0.01)
    delivery = await scheduled(room, meeting)
    meeting.start += timedelta(hours=1)
    await held(room, delivery)
    if first == "reset":
        # Taken in hand by a process that then died.
        await room.worker.stop()
        await room.ledger.send_now(delivery)
        await room.queue.claim("gone", kind=delivery.kind, most=1, lease_ms=1)
        room.worker = room.new_worker()
        await room.worker.start()
    else:
        room.world.script[:] = [first]
        await room.ledger.send_now(delivery)
        room.worker.nudge()
    await room.reaches(delivery, State.ACCEPTED)
    assert texts(room) == 1


async def test_another_time_asks_the_meeting_again(room: Sending, meeting: Meeting) -> None:
    delivery = await scheduled(room, meeting)
    meeting.start += timedelta(hours=1)
    await held(room, delivery)
    assert await held(room, delivery) == "MeetingMoved"


async def test_an_occurrence_that_was_moved_far_is_not_called_cancelled(room: Sending) -> None:
    first = room.world.now().replace(minute=0, second=0, microsecond=0) + timedelta(days=2)
    series = new_series(room.world, room.world.named("Adele"), "Group", first, times=3)
    delivery = await scheduled(room, series[0])
    series[0].start += timedelta(days=2)
    series[0].end += timedelta(days=2)
    assert await held(room, delivery) == "MeetingGone"


@pytest.mark.parametrize("message_type", ["confirmation", "reschedule", "reminder"])
async def test_a_late_text_about_what_has_begun_is_held(
    room: Sending, meeting: Meeting, message_type: str
) -> None:
    late = {"begins_at": ahead(seconds=-1), "message_type": message_type}
    assert await held(room, await scheduled(room, meeting, **late)) == "AppointmentBegan"


async def test_what_is_to_begin_later_holds_nothing(room: Sending, meeting: Meeting) -> None:
    delivery = await scheduled(room, meeting, begins_at=ahead(hours=1))
    await comes_due(room, delivery)
    await room.reaches(delivery, State.ACCEPTED)


async def test_a_late_cancellation_leaves_all_the_same(room: Sending, meeting: Meeting) -> None:
    late = {"begins_at": ahead(hours=-1), "message_type": "cancellation"}
    delivery = await scheduled(room, meeting, **late)
    await comes_due(room, delivery)
    await room.reaches(delivery, State.ACCEPTED)


async def test_its_owner_can_send_a_late_text_anyway(room: Sending, meeting: Meeting) -> None:
    delivery = await scheduled(room, meeting, begins_at=ahead(seconds=-1))
    await held(room, delivery)
    await room.ledger.send_now(delivery)
    room.worker.nudge()
    await room.reaches(delivery, State.ACCEPTED)


async def test_send_now_of_what_is_only_scheduled_still_asks_the_meeting(
    room: Sending, meeting: Meeting
) -> None:
    delivery = await scheduled(room, meeting)
    meeting.is_cancelled = True
    await room.ledger.send_now(delivery)
    room.worker.nudge()
    now = await room.reaches(delivery, State.HELD)
    assert now.tallies[0].problem == "MeetingCancelled"
    assert texts(room) == 0


async def test_a_text_that_was_sent_at_once_reads_no_meeting(
    room: Sending, meeting: Meeting
) -> None:
    shown = seen(meeting, holds_until=ahead(minutes=5))
    meeting.is_cancelled = True
    await room.reaches(await room.text(promise=shown), State.ACCEPTED)
    assert [call.method for call in room.world.graph_calls] == ["POST"]


async def test_a_text_that_waited_for_long_asks_the_meeting(
    room: Sending, meeting: Meeting
) -> None:
    shown = seen(meeting, holds_until=ahead(seconds=-1))
    meeting.is_cancelled = True
    now = await room.reaches(await room.text(promise=shown), State.HELD)
    assert now.tallies[0].problem == "MeetingCancelled"


async def test_a_retry_asks_the_meeting_however_soon_it_comes(
    room: Sending, meeting: Meeting
) -> None:
    room.world.named("Adele").has_premium = False
    delivery = await room.text(promise=seen(meeting, holds_until=ahead(minutes=5)))
    refused = await room.reaches(delivery, State.REFUSED)
    room.world.named("Adele").has_premium = True
    meeting.start += timedelta(hours=1)
    assert await room.ledger.retry(delivery, seen_ms=refused.seen_ms)
    room.worker.nudge()
    now = await room.reaches(delivery, State.HELD)
    assert now.tallies[0].problem == "MeetingMoved"
    assert texts(room) == 0


async def test_a_text_that_waited_for_a_sign_in_asks_the_meeting(
    room: Sending, meeting: Meeting, graph: GraphStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as revoked:
        real = graph._caller
        revoked.setattr(graph, "_caller", lambda _authorization: real("Bearer revoked"))
        delivery = await room.text(promise=seen(meeting, holds_until=ahead(minutes=5)))
        await room.reaches(delivery, State.NEEDS_SIGN_IN)
    meeting.is_cancelled = True
    assert await room.ledger.wake(delivery.actor)
    room.worker.nudge()
    await room.reaches(delivery, State.HELD)


async def test_a_text_that_was_only_throttled_asks_no_meeting(
    room: Sending, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "THROTTLED_S", 0.01)
    room.world.script[:] = ["429:none"]
    delivery = await room.text(promise=seen(meeting, holds_until=ahead(minutes=5)))
    await room.reaches(delivery, State.ACCEPTED)
    assert [call.method for call in room.world.graph_calls] == ["POST", "POST"]
