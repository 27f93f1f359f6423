"""A review after more than a token's life: the sign-in is renewed, and nothing typed is lost."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from bot.settings import Settings
from bot.teams import answers
from sandbox.conversation import Conversation
from sandbox.stage import Stage
from tests.desk import Desk
from tests.thread import Thread

SEATTLE = "(206) 342-8631"


@pytest.fixture
async def adele(
    herald: Settings, at_desk: Callable[[str], Desk], stage: Stage
) -> AsyncIterator[Desk]:
    """Adele, whose tokens end when she has them, with a Microsoft that takes half a second."""
    desk = at_desk("Adele")
    stage.entra.token_life_s = 30
    await desk.teams.install(desk.person)
    await desk.say("signin")
    yield desk
    stage.world.delays.seconds = 0.0


@pytest.fixture
def group(stage: Stage) -> Conversation:
    return stage.teams.group("Ward", [stage.world.named(name) for name in ("Adele", "Megan")])


def slow(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.entra.token_life_s = 75 * 60
    stage.world.delays.seconds = 0.5
    monkeypatch.setattr(answers, "WITHIN_S", 0.8)


def meeting_of(desk: Desk) -> str:
    meetings = desk.stage.world.meetings.values()
    return next(m.join_url for m in meetings if m.organizer_id == desk.person.id)


async def test_in_a_chat_the_review_comes_in_place_of_the_form(
    adele: Desk, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await adele.say("text")
    form = adele.message()
    values = {"meeting": meeting_of(adele), "phone_0": SEATTLE}
    slow(stage, monkeypatch)
    answer = await adele.press("Review", **values)
    assert "in place of this form" in str(answer.body)
    await stage.world.until(lambda: adele.has_button("text.send"))
    assert adele.message() == form


async def test_in_a_dialog_the_form_says_so_and_the_next_press_has_the_review(
    adele: Desk, stage: Stage, group: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = Thread(adele, group)
    await thread.say("text")
    dialog = await thread.open()
    slow(stage, monkeypatch)
    await dialog.press("Review", meeting=meeting_of(adele), phone_0=SEATTLE)
    assert "Your sign-in was renewed" in dialog.shown
    assert dialog.values["phone_0"] == SEATTLE
    await asyncio.sleep(1)  # the form's own calendar
    await dialog.press("Review", meeting=meeting_of(adele))
    assert "Your sign-in was renewed" not in dialog.shown
    assert dialog.has_button("Send now to 1 person")


async def test_in_a_dialog_a_notice_keeps_its_people_and_is_reviewed_at_the_next_press(
    adele: Desk, stage: Stage, group: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread = Thread(adele, group)
    await thread.say("notify Soon")
    dialog = await thread.open()
    megan = stage.world.named("Megan").id
    slow(stage, monkeypatch)
    await dialog.press("Review", param_pendingRequestCount="3", recipients=megan)
    assert "Your sign-in was renewed" in dialog.shown
    assert (dialog.values["recipients"], dialog.values["preview"]) == (megan, "Soon")
    await dialog.press("Review")
    assert dialog.has_button("Send now to 1 person")
