"""What the owner of a held text decides is not asked again, and the receipt knows of it."""

import pytest

from tests.conftest import Serve
from tests.desk import Desk
from tests.stories.test_schedules import (
    SMS,
    due_after_restart,
    later,
    meeting_of,
    with_scheduled,
)
from tests.stories.test_text_changes import MOVED, move

__all__ = ["with_scheduled"]


@pytest.fixture
async def held(with_scheduled: Desk, serve: Serve) -> Desk:
    """A text whose appointment was moved by an hour since it was scheduled."""
    move(meeting_of(with_scheduled), hours=1)
    await due_after_restart(with_scheduled, serve)
    assert "was moved meanwhile" in with_scheduled.shown
    return with_scheduled


async def test_sent_anyway_its_receipt_offers_no_text_about_the_move(
    held: Desk, serve: Serve
) -> None:
    world = held.stage.world
    async with serve():
        await held.press("Send it anyway")
        await world.until(lambda: len(world.accepted(SMS)) == 1)
        await held.press("Look again")
        assert "no longer right" not in held.shown
        assert not held.has_button(MOVED)

        move(meeting_of(held), hours=1)
        await held.press("Look again")
        assert held.has_button(MOVED)


async def test_another_time_is_a_decision_about_the_move(held: Desk, serve: Serve) -> None:
    async with serve():
        await held.press("delivery.change_time", **later(held, hours=2))
        assert "Scheduled" in held.shown
    await due_after_restart(held, serve)
    assert held.stage.world.accepted(SMS), held.shown


async def test_moved_once_more_it_is_asked_about_once_more(held: Desk, serve: Serve) -> None:
    async with serve():
        await held.press("delivery.change_time", **later(held, hours=2))
    move(meeting_of(held), hours=1)
    await due_after_restart(held, serve)
    assert "was moved meanwhile" in held.shown
    assert not held.stage.world.accepted(SMS)


async def test_another_time_for_a_cancelled_one_is_a_decision_too(
    with_scheduled: Desk,
    serve: Serve,
) -> None:
    desk = with_scheduled
    meeting_of(desk).is_cancelled = True
    await due_after_restart(desk, serve)
    assert "was cancelled meanwhile" in desk.shown
    async with serve():
        await desk.press("delivery.change_time", **later(desk, hours=2))
        assert "Scheduled" in desk.shown
    await due_after_restart(desk, serve)
    assert desk.stage.world.accepted(SMS), desk.shown
