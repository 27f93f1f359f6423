"""What goes wrong with a text: what its sender reads, and that nothing is sent or lost."""

from collections.abc import Callable
from typing import Any

import pytest

from bot.settings import Settings
from sandbox import actions
from sandbox.stage import Stage
from tests.desk import Desk

SEATTLE = "(206) 342-8631"
REDMOND = "(425) 703-6214"
SMS = "sendVirtualAppointmentSms"


def meeting_of(desk: Desk, owner: str = "") -> str:
    person = desk.stage.world.named(owner) if owner else desk.person
    meetings = desk.stage.world.meetings.values()
    return next(m.join_url for m in meetings if m.organizer_id == person.id)


async def reviewed(desk: Desk, **changed: str) -> None:
    await desk.say("text")
    values = {"meeting": meeting_of(desk), "phone_0": SEATTLE, "phone_1": REDMOND}
    await desk.press("Review", **{**values, **changed})


async def test_the_documented_number_with_nine_digits_is_refused_under_its_field(
    adele: Desk, stage: Stage
) -> None:
    await reviewed(adele, phone_1="+1242421412", attendee_list="")
    assert "too few digits" in adele.shown
    values = adele.values()
    assert values["phone_0"] == SEATTLE
    assert values["phone_1"] == "+1242421412"
    assert values["meeting"].partition("#")[0] == meeting_of(adele)
    assert stage.world.accepted(SMS) == []


async def test_a_canadian_number_is_refused_with_its_country(adele: Desk) -> None:
    await reviewed(adele, phone_1="+1 416 967 1111")
    assert "Canada" in adele.shown


async def test_a_pasted_link_of_somebody_elses_meeting_is_refused(adele: Desk) -> None:
    await reviewed(adele, meeting="", join_link=meeting_of(adele, "Megan"))
    assert "organizer" in adele.shown
    assert adele.values()["phone_0"] == SEATTLE


async def test_an_added_row_keeps_what_was_entered(adele: Desk) -> None:
    await adele.say("text")
    await adele.press("text.add_attendee", phone_0=SEATTLE, phone_1="206")
    values = adele.values()
    assert values["phone_0"] == SEATTLE
    assert values["phone_1"] == "206"
    assert "phone_2" in values


async def test_back_from_the_review_everything_is_still_there(adele: Desk) -> None:
    await reviewed(adele, message_type="reschedule", language="es-US")
    await adele.press("text.edit")
    values = adele.values()
    assert values["message_type"] == "reschedule"
    assert values["language"] == "es-US"
    assert values["phone_1"] == REDMOND
    assert values["meeting"].partition("#")[0] == meeting_of(adele)


async def test_a_double_click_sends_once(adele: Desk, stage: Stage) -> None:
    await reviewed(adele)
    card, message = adele.card, adele.message()
    button = actions.button(card, "text.send")
    first = await adele.teams.press(adele.person, message.id, button, {})
    second = await adele.teams.press(adele.person, message.id, button, {})
    assert first.ok
    assert second.ok
    assert len(stage.world.accepted(SMS)) == 1
    assert all(len(texts) == 1 for texts in stage.world.phones.values())


async def test_an_organizer_without_premium_reads_what_is_missing(
    herald: Settings, at_desk: Callable[[str], Desk], stage: Stage
) -> None:
    isaiah = at_desk("Isaiah")
    await isaiah.teams.install(isaiah.person)
    await reviewed(isaiah)
    await isaiah.press("text.send")
    assert "Premium" in isaiah.shown
    assert stage.world.phones == {}

    isaiah.person.has_premium = True
    await isaiah.press("delivery.change")
    assert isaiah.values()["phone_0"] == SEATTLE
    await isaiah.press("Review")
    await isaiah.press("text.send")
    assert len(stage.world.accepted(SMS)) == 1


async def test_while_graph_throttles_the_text_waits_and_then_goes_once(
    adele: Desk, stage: Stage
) -> None:
    await reviewed(adele)
    stage.world.faults.throttled = True
    stage.world.faults.retry_after_s = 1
    await adele.press("text.send")
    assert "by itself" in adele.shown
    stage.world.faults.throttled = False
    await stage.world.until(lambda: "accepted" in actions.text_of(adele.card).lower())
    assert len(stage.world.accepted(SMS)) == 1


async def test_a_text_whose_answer_never_came_is_unknown_and_not_sent_again(
    adele: Desk, stage: Stage
) -> None:
    await reviewed(adele)
    stage.world.script.append("reset_after")
    await adele.press("text.send")
    assert "nobody can tell" in adele.shown.lower()
    assert len(stage.world.phones) == 2
    assert len([c for c in stage.world.graph_calls if c.path.endswith(SMS)]) == 1


async def test_a_server_error_leaves_a_text_unknown(adele: Desk, stage: Stage) -> None:
    await reviewed(adele)
    stage.world.script.append("500")
    await adele.press("text.send")
    assert "nobody can tell" in adele.shown.lower()


async def test_when_graph_cannot_be_reached_the_text_waits_and_then_goes(
    adele: Desk, stage: Stage
) -> None:
    await reviewed(adele)
    port = int(stage.graph.url.rpartition(":")[2])
    await stage.graph.stop()
    await adele.press("text.send")
    assert "by itself" in adele.shown
    await stage.graph.start(port=port)
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1)


async def test_a_calendar_that_cannot_be_read_becomes_a_plain_input_and_a_sentence(
    adele: Desk, stage: Stage
) -> None:
    stage.world.named("Adele").consents -= {"Calendars.Read"}
    await adele.say("text")
    assert "join link" in adele.shown
    assert "calendar" in adele.shown


HOSTILE: dict[str, dict[str, Any]] = {
    "emoji for a number": {"phone_0": "📞📞📞"},
    "right to left": {"phone_0": "\u202e1368-243 (602)"},
    "markdown that tries to become a link": {"phone_0": "[call](https://evil.example)"},
    "a list for a text": {"phone_0": ["a"]},
    "an object for a text": {"meeting": {"a": 1}},
    "null for a text": {"phone_0": None},
    "a number for a number": {"phone_0": 206},
    "a boolean": {"phone_0": True},
    "another row count": {"rows": "9999"},
    "a script in the link": {"join_link": "javascript:alert(1)"},
}


@pytest.mark.parametrize("changed", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_values_never_break_the_form(
    adele: Desk, stage: Stage, changed: dict[str, Any]
) -> None:
    await adele.say("text")
    answer = await adele.press("Review", **{"meeting": meeting_of(adele), **changed})
    assert answer.ok
    assert stage.world.accepted(SMS) == []
    drawn = [part for part in actions.elements(adele.card) if part["type"] == "TextBlock"]
    assert not any("](https" in part["text"] for part in drawn)


async def test_ten_thousand_pasted_numbers_get_one_sentence_and_the_form_stays(
    adele: Desk, stage: Stage
) -> None:
    await adele.say("text")
    before = adele.card
    answer = await adele.press(
        "Review", meeting=meeting_of(adele), attendee_list="\n".join(["(206) 342-8631"] * 10_000)
    )
    assert answer.ok
    assert "shorten" in answer.body["value"]
    assert adele.card == before
    assert stage.world.accepted(SMS) == []


async def test_sixty_pasted_numbers_are_counted(adele: Desk) -> None:
    await adele.say("text")
    await adele.press(
        "Review", meeting=meeting_of(adele), attendee_list="\n".join(["(206) 342-8631"] * 60)
    )
    assert "60 lines" in adele.shown
    assert adele.values()["attendee_list"].count("8631") == 60


async def test_another_persons_form_cannot_be_submitted(
    adele: Desk, at_desk: Callable[[str], Desk], stage: Stage
) -> None:
    await reviewed(adele)
    stolen = actions.button(adele.card, "text.send")
    megan = at_desk("Megan")
    await megan.teams.install(megan.person)
    await megan.say("text")
    answer = await megan.teams.press(megan.person, megan.message().id, stolen, {})
    assert "somebody else" in answer.body["value"]
    assert stage.world.accepted(SMS) == []


@pytest.mark.parametrize(
    "data",
    [
        {"verb": "text.send", "form_id": "text.abc.def"},
        {"verb": "text.send", "form_id": "notice.abc.def"},
        {"verb": "text.send"},
        {"verb": "text.send", "form_id": {"a": 1}},
        {"verb": "delivery.look", "delivery_id": "0" * 32},
        {"verb": "from.an.old.version"},
        {"verb": ["list"]},
        {},
    ],
    ids=str,
)
async def test_a_button_that_leads_nowhere_says_so(
    adele: Desk, stage: Stage, data: dict[str, Any]
) -> None:
    await adele.say("text")
    action = {"type": "Action.Execute", "verb": data.get("verb"), "data": data}
    answer = await adele.teams.press(adele.person, adele.message().id, action, {})
    assert answer.status == 200
    said = answer.body["value"]
    said = said if isinstance(said, str) else actions.text_of(said)  # with today's buttons
    assert "no longer leads anywhere" in said or "somebody else" in said
    assert stage.world.accepted(SMS) == []


async def test_clients_without_universal_actions_get_the_same(adele: Desk, stage: Stage) -> None:
    adele.teams.universal_actions = False
    await reviewed(adele)
    assert SEATTLE in adele.shown
    await adele.press("text.send")
    assert "accepted" in adele.shown.lower()
    assert len(stage.world.accepted(SMS)) == 1


async def test_tokens_that_are_too_short_for_bulk_do_not_stop_a_text(
    adele: Desk, stage: Stage
) -> None:
    stage.world.faults.short_tokens = True
    await reviewed(adele)
    await adele.press("text.send")
    assert len(stage.world.accepted(SMS)) == 1
