"""A scheduled text leaves only when its meeting is still what its sender saw."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.delivery import pace
from bot.delivery.models import Delivery, State
from bot.delivery.recheck import promise
from sandbox.entra import Entra
from sandbox.graph import Graph as GraphStandIn
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


async def scheduled(room: Sending, meeting: Meeting, **call: Any) -> Delivery:
    """A text that is due in a moment, about the meeting as it is now."""
    seen = promise(join_link=meeting.join_url, starts_at=meeting.start, in_calendar=True)
    due_at_ms = room.queue.clock_ms() + 60_000
    return await room.text(due_at_ms=due_at_ms, promise=seen, **call)


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


async def test_a_text_that_was_sent_at_once_reads_no_meeting(
    room: Sending, meeting: Meeting
) -> None:
    meeting.is_cancelled = True
    await room.reaches(await room.text(), State.ACCEPTED)
    assert [call.method for call in room.world.graph_calls] == ["POST"]
