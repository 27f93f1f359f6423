"""A delivery that takes another's place: the old one's buttons send nothing twice, no old words.

Buttons stay on old cards, in other tabs and in lists; what they do is decided by the ledger.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot.settings import Settings
from sandbox import actions
from sandbox.conversation import Message
from sandbox.stage import Stage
from sandbox.world import Person
from tests.desk import Desk
from tests.stories.test_decisions import BULK, SMS, sent_notice, sent_text
from tests.stories.test_schedules import later, scheduled

ONCE = {1}


@pytest.fixture
async def isaiah(herald: Settings, at_desk: Callable[[str], Desk]) -> Desk:
    """At his desk, with a text that was refused because he has no Premium; now he has it."""
    desk = at_desk("Isaiah")
    await desk.teams.install(desk.person)
    await sent_text(desk)
    desk.person.has_premium = True
    return desk


def crowd(stage: Stage, number: int) -> list[Person]:
    people = [
        Person(f"b{n:07d}-0000-4000-8000-{n:012d}", f"P {n}", f"p{n}@clinic.example", "", "UTC")
        for n in range(number)
    ]
    stage.world.people |= {person.id: person for person in people}
    return people


def addresses(people: list[Person]) -> str:
    return "\n".join(person.mail for person in people)


def texts_of_each(stage: Stage) -> set[int]:
    return {len(texts) for texts in stage.world.phones.values()}


def newest_words(stage: Stage, people: list[Person]) -> set[str]:
    feeds = [stage.world.feeds[person.id] for person in people]
    return {feed[-1].preview if feed else "" for feed in feeds}


async def press_old(desk: Desk, message: Message, card: dict[str, Any], verb: str) -> None:
    """A button of a card as it was shown before."""
    await desk.teams.press(desk.person, message.id, actions.button(card, verb), {})


async def test_what_went_to_each_separately_is_not_sent_again_by_the_old_card(
    isaiah: Desk, stage: Stage
) -> None:
    card, message = isaiah.card, isaiah.message()
    await press_old(isaiah, message, card, "delivery.separate")
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 2, timeout_s=30)
    await press_old(isaiah, message, card, "delivery.retry")
    await isaiah.teams.settled()
    assert texts_of_each(stage) == ONCE
    await stage.world.until(
        lambda: "Followed by" in actions.text_of(_shown(isaiah, message)), timeout_s=30
    )
    left = {button.get("title") for button in actions.buttons(_shown(isaiah, message))}
    assert not left & {"Retry what was refused", "Change and send again", "Send to each separately"}


async def test_of_separately_and_retry_at_the_same_moment_one_sends(
    isaiah: Desk, stage: Stage
) -> None:
    card, message = isaiah.card, isaiah.message()
    both = ("delivery.separate", "delivery.retry")
    await asyncio.gather(*(press_old(isaiah, message, card, verb) for verb in both))
    await stage.world.until(lambda: len(stage.world.phones) == 2, timeout_s=30)
    await isaiah.teams.settled()
    assert texts_of_each(stage) == ONCE


async def test_what_was_changed_and_sent_again_is_not_retried_in_its_old_words(
    isaiah: Desk, stage: Stage
) -> None:
    card, message = isaiah.card, isaiah.message()
    await isaiah.press("delivery.change")
    await isaiah.press("Review")
    await isaiah.press("text.send")
    await press_old(isaiah, message, card, "delivery.retry")
    await isaiah.teams.settled()
    assert texts_of_each(stage) == ONCE


async def test_a_change_of_what_was_retried_meanwhile_is_not_sent_and_says_why(
    isaiah: Desk, stage: Stage
) -> None:
    card, message = isaiah.card, isaiah.message()
    await isaiah.press("delivery.change")
    await isaiah.press("Review")
    review, shown = isaiah.message(), isaiah.card
    await press_old(isaiah, message, card, "delivery.retry")
    await stage.world.until(lambda: len(stage.world.phones) == 2, timeout_s=30)
    answer = await isaiah.teams.press(
        isaiah.person, review.id, actions.button(shown, "text.send"), {}
    )
    assert "sent again meanwhile" in str(answer.body) + isaiah.shown
    assert texts_of_each(stage) == ONCE


async def test_a_retry_of_a_corrected_notice_brings_no_old_words_back(
    adele: Desk, stage: Stage
) -> None:
    people = crowd(stage, 150)
    for person in people[100:]:
        person.has_app = False
    await sent_notice(adele, recipient_list=addresses(people))
    await stage.world.until(lambda: "in part" in adele.shown, timeout_s=30)
    card, message = adele.card, adele.message()
    for person in people[100:]:
        person.has_app = True
    await adele.press("delivery.correct")
    await adele.press("Review", preview="Corrected")
    await adele.press("notice.send")
    await stage.world.until(lambda: len(stage.world.accepted(BULK)) == 3, timeout_s=30)
    await press_old(adele, message, card, "delivery.retry")
    await adele.teams.settled()
    assert newest_words(stage, people) == {"Corrected"}
    assert len(stage.world.accepted(BULK)) == 3


async def test_what_waits_of_a_notice_does_not_overtake_its_correction(
    adele: Desk, stage: Stage
) -> None:
    people = crowd(stage, 150)
    stage.world.script += ["ok", "429:3"]
    await sent_notice(adele, recipient_list=addresses(people))
    await stage.world.until(
        lambda: not stage.world.script and adele.has_button("delivery.correct"), timeout_s=30
    )
    await adele.press("delivery.correct")
    await adele.press("Review", preview="Corrected")
    await adele.press("notice.send")
    await stage.world.until(lambda: newest_words(stage, people) == {"Corrected"}, timeout_s=30)
    await adele.teams.settled()
    await asyncio.sleep(0.2)
    assert newest_words(stage, people) == {"Corrected"}
    assert {len(stage.world.feeds[person.id]) for person in people} == ONCE


async def test_a_change_of_what_has_left_in_part_replaces_it_in_the_feeds(
    adele: Desk, stage: Stage
) -> None:
    people = crowd(stage, 300)
    await sent_notice(adele, recipient_list=addresses(people), **later(adele, hours=1))
    card, message = adele.card, adele.message()
    await adele.press("delivery.change")
    await adele.press("Review", when="now", preview="Changed")
    review, shown = adele.message(), adele.card
    stage.world.script += ["ok", "429:2"]
    await press_old(adele, message, card, "delivery.now")
    await stage.world.until(lambda: not stage.world.script, timeout_s=30)
    await press_old(adele, review, shown, "notice.send")
    await stage.world.until(lambda: len(stage.world.accepted(BULK)) >= 4, timeout_s=30)
    await adele.teams.settled()
    assert newest_words(stage, people) == {"Changed"}
    assert {len(stage.world.feeds[person.id]) for person in people} == ONCE


async def test_a_correction_is_for_those_it_was_not_cancelled_for(
    adele: Desk, stage: Stage
) -> None:
    people = crowd(stage, 150)
    stage.world.script += ["ok", "429:60"]
    await sent_notice(adele, recipient_list=addresses(people))
    await stage.world.until(lambda: "by itself" in adele.shown, timeout_s=30)
    await adele.press("delivery.cancel")
    await adele.press("delivery.correct")
    await adele.press("Review", preview="Corrected")
    assert "100 people" in adele.shown
    assert "150" not in adele.shown


async def test_a_scheduled_text_that_was_changed_is_over(adele: Desk, stage: Stage) -> None:
    await scheduled(adele)
    card, message = adele.card, adele.message()
    await adele.press("delivery.change")
    await adele.press("Review", when="now")
    await adele.press("text.send")
    for verb in ("delivery.now", "delivery.change"):
        await press_old(adele, message, card, verb)
    await adele.teams.settled()
    assert texts_of_each(stage) == ONCE


def _shown(desk: Desk, message: Message) -> dict[str, Any]:
    card = message.card(desk.person)
    assert card is not None
    return card
