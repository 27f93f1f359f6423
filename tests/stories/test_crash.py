"""The process is killed between the record and the answer; what its owner finds afterwards."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from sandbox import actions
from sandbox.stage import Stage
from tests.desk import Desk
from tests.processes import Process, fork_app, kill_all

SMS = "sendVirtualAppointmentSms"
BULK = "sendActivityNotificationToRecipients"
Start = Callable[[], Awaitable[Process]]


@pytest.fixture
async def start(stage: Stage) -> AsyncIterator[Start]:
    """Start `app.py` as its own process; those that still live at the end are killed by id."""
    started: list[Process] = []

    async def begin() -> Process:
        started.append(await fork_app(stage.environment()))
        await started[-1].until("herald.listening")
        return started[-1]

    yield begin
    await kill_all(started)


def states(stage: Stage) -> list[str]:
    with sqlite3.connect(stage.state_dir / "herald.sqlite3") as database:
        rows = database.execute("SELECT state FROM batches ORDER BY id").fetchall()
    database.close()
    return [state for (state,) in rows]


async def reviewed_text(desk: Desk) -> None:
    await desk.teams.install(desk.person)
    await desk.say("text")
    meetings = desk.stage.world.meetings.values()
    meeting = next(m.join_url for m in meetings if m.organizer_id == desk.person.id)
    await desk.press("Review", meeting=meeting, phone_0="(206) 342-8631", phone_1="(425) 703-6214")


async def test_killed_while_a_text_is_on_the_wire_it_is_unknown_and_not_sent_again(
    stage: Stage, start: Start, at_desk: Callable[[str], Desk]
) -> None:
    process = await start()
    adele = at_desk("Adele")
    await reviewed_text(adele)
    stage.world.faults.hang = True
    pressed = asyncio.create_task(adele.press("text.send"))
    await stage.world.until(lambda: len(stage.world.phones) == 2)
    await process.kill()
    await pressed
    assert states(stage) == ["sending"]

    stage.world.faults.hang = False
    await start()
    await stage.world.until(
        lambda: "nobody can tell" in actions.text_of(adele.card).lower(), timeout_s=20
    )

    assert states(stage) == ["unknown"]
    assert all(len(texts) == 1 for texts in stage.world.phones.values())
    sent = [call for call in stage.world.graph_calls if call.path.endswith(SMS)]
    assert len(sent) == 1
    # The same button again, from a client that never got the answer: the same delivery.
    await adele.teams.settled()
    assert states(stage) == ["unknown"]


async def test_killed_between_the_record_and_the_post_the_text_goes_once_after_the_restart(
    stage: Stage, start: Start, at_desk: Callable[[str], Desk]
) -> None:
    process = await start()
    adele = at_desk("Adele")
    await reviewed_text(adele)
    stage.world.faults.throttled = True
    stage.world.faults.retry_after_s = 2
    await adele.press("text.send")
    await process.kill()
    assert states(stage) == ["queued"]

    stage.world.faults.throttled = False
    await start()
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1, timeout_s=20)
    await stage.world.until(lambda: "accepted" in actions.text_of(adele.card).lower(), timeout_s=20)
    assert states(stage) == ["accepted"]
    assert all(len(texts) == 1 for texts in stage.world.phones.values())


async def test_killed_while_a_notice_is_on_the_wire_it_goes_again_and_replaces(
    stage: Stage, start: Start, at_desk: Callable[[str], Desk]
) -> None:
    process = await start()
    lee = at_desk("Lee")
    await lee.teams.install(lee.person)
    await lee.say("notify")
    await lee.press("notice.choose_kind", activity_type="deploymentApprovalRequired")
    adele = stage.world.named("Adele")
    await lee.press("Review", param_deploymentId="7", preview="Please look.", recipients=adele.id)
    stage.world.faults.hang = True
    pressed = asyncio.create_task(lee.press("notice.send"))
    await stage.world.until(lambda: len(stage.world.feeds[adele.id]) == 1)
    await process.kill()
    await pressed

    stage.world.faults.hang = False
    await start()
    await stage.world.until(lambda: states(stage) == ["accepted"], timeout_s=20)

    [item] = stage.world.feeds[adele.id]
    assert item.replaced == 1
    chains = {c.body["chainId"] for c in stage.world.graph_calls if c.path.endswith(BULK)}
    assert len(chains) == 1


async def test_a_stop_finishes_what_is_on_the_wire(
    stage: Stage, start: Start, at_desk: Callable[[str], Desk]
) -> None:
    process = await start()
    adele = at_desk("Adele")
    await reviewed_text(adele)
    stage.world.faults.slow_s = 1.0
    await adele.press("text.send")
    await process.stop()
    assert states(stage) == ["accepted"]
    assert await process.ended() == 0
