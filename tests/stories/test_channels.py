"""Channels: commands by mention, a form for each, and a thread that names nobody."""

from collections.abc import Callable

import pytest

from bot.settings import Settings
from sandbox import actions
from sandbox.conversation import Conversation
from sandbox.stage import Stage
from sandbox.world import Team
from tests.desk import Desk, without_ids
from tests.recorded import recorded
from tests.stories.test_schedules import later
from tests.thread import Thread

SEATTLE = "(206) 342-8631"
SMS = "sendVirtualAppointmentSms"
NOTICE = "sendActivityNotificationToRecipients"


@pytest.fixture
def team(stage: Stage) -> Team:
    people = [who for who in stage.world.people.values() if not who.is_guest]
    return stage.teams.team("Care team", people, ("General", "Front desk"))


@pytest.fixture
def channel(stage: Stage, team: Team) -> Conversation:
    return stage.teams.channel(team, "Front desk")


@pytest.fixture
async def adele(herald: Settings, at_desk: Callable[[str], Desk], channel: Conversation) -> Thread:
    return await signed_in(at_desk("Adele"), channel)


@pytest.fixture
async def megan(herald: Settings, at_desk: Callable[[str], Desk], channel: Conversation) -> Thread:
    return await signed_in(at_desk("Megan"), channel)


async def signed_in(desk: Desk, place: Conversation) -> Thread:
    await desk.teams.install(desk.person)
    await desk.say("signin")
    return Thread(desk, place)


def meeting_of(desk: Desk) -> str:
    meetings = desk.stage.world.meetings.values()
    return next(m.join_url for m in meetings if m.organizer_id == desk.person.id)


async def test_a_command_is_answered_in_its_thread_with_a_button_to_a_dialog(
    adele: Thread,
) -> None:
    await adele.say("notify")
    root = adele.place.messages[-2].id
    assert adele.message().root_id == root
    assert "Input." not in str(adele.card)
    dialog = await adele.open()
    assert "preview" in dialog.values
    assert len(adele.messages) == 1


async def test_mentions_and_words_fill_the_form_in_for_the_one_who_asked(
    adele: Thread, megan: Thread, stage: Stage
) -> None:
    lee, diego = stage.world.named("Lee"), stage.world.named("Diego")
    await adele.say("notify @Lee @Diego The build is red", lee, diego)
    dialog = await adele.open()
    assert dialog.values["preview"] == "The build is red"
    assert set(dialog.values["recipients"].split(",")) == {lee.id, diego.id}
    assert "The build is red" not in adele.for_all
    assert lee.id not in adele.for_all
    # Whoever else presses the same button gets an empty form.
    hers = await megan.open(message=adele.message())
    assert hers.values["preview"] == ""
    assert hers.values["recipients"] == ""


async def test_the_recorded_mentions_are_understood(adele: Thread, stage: Stage) -> None:
    said = recorded(
        "channel-notify-mentions", stage, adele.person, adele.place, message__id="1700000000001"
    )
    answer = await stage.teams.send(said)
    assert answer.status == 200
    dialog = await adele.open()
    megan = stage.world.named("Megan")
    assert dialog.values["preview"] == "The build is red"
    assert megan.id in dialog.values["recipients"]


async def test_a_text_from_a_thread_leaves_no_number_and_no_name_there(
    adele: Thread, stage: Stage
) -> None:
    await adele.say("text")
    dialog = await adele.open()
    await dialog.press("Review", meeting=meeting_of(adele.desk), phone_0=SEATTLE)
    assert "8631" in dialog.shown
    await dialog.press("Send now to 1 person")
    assert "accepted" in dialog.shown.lower()
    await stage.world.until(lambda: len(adele.messages) == 2)
    await stage.world.until(lambda: "Accepted" in adele.shown)
    assert "by Adele Vance" in adele.shown
    assert "Appointment text" in adele.shown
    for private in ("8631", "342", "Follow-up visit", "Confirmation"):
        assert private not in without_ids(adele.for_all)
    assert adele.messages[-1].root_id == adele.messages[0].root_id
    assert len(stage.world.accepted(SMS)) == 1


async def test_the_dialog_ends_with_a_button_that_closes_it(adele: Thread, stage: Stage) -> None:
    await adele.say("text")
    dialog = await adele.open()
    await dialog.press("Review", meeting=meeting_of(adele.desk), phone_0=SEATTLE)
    await dialog.press("Send now to 1 person")
    assert "You can close this" in dialog.shown
    await dialog.press("Close")
    assert not dialog.is_open
    assert dialog.sentence == ""


async def test_a_notice_from_a_thread_is_counted_there_and_its_details_are_its_owners(
    adele: Thread, megan: Thread, stage: Stage
) -> None:
    lee, diego = stage.world.named("Lee"), stage.world.named("Diego")
    await adele.say("notify @Lee @Diego The build is red", lee, diego)
    dialog = await adele.open()
    kind = {"activity_type": dialog.values["activity_type"]}
    filled = {name: "Build 7" for name in dialog.values if name.startswith("param_")}
    await dialog.press("Review", **kind, **filled)
    await dialog.press("Send now to 2 people")
    await stage.world.until(lambda: "Accepted" in adele.shown)
    assert "2 people" in adele.shown
    assert "Lee Gu" not in adele.for_all
    assert "The build is red" not in adele.for_all
    mine = await adele.open("Show details")
    assert "Lee Gu" in mine.shown
    hers = await megan.open("Show details")
    assert not hers.is_open
    assert "Only the person who sent this" in hers.sentence


async def test_the_owner_sees_the_whole_card_in_place_and_others_do_not(
    adele: Thread, megan: Thread, stage: Stage
) -> None:
    await sent_text(adele)
    message_id = adele.message().id
    assert await stage.teams.refresh(megan.person, message_id) is None
    answer = await stage.teams.refresh(adele.person, message_id)
    assert answer is not None
    assert answer.problem == ""
    assert "8631" in adele.shown
    assert "8631" not in megan.shown
    assert "8631" not in without_ids(adele.for_all)


async def test_somebody_elses_refresh_shows_nothing(
    adele: Thread, megan: Thread, stage: Stage
) -> None:
    await sent_text(adele)
    message = adele.message()
    action = (message.card() or {})["refresh"]["action"]
    forged = recorded(
        "channel-card-refresh",
        stage,
        megan.person,
        megan.place,
        message__id=message.id,
        verb=action["verb"],
        data=action["data"],
    )
    answer = await stage.teams.send(forged)
    assert answer.status == 200
    assert "8631" not in str(answer.body)
    assert "Only the person who sent this" in answer.body["value"]


async def test_a_form_that_was_opened_twice_sends_each_of_its_own(
    adele: Thread, stage: Stage
) -> None:
    await adele.say("text")
    first, second = await adele.open(), await adele.open()
    for dialog, number in ((first, SEATTLE), (second, "(206) 342-8632")):
        await dialog.press("Review", meeting=meeting_of(adele.desk), phone_0=number)
        await dialog.press("Send now to 1 person")
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 2)
    assert len(stage.world.phones) == 2


async def test_a_second_press_of_send_sends_nothing_more(adele: Thread, stage: Stage) -> None:
    await adele.say("text")
    dialog = await adele.open()
    await dialog.press("Review", meeting=meeting_of(adele.desk), phone_0=SEATTLE)
    review = dialog.card
    await dialog.press("Send now to 1 person")
    dialog.card = review
    await dialog.press("Send now to 1 person")
    assert "sent before" in dialog.shown
    assert len(stage.world.accepted(SMS)) == 1


async def test_a_dialogs_form_of_somebody_else_is_refused_and_keeps_what_was_typed(
    adele: Thread, megan: Thread, stage: Stage
) -> None:
    await adele.say("text")
    mine = await adele.open()
    hers = await megan.open(message=adele.message())
    hers.card = mine.card
    await hers.press("Review", phone_0=SEATTLE)
    assert "somebody else" in hers.shown
    assert SEATTLE in hers.values.values()
    assert stage.world.accepted(SMS) == []


async def test_errors_stand_in_the_dialog_with_every_value_kept(adele: Thread) -> None:
    await adele.say("text")
    dialog = await adele.open()
    await dialog.press("Review", phone_0="12")
    assert dialog.is_open
    assert dialog.values["phone_0"] == "12"
    assert "valid" in dialog.shown or "number" in dialog.shown
    assert len(adele.messages) == 1


@pytest.mark.parametrize("word", ["history", "scheduled"])
async def test_lists_of_ones_own_open_for_each(
    adele: Thread, megan: Thread, stage: Stage, word: str
) -> None:
    await sent_text(adele)
    await adele.say(word)
    mine, hers = await adele.open(), await megan.open(message=adele.message())
    assert ("Follow-up visit" in mine.shown) is (word == "history")
    assert "Follow-up visit" not in hers.shown
    assert "Follow-up visit" not in adele.for_all


async def test_status_opens_for_its_owner_alone(adele: Thread, megan: Thread) -> None:
    await sent_text(adele)
    short_id = adele.shown.rpartition("Delivery ")[2].split()[0]
    await adele.say(f"status {short_id}")
    mine, hers = await adele.open(), await megan.open(message=adele.message())
    assert "8631" in mine.shown
    assert "8631" not in hers.shown


async def test_a_delivery_that_was_opened_from_a_list_leads_back_to_it(adele: Thread) -> None:
    await sent_text(adele)
    await adele.say("history")
    dialog = await adele.open()
    assert dialog.title == "What you sent"
    listed = dialog.shown
    await dialog.press("Open")
    assert dialog.title == "Delivery"
    assert "8631" in dialog.shown
    await dialog.press("Back to the list")
    assert (dialog.title, dialog.shown) == ("What you sent", listed)
    await dialog.press("Open")
    assert dialog.has_button("Back to the list")


async def test_what_is_done_to_a_delivery_of_a_list_keeps_the_way_back(adele: Thread) -> None:
    await adele.say("text")
    dialog = await adele.open()
    day = later(adele.desk, hours=1)
    await dialog.press("Review", meeting=meeting_of(adele.desk), phone_0=SEATTLE, **day)
    before = len(adele.cards)
    await dialog.press("Schedule for 1 person")
    assert dialog.title == "Appointment text"
    assert not dialog.has_button("Back to the list")
    # The thread's own card of it comes by itself, and no list may be taken for it.
    await adele.desk.stage.world.until(lambda: len(adele.cards) > before)
    await adele.say("scheduled")
    dialog = await adele.open()
    await dialog.press("Open")
    await dialog.press("Cancel it")
    assert "Nothing had left" in dialog.shown
    await dialog.press("Back to the list")
    assert dialog.title == "Scheduled and waiting"
    assert "Nothing of yours waits" in dialog.shown


async def test_whoami_is_told_to_oneself(adele: Thread, stage: Stage) -> None:
    await adele.say("whoami")
    assert adele.person.mail not in adele.for_all
    dialog = await adele.open()
    assert adele.person.mail in dialog.shown


async def test_help_in_a_channel_opens_dialogs_too(adele: Thread) -> None:
    await adele.say("help")
    dialog = await adele.open("Text an appointment")
    assert "message_type" in dialog.values


async def test_after_the_team_was_deleted_the_receipt_goes_to_the_owners_own_chat(
    adele: Thread, stage: Stage, team: Team
) -> None:
    await adele.say("text")
    dialog = await adele.open()
    await dialog.press("Review", meeting=meeting_of(adele.desk), phone_0=SEATTLE)
    stage.world.script += ["429:2"]
    await stage.teams.delete_team(adele.person, team)
    await dialog.press("Send now to 1 person")
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1, timeout_s=6)
    await stage.world.until(lambda: "accepted" in adele.desk.shown.lower(), timeout_s=8)
    refused = [call for call in stage.connector.calls if call.status == 404]
    assert len(refused) <= 3


async def test_a_card_whose_team_was_deleted_meanwhile_goes_on_in_the_owners_own_chat(
    adele: Thread, stage: Stage, team: Team
) -> None:
    await adele.say("text")
    dialog = await adele.open()
    await dialog.press("Review", meeting=meeting_of(adele.desk), phone_0=SEATTLE)
    stage.world.script += ["429:3"]
    await dialog.press("Send now to 1 person")
    await stage.world.until(lambda: len(adele.messages) == 2)
    await stage.teams.delete_team(adele.person, team)
    await stage.world.until(lambda: "accepted" in adele.desk.shown.lower(), timeout_s=9)
    assert "8631" in adele.desk.shown


async def test_from_another_tenant_nothing_opens(adele: Thread, stage: Stage) -> None:
    await adele.say("notify")
    button = actions.buttons(adele.card)[0]
    fetch = recorded(
        "channel-task-fetch",
        stage,
        adele.person,
        adele.place,
        message__id=adele.message().id,
        data=button["data"],
        tenant_id="99999999-9999-4999-8999-999999999999",
    )
    answer = await stage.teams.send(fetch)
    assert answer.status == 403


async def sent_text(thread: Thread) -> None:
    """One text, sent from the thread, with its receipt there."""
    before = len(thread.messages)
    await thread.say("text")
    dialog = await thread.open()
    await dialog.press("Review", meeting=meeting_of(thread.desk), phone_0=SEATTLE)
    await dialog.press("Send now to 1 person")
    world = thread.desk.stage.world
    await world.until(lambda: len(thread.messages) == before + 2)
    await world.until(lambda: "Accepted" in thread.shown)
