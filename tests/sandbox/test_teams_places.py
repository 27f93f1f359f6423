"""Teams, channels and group chats in the stand-in: who hears what, who is in, what is refused."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from sandbox.stage import Stage
from sandbox.world import Person, Team
from tests.sandbox.bots import Bot, serving


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with Stage() as stage:
        yield stage


@pytest.fixture
async def bot(stage: Stage) -> AsyncIterator[Bot]:
    async with serving(stage) as bot:
        yield bot


@pytest.fixture
def adele(stage: Stage) -> Person:
    return stage.world.named("Adele")


@pytest.fixture
def team(stage: Stage) -> Team:
    return next(iter(stage.world.teams.values()))


async def test_a_mention_in_a_channel_begins_a_thread_and_names_the_team(
    stage: Stage, bot: Bot, adele: Person, team: Team
) -> None:
    channel, megan = stage.teams.channel(team, "Appointments"), stage.world.named("Megan")
    text = "notify @Megan Bowen The build is red"
    assert await stage.teams.say(adele, text, channel, [megan]) == 200
    heard = bot.heard[0]
    assert heard["text"] == "<at>Herald</at> notify <at>Megan Bowen</at> The build is red"
    assert heard["conversation"]["id"] == f"{channel.id};messageid={heard['id']}"
    assert heard["channelData"]["channel"] == {"id": channel.id}
    asked = heard["channelData"]["team"]
    assert asked == {"id": team.thread_id, "aadGroupId": team.id, "name": "Front desk"}
    mentioned = [e["mentioned"]["id"] for e in heard["entities"] if e["type"] == "mention"]
    assert set(mentioned) == {megan.teams_id, f"28:{stage.world.app_id}"}


async def test_a_mention_that_is_not_in_the_text_comes_after_the_command(
    stage: Stage, bot: Bot, adele: Person, team: Team
) -> None:
    people = [stage.world.named("Megan"), stage.world.named("Lee")]
    await stage.teams.say(adele, "notify Come", stage.teams.channel(team), people)
    said = "<at>Herald</at> notify <at>Megan Bowen</at> <at>Lee Gu</at> Come"
    assert bot.heard[0]["text"] == said


async def test_what_does_not_mention_the_bot_it_does_not_hear(
    stage: Stage, bot: Bot, adele: Person, team: Team
) -> None:
    channel = stage.teams.channel(team)
    assert await stage.teams.say(adele, "Good morning", channel, to_bot=False) == 0
    assert bot.heard == []
    assert channel.messages[0].text == "Good morning"


async def test_a_reply_stays_in_its_thread(
    stage: Stage, bot: Bot, adele: Person, team: Team
) -> None:
    channel = stage.teams.channel(team)
    await stage.teams.say(adele, "help", channel)
    root = channel.messages[0].id
    address = f"{channel.id};messageid={root}"
    await bot.call("POST", f"/v3/conversations/{address}/activities", json=TEXT)
    await stage.teams.say(adele, "thanks", channel, thread=root)
    assert {message.root_id for message in channel.messages} == {root}
    assert bot.heard[1]["conversation"]["id"] == address


async def test_the_team_hears_of_its_installation_its_name_and_its_end(
    stage: Stage, bot: Bot, adele: Person, team: Team
) -> None:
    team.has_bot = False
    await stage.teams.add_to_team(adele, team)
    await stage.teams.rename_team(adele, team, "Reception")
    await stage.teams.add_person(adele, stage.world.named("Grady"), team)
    await stage.teams.remove_from(adele, stage.teams.channel(team))
    await stage.teams.delete_team(adele, team)
    events = [activity["channelData"].get("eventType") for activity in bot.heard]
    assert [activity["type"] for activity in bot.heard] == [
        *("conversationUpdate", "installationUpdate", "conversationUpdate", "conversationUpdate"),
        *("conversationUpdate", "installationUpdate", "conversationUpdate"),
    ]
    assert events[::2] == ["teamMemberAdded", "teamRenamed", "teamMemberRemoved", "teamDeleted"]
    assert bot.heard[2]["channelData"]["team"]["name"] == "Reception"
    assert bot.heard[0]["membersAdded"][0]["id"] == f"28:{stage.world.app_id}"


async def test_a_roster_has_its_pages_and_its_guest(stage: Stage, bot: Bot, team: Team) -> None:
    path = f"/v3/conversations/{team.thread_id}/pagedmembers"
    first = await bot.call("GET", f"{path}?pageSize=4")
    token = first.body["continuationToken"]
    second = await bot.call("GET", f"{path}?pageSize=4&continuationToken={token}")
    members = first.body["members"] + second.body["members"]
    assert len(members) == 7
    assert "continuationToken" not in second.body
    assert [m["name"] for m in members if m["userRole"] == "guest"] == ["Grady Archie"]


async def test_a_bot_outside_is_403_and_a_deleted_team_404(
    stage: Stage, bot: Bot, adele: Person, team: Team
) -> None:
    path = f"/v3/conversations/{stage.teams.channel(team).id}"
    team.has_bot = False
    for tail in ("/pagedmembers", "/activities"):
        answer = await bot.call("GET" if "paged" in tail else "POST", path + tail, json=TEXT)
        assert answer.status == 403
    team.has_bot = True
    await stage.teams.delete_team(adele, team)
    assert (await bot.call("POST", f"{path}/activities", json=TEXT)).status == 404


async def test_an_edited_message_is_told_where_the_bot_was_mentioned(
    stage: Stage, bot: Bot, adele: Person, team: Team
) -> None:
    channel = stage.teams.channel(team)
    await stage.teams.say(adele, "hepl", channel)
    await stage.teams.edit(adele, channel.messages[0].id, "help")
    edited = bot.heard[1]
    assert (edited["type"], edited["channelData"]["eventType"]) == ("messageUpdate", "editMessage")
    assert edited["id"] == bot.heard[0]["id"]
    with pytest.raises(LookupError):
        await stage.teams.edit(stage.world.named("Lee"), channel.messages[0].id, "x")


async def test_in_a_group_chat_each_member_signs_in_by_his_or_her_own_press(
    stage: Stage, bot: Bot
) -> None:
    people = [stage.world.named("Adele"), stage.world.named("Megan")]
    group = stage.teams.group("Two", people)
    resource = {"id": "x1", "uri": f"api://localhost/botid-{stage.world.app_id}"}
    card = {"connectionName": "c", "tokenExchangeResource": resource, "buttons": []}
    oauth = {"contentType": "application/vnd.microsoft.card.oauth", "content": card}
    activity = {"type": "message", "attachments": [oauth]}
    await bot.call("POST", f"/v3/conversations/{group.id}/activities", json=activity)
    await stage.teams.settled()
    message = group.messages[0]
    assert (bot.heard, message.sign_in) == ([], "shown")
    await stage.teams.exchange(people[1], message.id)
    assert bot.heard[0]["from"]["id"] == people[1].teams_id
    assert message.signed_in_ids == {people[1].id}


async def test_a_refresh_is_asked_for_by_those_whom_the_card_names(
    stage: Stage, bot: Bot, adele: Person
) -> None:
    group = stage.teams.group("Two", [adele, stage.world.named("Lee")])
    action = {"type": "Action.Execute", "verb": "look", "data": {"id": "d1"}}
    card = {**EMPTY, "refresh": {"action": action, "userIds": [adele.teams_id]}}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    activity = {"type": "message", "attachments": [attachment]}
    await bot.call("POST", f"/v3/conversations/{group.id}/activities", json=activity)
    message = group.messages[0]
    own = {**EMPTY, "body": [{"type": "TextBlock", "text": "Yours"}]}
    bot.answers = {"statusCode": 200, "type": attachment["contentType"], "value": own}
    assert await stage.teams.refresh(stage.world.named("Lee"), message.id) is None
    await stage.teams.refresh(adele, message.id)
    assert bot.heard[0]["value"] == {"action": action, "trigger": "automatic"}
    assert (message.card(adele), message.card()) == (own, card)


async def test_a_card_that_refreshes_for_too_many_is_refused(stage: Stage, bot: Bot) -> None:
    group = stage.teams.group("Two", [stage.world.named("Lee")])
    action = {"type": "Action.Execute", "verb": "look"}
    ids = [f"29:{number}" for number in range(61)]
    card = {**EMPTY, "refresh": {"action": action, "userIds": ids}}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
    activity = {"type": "message", "attachments": [attachment]}
    path = f"/v3/conversations/{group.id}/activities"
    assert (await bot.call("POST", path, json=activity)).status == 400


async def test_starting_over_puts_everybody_and_everything_back(
    stage: Stage, adele: Person, team: Team
) -> None:
    world = stage.world
    adele.has_app, team.deleted, world.faults.offline = False, True, True
    world.people.pop(world.named("Lee").id)
    world.put_back()
    assert world.named("Lee")
    assert world.named("Adele").has_app
    assert not next(iter(world.teams.values())).deleted
    assert not world.faults.offline
    assert stage.teams.world is world


async def test_no_call_without_the_bots_own_token(stage: Stage, team: Team) -> None:
    url = f"{stage.connector.url}/amer/v3/conversations/{team.thread_id}/pagedmembers"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.status == 401


TEXT: dict[str, Any] = {"type": "message", "text": "Hello"}
EMPTY: dict[str, Any] = {"type": "AdaptiveCard", "version": "1.5", "body": []}
