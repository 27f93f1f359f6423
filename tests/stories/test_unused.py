"""What was filled in and does not count is said before anything is sent."""

from sandbox.stage import Stage
from tests.desk import Desk
from tests.stories.test_meetings import add_meeting
from tests.stories.test_schedules import later

SEATTLE = "(206) 342-8631"
TITLE = "Not all that you filled in is used"
TIME = "You filled in a day or a time, but “Now” is chosen."
LINK = "https://teams.microsoft.com/l/message/19:a@thread.v2/1"


async def test_a_day_and_a_time_beside_now_are_told_and_kept(adele: Desk, stage: Stage) -> None:
    meeting = add_meeting(stage, adele.person, 1)
    await adele.say("text")
    entered = later(adele, hours=3) | {"when": "now"}
    await adele.press("Review", join_link=meeting.join_url, phone_0=SEATTLE, **entered)
    assert TITLE in adele.shown
    assert TIME in adele.shown

    await adele.press("Change something")
    values = adele.values()
    assert {name: values[name] for name in entered} == entered

    await adele.press("Review", when="later")
    assert TITLE not in adele.shown
    assert "It leaves on" in adele.shown


async def test_a_chosen_appointment_beside_another_link_is_told_and_kept(
    adele: Desk, stage: Stage
) -> None:
    one, two = add_meeting(stage, adele.person, 1), add_meeting(stage, adele.person, 2)
    await adele.say("text")
    chosen = f"{one.join_url}#{one.start:%Y-%m-%dT%H:%M:%SZ}"
    await adele.press("Review", meeting=chosen, join_link=two.join_url, phone_0=SEATTLE)
    assert "Visit 2" in adele.shown
    assert "You chose an appointment from the list, too." in adele.shown

    await adele.press("Change something")
    assert (adele.values()["meeting"], adele.values()["join_link"]) == (chosen, two.join_url)


async def test_a_link_of_the_chosen_appointment_says_nothing_new(adele: Desk, stage: Stage) -> None:
    week = add_meeting(stage, adele.person, 1)
    await adele.say("text")
    chosen = f"{week.join_url}#{week.start:%Y-%m-%dT%H:%M:%SZ}"
    await adele.press("Review", meeting=chosen, join_link=week.join_url, phone_0=SEATTLE)
    assert "Visit 1" in adele.shown
    assert TITLE not in adele.shown


async def test_a_pasted_link_and_a_time_that_a_notice_does_not_use_are_told(
    adele: Desk, stage: Stage
) -> None:
    await adele.say("notify")
    await adele.press("notice.choose_kind", activity_type="systemDefault")
    entered = later(adele, hours=3) | {"when": "now", "topic": "chat", "topic_link": LINK}
    lee = stage.world.named("Lee").id
    words = {"param_systemDefaultText": "Room 4 is free", "preview": "Room 4", "recipients": lee}
    await adele.press("Review", **entered, **words)
    assert TITLE in adele.shown
    assert "You pasted a Teams link" in adele.shown
    assert TIME in adele.shown

    await adele.press("Change something")
    assert adele.values()["topic_link"] == LINK

    await adele.press("Review", topic="link", when="later")
    assert TITLE not in adele.shown
