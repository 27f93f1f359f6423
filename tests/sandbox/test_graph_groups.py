"""Notices for all members of a team, a channel or a chat, in one request."""

from typing import Any

import pytest

from sandbox.records import GroupChat, Team
from sandbox.world import Person, World, new_group_chat, new_team
from tests.sandbox.posts import Poster

RECIPIENT = "microsoft.graph.{}NotificationRecipient"
NOT_A_TEAM = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def team(world: World) -> Team:
    people = [world.named(name) for name in ("Adele", "Megan", "Lee")]
    return new_team(world, "Care team", people)


@pytest.fixture
def chat(world: World) -> GroupChat:
    return new_group_chat(world, "Ward round", [world.named("Adele"), world.named("Diego")])


def body(poster: Poster, recipient: dict[str, str] | None, **changes: Any) -> dict[str, Any]:
    good = poster.notice(**changes)
    good.pop("recipients")
    return good | ({"recipient": recipient} if recipient else {})


def everyone(kind: str, **ids: str) -> dict[str, str]:
    return {"@odata.type": RECIPIENT.format(f"{kind}Members"), **ids}


def at(team: Team) -> str:
    return f"/teams/{team.id}/sendActivityNotification"


def reached(world: World) -> set[str]:
    return {world.person(key).name.split()[0] for key, feed in world.feeds.items() if feed}


async def test_all_members_of_a_team_but_the_sender_get_it(
    poster: Poster, world: World, team: Team
) -> None:
    reply = await poster.post(at(team), body(poster, everyone("team", teamId=team.id)))

    assert reply.status == 204
    assert reached(world) == {"Megan", "Lee"}


async def test_all_members_of_a_channel_get_it(poster: Poster, world: World, team: Team) -> None:
    channel = everyone("channel", teamId=team.id, channelId=team.channels[0].id)
    assert (await poster.post(at(team), body(poster, channel))).status == 204
    assert reached(world) == {"Megan", "Lee"}


async def test_all_members_of_a_chat_get_it(poster: Poster, world: World, chat: GroupChat) -> None:
    path = f"/chats/{chat.id}/sendActivityNotification"
    assert (await poster.post(path, body(poster, everyone("chat", chatId=chat.id)))).status == 204
    assert reached(world) == {"Diego"}


async def test_the_same_chain_replaces(poster: Poster, world: World, team: Team) -> None:
    for _ in range(2):
        asked = body(poster, everyone("team", teamId=team.id), chainId=7)
        assert (await poster.post(at(team), asked)).status == 204
    [item] = world.feeds[world.named("Lee").id]
    assert item.replaced == 1


async def test_one_member_can_be_notified_and_a_stranger_not(
    poster: Poster, world: World, team: Team
) -> None:
    def one(name: str) -> dict[str, str]:
        return {"@odata.type": RECIPIENT.format("aadUser"), "userId": world.named(name).id}

    assert (await poster.post(at(team), body(poster, one("Lee")))).status == 204
    assert (await poster.post(at(team), body(poster, one("Diego")))).status == 403
    assert (await poster.post(at(team), body(poster, one("Adele")))).status == 403


@pytest.mark.parametrize(
    ("recipient", "status"),
    [
        pytest.param(None, 400, id="nobody"),
        pytest.param(everyone("team", teamId=NOT_A_TEAM), 400, id="another team's members"),
        pytest.param(everyone("team"), 400, id="a team without its id"),
        pytest.param(everyone("team", teamId=NOT_A_TEAM, more="x"), 400, id="an unknown property"),
        pytest.param(everyone("chat", chatId="19:x@thread.v2"), 400, id="a chat's members"),
        pytest.param({"teamId": NOT_A_TEAM}, 400, id="no type"),
    ],
)
async def test_a_wrong_recipient_is_refused(
    poster: Poster, world: World, team: Team, recipient: dict[str, str] | None, status: int
) -> None:
    assert (await poster.post(at(team), body(poster, recipient))).status == status
    assert not reached(world)


async def test_recipients_in_the_plural_are_for_the_bulk_action(poster: Poster, team: Team) -> None:
    reply = await poster.post(at(team), poster.notice())
    assert reply.status == 400
    assert "recipients" in reply.message


async def test_a_channel_of_another_team_is_not_found(poster: Poster, team: Team) -> None:
    channel = everyone("channel", teamId=team.id, channelId="19:other@thread.tacv2")
    assert (await poster.post(at(team), body(poster, channel))).status == 404


async def test_who_is_no_member_cannot_notify_the_members(
    poster: Poster, world: World, team: Team
) -> None:
    team.member_ids.remove(world.named("Adele").id)
    reply = await poster.post(at(team), body(poster, everyone("team", teamId=team.id)))
    assert reply.status == 403


async def test_the_app_must_be_installed_in_the_team(poster: Poster, team: Team) -> None:
    team.has_bot = False
    reply = await poster.post(at(team), body(poster, everyone("team", teamId=team.id)))
    assert reply.status == 403
    assert "installed" in reply.message


async def test_a_deleted_team_is_not_found(poster: Poster, team: Team) -> None:
    team.deleted = True
    reply = await poster.post(at(team), body(poster, everyone("team", teamId=team.id)))
    assert reply.status == 404


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("https://graph.microsoft.com/v1.0/teams/{id}", 204),
        ("https://graph.microsoft.com/v1.0/teams/{id}/channels/19:a@thread.tacv2", 204),
        (f"https://graph.microsoft.com/v1.0/teams/{NOT_A_TEAM}", 400),
        ("https://graph.microsoft.com/v1.0/teams/{id}-and-more", 400),
    ],
)
async def test_a_topic_that_is_an_entity_lies_in_the_team(
    poster: Poster, team: Team, value: str, status: int
) -> None:
    topic = {"source": "entityUrl", "value": value.format(id=team.id)}
    asked = body(poster, everyone("team", teamId=team.id), topic=topic)
    assert (await poster.post(at(team), asked)).status == status


async def test_in_a_team_of_more_than_ten_thousand_nobody_gets_it(
    poster: Poster, world: World, team: Team
) -> None:
    for n in range(10_001):
        person = Person(f"b{n:07d}-0000-4000-8000-{n:012d}", f"P{n}", f"p{n}@x.example", "", "UTC")
        world.people[person.id] = person
        team.member_ids.append(person.id)
    reply = await poster.post(at(team), body(poster, everyone("team", teamId=team.id)))
    assert reply.status == 204
    assert not reached(world)


async def test_guests_and_the_sender_are_passed_over(
    poster: Poster, world: World, team: Team
) -> None:
    world.named("Lee").is_guest = True
    await poster.post(at(team), body(poster, everyone("team", teamId=team.id)))
    assert reached(world) == {"Megan"}


async def test_the_limit_is_that_of_single_targets(
    poster: Poster, world: World, team: Team
) -> None:
    world.limits_enforced = True
    found = [
        (await poster.post(at(team), body(poster, everyone("team", teamId=team.id)))).status
        for _ in range(8)
    ]
    assert found[:5] == [204] * 5
    assert 429 in found
