"""A text that is changed and sent again goes to those who do not have it, and to nobody twice."""

from collections.abc import Callable

import pytest

from bot.settings import Settings
from sandbox import actions
from sandbox.stage import Stage
from tests.desk import Desk
from tests.stories.test_decisions import REDMOND, SEATTLE, sent_text

TO_SEATTLE = "+12063428631"


@pytest.fixture
async def isaiah(herald: Settings, at_desk: Callable[[str], Desk]) -> Desk:
    """At his desk, with a text that was refused because he has no Premium; now he has it."""
    desk = at_desk("Isaiah")
    await desk.teams.install(desk.person)
    await sent_text(desk)
    desk.person.has_premium = True
    return desk


async def texts_of_each(desk: Desk) -> dict[str, int]:
    await desk.teams.settled()
    return {number: len(texts) for number, texts in desk.stage.world.phones.items()}


@pytest.fixture
async def in_part(isaiah: Desk, stage: Stage) -> Desk:
    """It went to each separately: one has it, and of the other nobody can tell."""
    stage.world.script += ["ok", "500"]
    await isaiah.press("delivery.separate")
    await stage.world.until(lambda: "in part" in isaiah.shown, timeout_s=30)
    return isaiah


async def test_only_those_are_filled_in_who_do_not_have_it(in_part: Desk) -> None:
    await in_part.press("delivery.change")
    entered = {in_part.values().get(name, "") for name in ("phone_0", "phone_1")}
    assert entered in ({SEATTLE, ""}, {REDMOND, ""})
    await in_part.press("Review")
    await in_part.press("text.send")
    assert set((await texts_of_each(in_part)).values()) == {1}


async def test_the_review_says_who_may_have_it_already(in_part: Desk) -> None:
    await in_part.press("delivery.change")
    [entered] = [n for n in (SEATTLE, REDMOND) if n in in_part.values().values()]
    await in_part.press("Review")
    assert "may have the first text already" in in_part.shown
    assert f"ending in {entered[-4:]}." in in_part.shown
    await in_part.press("Change something")
    other = REDMOND if entered == SEATTLE else SEATTLE
    await in_part.press("Review", phone_0=other)
    assert f"ending in {other[-4:]}." in in_part.shown


async def test_what_was_refused_for_everybody_warns_of_nobody(isaiah: Desk) -> None:
    await isaiah.press("delivery.change")
    await isaiah.press("Review")
    assert "may have the first text" not in isaiah.shown


async def test_what_has_arrived_meanwhile_is_not_changed_by_an_old_button(
    isaiah: Desk, stage: Stage
) -> None:
    stage.world.script += ["500_after"]
    await isaiah.press("delivery.retry")
    await stage.world.until(lambda: isaiah.has_button("delivery.arrived"), timeout_s=30)
    old = actions.button(isaiah.card, "delivery.change")
    await isaiah.press("delivery.arrived")
    answer = await isaiah.teams.press(isaiah.person, isaiah.message().id, old, {})
    assert "no longer leads anywhere" in str(answer.body["value"])


async def test_the_rest_of_what_is_held_can_be_changed_after_some_have_it(
    isaiah: Desk, stage: Stage
) -> None:
    stage.world.script += ["ok", "429:2"]
    await isaiah.press("delivery.separate")
    await stage.world.until(lambda: len(stage.world.phones) == 1, timeout_s=30)
    for meeting in stage.world.meetings.values():
        meeting.is_cancelled = True
    await stage.world.until(lambda: isaiah.has_button("Send it anyway"), timeout_s=30)
    await isaiah.press("Change it")
    await isaiah.press("Review", message_type="cancellation")
    await isaiah.press("text.send")
    texts = await texts_of_each(isaiah)
    assert sorted(texts.values()) == [1, 1]
    assert TO_SEATTLE in texts
