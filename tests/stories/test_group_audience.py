"""Notices for everyone in a chat, a channel or a team: by name, and at once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.notifications import audience as audiences
from bot.settings import Settings
from sandbox import actions
from sandbox.conversation import Conversation
from sandbox.stage import Stage
from sandbox.world import Person, Team
from tests.desk import Desk
from tests.thread import TaskDialog, Thread

BULK = "sendActivityNotificationToRecipients"
AT_ONCE = "sendActivityNotification"
SAID = {"param_deploymentId": "7", "preview": "Please look."}


@pytest.fixture
def team(stage: Stage) -> Team:
    names = ("Adele", "Megan", "Lee", "Diego", "Grady")
    people = [stage.world.named(name) for name in names]
    return stage.teams.team("Care team", people, ("General", "Front desk"))


@pytest.fixture
def channel(stage: Stage, team: Team) -> Conversation:
    return stage.teams.channel(team, "Front desk")


@pytest.fixture
def group(stage: Stage) -> Conversation:
    people = [stage.world.named(name) for name in ("Adele", "Megan", "Lee")]
    return stage.teams.group("Morning round", people)


@pytest.fixture
async def adele(herald: Settings, at_desk: Callable[[str], Desk], channel: Conversation) -> Thread:
    return await signed_in(at_desk("Adele"), channel)


@pytest.fixture
async def in_chat(herald: Settings, at_desk: Callable[[str], Desk], group: Conversation) -> Thread:
    return await signed_in(at_desk("Adele"), group)


async def signed_in(desk: Desk, place: Conversation) -> Thread:
    await desk.teams.install(desk.person)
    await desk.say("signin")
    return Thread(desk, place)


async def form(thread: Thread) -> TaskDialog:
    await thread.say("notify")
    dialog = await thread.open()
    await press(dialog, "notice.choose_kind", activity_type="deploymentApprovalRequired")
    return dialog


async def reviewed(thread: Thread, **chosen: str) -> TaskDialog:
    dialog = await form(thread)
    await review(dialog, **chosen)
    return dialog


async def review(dialog: TaskDialog, **chosen: str) -> None:
    """A long roster may take more than one press: each goes on where the last ended."""
    for _ in range(20):
        await dialog.press("Review", **SAID, **chosen)
        if "once more" not in dialog.shown:
            return
    raise AssertionError("never gets to the review")


def has(dialog: TaskDialog, verb: str) -> bool:
    return any(button["data"]["verb"] == verb for button in actions.buttons(dialog.card))


async def press(dialog: TaskDialog, verb: str, **entered: str) -> None:
    """Press a button by what it does: in a dialog it has no verb of its own."""
    known = actions.buttons(dialog.card)
    title = next(button["title"] for button in known if button["data"]["verb"] == verb)
    await dialog.press(title, **entered)


def reached(stage: Stage) -> set[str]:
    world = stage.world
    return {world.person(key).name.split()[0] for key, feed in world.feeds.items() if feed}


def notified(stage: Stage) -> list[str]:
    calls = stage.world.accepted(BULK)
    return [who["userId"] for call in calls for who in call.body["recipients"]]


def crowd(stage: Stage, number: int) -> list[Person]:
    people = [
        Person(f"b{n:07d}-0000-4000-8000-{n:012d}", f"Person {n}", f"p{n}@x.example", "", "UTC")
        for n in range(number)
    ]
    stage.world.people |= {person.id: person for person in people}
    return people


# Offered ------------------------------------------------------------------------------------------


async def test_a_form_offers_the_groups_of_the_place_where_it_stands(
    adele: Thread, stage: Stage
) -> None:
    dialog = await form(adele)
    [entry] = [part for part in actions.elements(dialog.card) if part.get("id") == "audience"]
    titles = [choice["title"] for choice in entry["choices"]]
    assert titles[0] == "Only the people below"
    assert "Everyone in Care team" in titles
    assert any("this channel" in title for title in titles)
    assert "by name up to 2,000 members, at once beyond" in dialog.shown
    assert "way" not in dialog.values

    await adele.desk.say("notify")
    assert "audience" not in adele.desk.values()


async def test_what_is_not_offered_there_cannot_be_chosen(adele: Thread, stage: Stage) -> None:
    await adele.desk.say("notify")
    await adele.desk.press("notice.choose_kind", activity_type="deploymentApprovalRequired")
    await adele.desk.press("Review", **SAID, audience="team", way="each")
    assert not adele.desk.has_button("notice.send")
    assert adele.desk.values()["preview"] == "Please look."


# By name ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["team", "channel"])
async def test_members_get_it_by_name_without_the_sender_and_guests_who_are_named(
    adele: Thread, stage: Stage, kind: str
) -> None:
    dialog = await reviewed(adele, audience=kind)
    assert "Goes to 3 people" in dialog.shown
    assert "Grady Archie" in dialog.shown.split("Left out")[1]
    assert "You: nobody can send" in dialog.shown
    assert "who has Herald installed" in dialog.shown
    await press(dialog, "notice.send")
    assert set(notified(stage)) == {stage.world.named(n).id for n in ("Megan", "Lee", "Diego")}
    assert reached(stage) == {"Megan", "Lee", "Diego"}


async def test_members_of_a_group_chat_get_it_by_name(in_chat: Thread, stage: Stage) -> None:
    dialog = await reviewed(in_chat, audience="chat")
    assert "Megan Bowen, Lee Gu" in dialog.shown
    await press(dialog, "notice.send")
    assert reached(stage) == {"Megan", "Lee"}


async def test_people_beside_the_members_get_one_notice_each(adele: Thread, stage: Stage) -> None:
    megan, isaiah = stage.world.named("Megan"), stage.world.named("Isaiah")
    dialog = await reviewed(adele, audience="team", recipients=f"{megan.id},{isaiah.id}")
    assert "Goes to 4 people" in dialog.shown
    assert "named twice" in dialog.shown
    await press(dialog, "notice.send")
    assert len(notified(stage)) == len(set(notified(stage))) == 4


async def test_who_joins_after_the_review_is_not_part_of_it(
    adele: Thread, stage: Stage, team: Team
) -> None:
    dialog = await reviewed(adele, audience="team")
    team.member_ids.append(stage.world.named("Isaiah").id)
    await press(dialog, "notice.send")
    assert reached(stage) == {"Megan", "Lee", "Diego"}


async def test_bots_people_without_accounts_and_of_other_tenants_are_left_out(
    adele: Thread, stage: Stage, team: Team
) -> None:
    stage.teams.channel(team, "General")
    lee = stage.world.named("Lee")
    lee.tenant_id = "0c0ffee0-0000-4000-8000-000000000001"
    extra = [
        {"id": "28:another-bot", "name": "Another bot"},
        {"id": "29:nobody", "name": "Anonymous", "userRole": "anonymous", "tenantId": ""},
    ]
    stage.teams.conversations[team.thread_id].strangers = extra
    dialog = await reviewed(adele, audience="team")
    assert "Goes to 2 people" in dialog.shown
    left_out = dialog.shown.split("Left out")[1]
    assert "other organizations (Lee Gu)" in left_out
    assert "without an account" in left_out
    assert "Apps get no notices" in left_out


@pytest.mark.parametrize("page_size", [50, 500])
async def test_all_pages_of_a_roster_are_read(
    adele: Thread, stage: Stage, team: Team, page_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.teams.connector._PAGE_SIZE", page_size)
    team.member_ids.extend(person.id for person in crowd(stage, 730))
    stage.world.limits_enforced = False
    dialog = await reviewed(adele, audience="team", way="each")
    assert "Goes to 733 people" in dialog.shown
    await press(dialog, "notice.send")
    await stage.world.until(lambda: len(notified(stage)) == 733, timeout_s=20)
    assert len(stage.world.accepted(BULK)) == 8


async def test_ten_thousand_members_are_reviewed_by_name_when_that_is_chosen(
    adele: Thread, stage: Stage, team: Team
) -> None:
    team.member_ids.extend(person.id for person in crowd(stage, 10_000))
    dialog = await reviewed(adele, audience="team", way="each")
    assert "10,003 people" in dialog.shown
    assert "50 seconds" in dialog.shown
    assert has(dialog, "notice.send")


async def test_who_was_notified_is_kept_when_it_is_corrected(
    adele: Thread, stage: Stage, team: Team
) -> None:
    dialog = await reviewed(adele, audience="team")
    await press(dialog, "notice.send")
    team.member_ids.append(stage.world.named("Isaiah").id)
    await press(dialog, "delivery.correct")
    assert "The 3 people as before" in str(dialog.card)
    await dialog.press("Review", preview="Please look now.")
    assert "Goes to 3 people" in dialog.shown
    await press(dialog, "notice.send")
    assert reached(stage) == {"Megan", "Lee", "Diego"}
    [item] = stage.world.feeds[stage.world.named("Lee").id]
    assert (item.preview, item.replaced) == ("Please look now.", 1)


# At once ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["team", "channel"])
async def test_a_whole_team_or_channel_is_reached_in_one_request(
    adele: Thread, stage: Stage, team: Team, channel: Conversation, kind: str
) -> None:
    dialog = await reviewed(adele, audience=kind, way="at_once")
    assert "everyone in" in dialog.shown
    assert "people" not in dialog.shown.split("Goes to")[1].split("\n")[0]
    assert "no counts or names" in dialog.shown
    await press(dialog, "notice.send")
    [call] = stage.world.accepted(AT_ONCE)
    assert call.path == f"/v1.0/teams/{team.id}/{AT_ONCE}"
    assert call.status == 204
    recipient = call.body["recipient"]
    assert recipient["teamId"] == team.id
    assert recipient.get("channelId") == (channel.id if kind == "channel" else None)
    assert reached(stage) == {"Megan", "Lee", "Diego"}
    assert "everyone in" in dialog.shown
    assert "1 person" not in dialog.shown


async def test_a_whole_chat_is_reached_in_one_request(
    in_chat: Thread, stage: Stage, group: Conversation
) -> None:
    dialog = await reviewed(in_chat, audience="chat", way="at_once")
    await press(dialog, "notice.send")
    [call] = stage.world.accepted(AT_ONCE)
    assert call.path == f"/v1.0/chats/{group.id}/{AT_ONCE}"
    assert call.body["recipient"]["chatId"] == group.id
    assert reached(stage) == {"Megan", "Lee"}
    await in_chat.desk.say("history")
    assert "everyone in the chat it was sent from" in in_chat.desk.shown


async def test_beyond_a_size_a_team_is_reached_at_once_unless_chosen_otherwise(
    adele: Thread, stage: Stage, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audiences, "BY_NAME_UP_TO", 3)
    dialog = await reviewed(adele, audience="team")
    assert "everyone in Care team" in dialog.shown
    monkeypatch.setattr(audiences, "MOST_AT_ONCE", 4)
    dialog = await reviewed(adele, audience="team")
    assert "Goes to 3 people" in dialog.shown


async def test_others_cannot_stand_beside_a_whole_team_at_once(adele: Thread, stage: Stage) -> None:
    isaiah = stage.world.named("Isaiah").id
    dialog = await reviewed(adele, audience="team", way="at_once", recipients=isaiah)
    assert "can't have other people beside it" in dialog.shown
    assert dialog.values["recipients"] == isaiah


async def test_a_correction_of_a_whole_team_replaces_by_the_same_chain(
    adele: Thread, stage: Stage
) -> None:
    dialog = await reviewed(adele, audience="team", way="at_once")
    await press(dialog, "notice.send")
    await press(dialog, "delivery.correct")
    assert dialog.values["audience"] == "team"
    await dialog.press("Review", preview="Please look now.")
    await press(dialog, "notice.send")
    first, second = stage.world.accepted(AT_ONCE)
    assert first.body["chainId"] == second.body["chainId"]
    [item] = stage.world.feeds[stage.world.named("Lee").id]
    assert (item.preview, item.replaced) == ("Please look now.", 1)


async def test_a_whole_team_can_be_corrected_from_ones_own_chat(
    adele: Thread, stage: Stage
) -> None:
    dialog = await reviewed(adele, audience="team", way="at_once")
    await press(dialog, "notice.send")
    [found] = stage.world.accepted(AT_ONCE)
    await adele.desk.say("history")
    await adele.desk.press("Open")
    await adele.desk.press("delivery.correct")
    assert adele.desk.values()["audience"] == "team"
    await adele.desk.press("Review", preview="Please look now.")
    assert "everyone in Care team" in adele.desk.shown
    await adele.desk.press("notice.send")
    assert len(stage.world.accepted(AT_ONCE)) == 2
    assert found.body["chainId"] == stage.world.accepted(AT_ONCE)[1].body["chainId"]


async def test_a_repetition_after_a_doubt_replaces(adele: Thread, stage: Stage) -> None:
    stage.world.script = ["reset_after"]
    dialog = await reviewed(adele, audience="team", way="at_once")
    await press(dialog, "notice.send")
    await stage.world.until(lambda: len(stage.world.accepted(AT_ONCE)) == 2)
    [item] = stage.world.feeds[stage.world.named("Lee").id]
    assert item.replaced == 1


async def test_a_whole_team_can_be_notified_later_and_cancelled(
    adele: Thread, stage: Stage
) -> None:
    day = f"{stage.world.now() + timedelta(days=2):%Y-%m-%d}"
    later = {"when": "later", "when_date": day, "when_time": "12:00"}
    dialog = await reviewed(adele, audience="team", way="at_once", **later)
    assert "Schedule for everyone in Care team" in dialog.shown
    await press(dialog, "notice.send")
    assert "Scheduled" in dialog.shown
    await adele.desk.say("scheduled")
    assert "everyone in Care team" in adele.desk.shown
    await adele.desk.press("Open")
    await adele.desk.press("delivery.cancel")
    assert "Cancelled" in adele.desk.shown
    assert "1 person" not in adele.desk.shown
    assert not stage.world.accepted(AT_ONCE)


async def test_how_a_group_is_reached_is_asked_once_one_is_chosen(adele: Thread) -> None:
    dialog = await form(adele)
    await dialog.press("Review", audience="channel", preview="")
    assert dialog.values["way"] == "auto"
