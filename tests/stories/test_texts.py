"""An appointment text, from the command to the patients' phones."""

from sandbox.stage import Stage
from tests.desk import Desk

SEATTLE = "(206) 342-8631"
REDMOND = "(425) 703-6214"
SMS = "sendVirtualAppointmentSms"


def first_meeting(desk: Desk) -> str:
    meetings = desk.stage.world.meetings.values()
    return next(m.join_url for m in meetings if m.organizer_id == desk.person.id)


async def test_the_same_text_a_minute_later_is_told_and_can_still_be_sent(
    adele: Desk, stage: Stage
) -> None:
    for times in (1, 2):
        await adele.say("text")
        await adele.press("Review", meeting=first_meeting(adele), phone_0=SEATTLE)
        said = "You sent this to the number ending in 8631" in adele.shown
        assert said == (times == 2), adele.shown
        await adele.press("text.send")
        assert len(stage.world.accepted(SMS)) == times
    await adele.say("text")
    await adele.press(
        "Review", meeting=first_meeting(adele), phone_0=SEATTLE, message_type="reminder"
    )
    assert "You sent this" not in adele.shown


async def test_a_confirmation_reaches_both_phones_and_the_receipt_says_accepted(
    adele: Desk, stage: Stage
) -> None:
    await adele.say("text")
    await adele.press("Review", meeting=first_meeting(adele), phone_0=SEATTLE, phone_1=REDMOND)
    assert SEATTLE in adele.shown
    assert stage.world.phones == {}

    await adele.press("text.send")

    assert set(stage.world.phones) == {"+12063428631", "+14257036214"}
    assert "accepted" in adele.shown.lower()
    assert "8631" in adele.shown
    assert SEATTLE not in adele.shown
    [call] = stage.world.accepted(SMS)
    assert call.body["messageType"] == "confirmation"
    assert call.body["attendees"][0]["timeZone"] == "Pacific Standard Time"
