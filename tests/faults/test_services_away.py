"""Entra, Graph, Teams and the disk go away for a while: what people see, and what becomes of it.

PostgreSQL's going, and a killed worker, are in `tests/stories/test_replicas.py`.
"""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.faults.conftest import Clinic, port_of

SMS = "sendVirtualAppointmentSms"


async def test_graph_is_gone_and_what_was_pressed_meanwhile_leaves_once_when_it_is_back(
    clinic: Clinic,
) -> None:
    stage = clinic.stage
    app = await clinic.open()
    await clinic.review()
    port = port_of(stage.graph.url)
    await stage.graph.stop()
    answer = await clinic.send()
    assert answer.ok
    await app.until("batch.not_accepted")
    assert "not reach" in clinic.adele.shown or "again" in clinic.adele.shown
    await clinic.adele.say("text")  # a form still opens, with a field in place of the list
    assert "phone_0" in clinic.adele.values()
    await stage.graph.start(port)
    await app.until("batch.accepted", timeout_s=60)
    assert len(stage.world.accepted(SMS)) == 1


async def test_entra_is_gone_and_who_is_signed_in_goes_on(clinic: Clinic) -> None:
    stage, adele = clinic.stage, clinic.adele
    await clinic.open()
    await clinic.review()
    stage.world.faults.entra_down = True
    await clinic.send()  # the token is at hand
    await clinic.accepts(1)
    await adele.say("signout")
    await adele.say("text")
    await stage.world.until(lambda: "did not answer" in adele.shown)
    stage.world.faults.entra_down = False
    await adele.say("text")
    await stage.world.until(lambda: "phone_0" in adele.values())
    await stage.entra.stop()  # nobody listens there at all
    await adele.press("Review", phone_0="(206) 342-8631", meeting=first_meeting(clinic))
    await adele.press("text.send")
    await clinic.accepts(2)


def first_meeting(clinic: Clinic) -> str:
    meetings = clinic.stage.world.meetings.values()
    return next(m.join_url for m in meetings if m.organizer_id == clinic.adele.person.id)


async def test_teams_cannot_be_reached_and_the_card_is_right_when_it_can_again(
    clinic: Clinic,
) -> None:
    stage, adele = clinic.stage, clinic.adele
    app = await clinic.open()
    await clinic.review()
    review = adele.card
    port = port_of(stage.connector.url)
    stage.world.faults.slow_s = 1.0  # its result comes after the press was answered
    await stage.connector.stop()
    assert await adele.teams.say(adele.person, "help") == 200  # heard, and nobody to tell
    assert (await clinic.press_again(review)).ok
    await app.until("batch.accepted", "turn.not_said", count=2, timeout_s=60)
    await stage.connector.start(stage.trust(), port)
    await stage.world.until(lambda: "accepted" in adele.shown.lower(), timeout_s=60)
    assert len(stage.world.phones["+12063428631"]) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="a full disk is made with prlimit")
async def test_a_full_disk_is_said_and_the_same_press_sends_when_there_is_room_again(
    clinic: Clinic,
) -> None:
    import resource

    stage, adele = clinic.stage, clinic.adele
    app = await clinic.open()
    await clinic.review()
    review = adele.card
    soft, hard = resource.prlimit(app.id, resource.RLIMIT_FSIZE)
    database = stage.state_dir / "herald.sqlite3"
    resource.prlimit(app.id, resource.RLIMIT_FSIZE, (smallest(database), hard))
    answer = await clinic.press_again(review)
    assert answer.ok
    assert "could not write this down, so nothing was sent" in str(answer.body)
    assert adele.card == review
    assert stage.world.accepted(SMS) == []
    assert await adele.teams.say(adele.person, "help") == 200  # it needs no disk
    resource.prlimit(app.id, resource.RLIMIT_FSIZE, (soft, hard))
    await clinic.press_again(review)
    await clinic.accepts(1)
    await app.stop()
    assert await app.ended() == 0


def smallest(database: Path) -> int:
    """Room for nothing: less than what any of the database's files has already."""
    return min(os.path.getsize(f"{database}{end}") for end in ("", "-wal")) // 4096 * 4096


@pytest.mark.parametrize("minutes", [-5, 5])
async def test_clocks_that_differ_by_five_minutes_change_nothing(
    clinic: Clinic, minutes: int
) -> None:
    # Microsoft's clock: Entra's and Graph's, and the one by which Teams signs its calls.
    stage, adele = clinic.stage, clinic.adele
    stage.world.now = lambda: datetime.now(UTC) + timedelta(minutes=minutes)
    stage.connector.channel.ahead_s = minutes * 60 - (5 if minutes > 0 else -5)
    await clinic.open()
    await clinic.review()
    await clinic.send()
    await clinic.accepts(1)
    await adele.say("notify")
    assert "activity_type" in adele.values()
