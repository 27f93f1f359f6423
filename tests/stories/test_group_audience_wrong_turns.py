"""Whole groups, when something is in the way: nothing is lost, and there is a next step."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from bot.settings import Settings
from sandbox import actions
from sandbox.conversation import Conversation
from sandbox.stage import Stage
from sandbox.world import Team
from tests.desk import Desk
from tests.recorded import recorded
from tests.stories.test_group_audience import (
    AT_ONCE,
    BULK,
    adele,
    channel,
    crowd,
    form,
    group,
    has,
    in_chat,
    press,
    review,
    reviewed,
    signed_in,
    team,
)
from tests.thread import TaskDialog, Thread

__all__ = ["adele", "channel", "group", "in_chat", "team"]


async def submitted(
    thread: Thread,
    stage: Stage,
    name: str,
    *,
    first: Callable[[], None] = lambda: None,
    **more: Any,
) -> TaskDialog:
    """The recorded review of a form that this person has open."""
    dialog = await form(thread)
    first()
    [form_id] = {
        button["data"]["form_id"]
        for button in actions.buttons(dialog.card)
        if "form_id" in button["data"]
    }
    activity = recorded(
        name,
        stage,
        thread.person,
        more.pop("place", thread.place),
        message__id=dialog.message.id,
        form_id=form_id,
        **more,
    )
    answer = await stage.teams.send(activity)
    return TaskDialog(thread.desk, thread.place, dialog.message, answer)


async def test_the_recorded_review_of_members_by_name_is_understood(
    adele: Thread, stage: Stage
) -> None:
    dialog = await submitted(adele, stage, "audience-channel-team")
    assert "Goes to 3 people" in dialog.shown


async def test_the_recorded_review_of_a_chats_members_is_understood(
    in_chat: Thread, stage: Stage
) -> None:
    dialog = await submitted(in_chat, stage, "audience-group-chat")
    assert "Goes to 2 people" in dialog.shown


@pytest.mark.parametrize("kind", ["team", "channel"])
async def test_the_recorded_review_of_a_whole_group_is_understood(
    adele: Thread, stage: Stage, kind: str
) -> None:
    dialog = await submitted(adele, stage, f"audience-channel-{kind}-at-once")
    assert "everyone in" in dialog.shown
    await press(dialog, "notice.send")
    [call] = stage.world.accepted(AT_ONCE)
    assert call.body["recipient"]["@odata.type"].endswith(f".{kind}MembersNotificationRecipient")


async def test_a_client_that_does_not_name_the_teams_group_is_no_obstacle(
    adele: Thread, stage: Stage, team: Team
) -> None:
    dialog = await submitted(adele, stage, "audience-channel-team-without-group-id")
    assert "Goes to 3 people" in dialog.shown
    dialog = await submitted(adele, stage, "audience-channel-team-without-group-id-at-once")
    assert "everyone in Care team" in dialog.shown
    await press(dialog, "notice.send")
    [call] = stage.world.accepted(AT_ONCE)
    assert call.body["recipient"]["teamId"] == team.id


async def test_where_nobody_names_the_teams_group_it_is_reached_by_name(
    adele: Thread, stage: Stage
) -> None:
    # The connector's own word about the team.
    name = "audience-channel-team-without-group-id-at-once"
    dialog = await submitted(adele, stage, name, first=lambda: stage.connector.fail_next(400))
    assert not has(dialog, "notice.send")
    assert "each member by name" in dialog.shown
    assert dialog.values["preview"] == "The morning round starts at nine"


async def test_a_team_too_large_to_be_reached_at_once_is_reached_by_name(
    adele: Thread, stage: Stage, team: Team
) -> None:
    team.member_ids.extend(person.id for person in crowd(stage, 10_001))
    dialog = await reviewed(adele, audience="team", way="at_once")
    assert "This team has 10,006 members" in dialog.shown
    await review(dialog, audience="team", way="auto")
    assert "10,004 people" in dialog.shown


@pytest.mark.parametrize("name", ["without-team", "hostile-ids", "unknown-kind", "unknown-way"])
async def test_what_names_no_group_there_is_is_asked_again(
    adele: Thread, stage: Stage, name: str
) -> None:
    dialog = await submitted(adele, stage, f"audience-channel-{name}")
    assert not has(dialog, "notice.send")
    assert dialog.values["preview"] == "The morning round starts at nine"
    assert not stage.world.accepted(AT_ONCE)


async def test_a_form_brought_into_ones_own_chat_offers_no_team_there(
    adele: Thread, stage: Stage
) -> None:
    own = stage.teams.chat(adele.person)
    dialog = await submitted(adele, stage, "audience-personal-team", place=own)
    assert not has(dialog, "notice.send")
    assert not stage.world.accepted(AT_ONCE)


async def test_where_the_bot_was_removed_there_is_a_plain_input_and_a_sentence(
    adele: Thread, stage: Stage, team: Team
) -> None:
    dialog = await form(adele)
    team.has_bot = False
    await review(dialog, audience="team")
    assert "not part of that place" in dialog.shown
    assert "paste their addresses" in dialog.shown
    assert dialog.values["audience"] == "people"
    megan = stage.world.named("Megan").id
    await review(dialog, audience="people", recipients=megan)
    await press(dialog, "notice.send")
    assert len(stage.world.accepted(BULK)) == 1


async def test_where_the_team_was_deleted_there_is_a_plain_input_and_a_sentence(
    adele: Thread, stage: Stage, team: Team
) -> None:
    dialog = await form(adele)
    team.deleted = True
    await review(dialog, audience="team", way="each")
    assert "deleted" in dialog.shown
    assert dialog.values["audience"] == "people"
    assert dialog.values["preview"] == "Please look."


async def test_who_left_the_team_cannot_notify_its_members_from_an_old_form(
    adele: Thread, stage: Stage, team: Team
) -> None:
    dialog = await form(adele)
    team.member_ids.remove(adele.person.id)
    await review(dialog, audience="team")
    assert "not a member" in dialog.shown
    assert not has(dialog, "notice.send")


async def test_a_team_of_oneself_has_nobody_to_notify(
    adele: Thread, stage: Stage, team: Team
) -> None:
    dialog = await form(adele)
    team.member_ids[:] = [adele.person.id]
    team.guest_ids.clear()
    await review(dialog, audience="team")
    assert "nobody in this group" in dialog.shown
    team.guest_ids.append(stage.world.named("Grady").id)
    await review(dialog, audience="team")
    assert "Nobody is left to notify" in dialog.shown
    assert "Grady" in dialog.shown


@pytest.mark.parametrize("fault", [429, 502, "reset"])
async def test_a_roster_that_is_not_told_at_once_is_asked_for_again(
    adele: Thread, stage: Stage, fault: Any
) -> None:
    dialog = await form(adele)
    stage.connector.fail_next(fault)
    await review(dialog, audience="team")
    assert "Goes to 3 people" in dialog.shown


async def test_a_slow_roster_loses_nothing_that_was_entered(
    adele: Thread, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.teams.notices.PATIENCE_S", 0.3)
    dialog = await form(adele)
    stage.connector.fail_next(502, 502)
    await dialog.press(
        "Review", param_deploymentId="7", preview="Please look.", audience="team", way="each"
    )
    if not has(dialog, "notice.send"):
        assert "once more" in dialog.shown
        assert dialog.values["audience"] == "team"
        assert dialog.values["preview"] == "Please look."
        await review(dialog, audience="team", way="each")
    assert "Goes to 3 people" in dialog.shown


async def test_ten_thousand_members_come_within_the_invokes_time(
    adele: Thread, stage: Stage, team: Team
) -> None:
    """Where an answer is late the desk would fail: Teams shows an error and forgets the form."""
    team.member_ids.extend(person.id for person in crowd(stage, 10_000))
    dialog = await reviewed(adele, audience="team")
    assert "10,003" in dialog.shown or "everyone in Care team" in dialog.shown


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("uninstalled", "Herald is not installed in this chat or team"),
        ("left", "Only members can"),
        ("deleted", "does not exist any more"),
    ],
)
async def test_a_refused_whole_team_says_what_to_do(
    adele: Thread, stage: Stage, team: Team, what: str, says: str
) -> None:
    dialog = await reviewed(adele, audience="team", way="at_once")
    if what == "uninstalled":
        team.has_bot = False
    elif what == "left":
        team.member_ids.remove(adele.person.id)
    else:
        team.deleted = True
    await press(dialog, "notice.send")
    assert "Not accepted" in dialog.shown
    assert says in dialog.shown
    assert "1 person" not in dialog.shown
    assert "by name" in dialog.shown
    await press(dialog, "delivery.change")
    assert dialog.values["preview"] == "Please look."
    assert dialog.values["way"] == "at_once"


async def test_two_apps_of_one_id_are_told_apart_for_a_whole_team(
    adele: Thread, stage: Stage
) -> None:
    stage.world.faults.duplicate_app = True
    dialog = await reviewed(adele, audience="team", way="at_once")
    await press(dialog, "notice.send")
    [call] = stage.world.accepted(AT_ONCE)
    assert call.body["teamsAppId"] == stage.world.catalog_app_id


async def test_a_throttled_whole_team_goes_again_by_itself(adele: Thread, stage: Stage) -> None:
    stage.world.script = ["429:0"]
    dialog = await reviewed(adele, audience="team", way="at_once")
    await press(dialog, "notice.send")
    await stage.world.until(lambda: len(stage.world.accepted(AT_ONCE)) == 1)


async def test_a_sign_in_that_is_too_short_is_told(
    herald: Settings, at_desk: Callable[[str], Desk], stage: Stage, channel: Conversation
) -> None:
    stage.world.faults.short_tokens = True
    adele = await signed_in(at_desk("Adele"), channel)
    dialog = await reviewed(adele, audience="team", way="at_once")
    await press(dialog, "notice.send")
    assert "45 minutes" in dialog.shown


async def test_a_form_for_one_team_stays_for_it_when_it_is_opened_in_another(
    adele: Thread, stage: Stage, team: Team
) -> None:
    dialog = await reviewed(adele, audience="team", way="at_once")
    await press(dialog, "notice.send")
    delivery = next(
        button["data"]["delivery_id"]
        for button in actions.buttons(dialog.card)
        if "delivery_id" in button["data"]
    )
    other = stage.teams.team("Other team", [adele.person, stage.world.named("Isaiah")])
    there = Thread(adele.desk, stage.teams.channel(other, "General"))
    await there.say("notify")
    opened = await there.open()
    await opened.submit({"verb": "delivery.correct", "delivery_id": delivery})
    await review(opened, audience="team", way="at_once")
    await press(opened, "notice.send")
    assert {call.body["recipient"]["teamId"] for call in stage.world.accepted(AT_ONCE)} == {team.id}


async def test_a_shared_thread_shows_no_names_of_members(
    adele: Thread, stage: Stage, channel: Conversation
) -> None:
    dialog = await reviewed(adele, audience="team")
    await press(dialog, "notice.send")
    await stage.world.until(lambda: len(adele.messages) == 2)
    for name in ("Megan Bowen", "Lee Gu", "Grady"):
        assert name not in json.dumps([m.activity for m in channel.messages if m.from_bot])


@pytest.mark.parametrize("way", ["each", "at_once"])
async def test_from_the_compose_box_of_a_chat_without_the_bot_there_is_a_next_step(
    herald: Settings, at_desk: Callable[[str], Desk], stage: Stage, way: str
) -> None:
    desk = at_desk("Adele")
    await desk.teams.install(desk.person)
    await desk.say("signin")
    place = stage.teams.group("Lunch", [desk.person, stage.world.named("Lee")])
    place.has_bot = False
    stage.world.group_chats[place.id].has_bot = False
    answer = await stage.teams.compose(desk.person, "notifyTeammates", place)

    async def pressed(card: dict[str, Any], verb: str, **entered: str) -> dict[str, Any]:
        button = next(b for b in actions.buttons(card) if b["data"]["verb"] == verb)
        data = {**actions.inputs(card), **entered, **button["data"]}
        told = await stage.teams.submit_compose(desk.person, "notifyTeammates", data, place)
        found: dict[str, Any] = told.body["task"]["value"]["card"]["content"]
        return found

    card = answer.body["task"]["value"]["card"]["content"]
    kind = {"activity_type": "deploymentApprovalRequired"}
    card = await pressed(card, "notice.choose_kind", **kind)
    said = {"param_deploymentId": "7", "preview": "Please look."}
    card = await pressed(card, "notice.review", **said, audience="chat", way=way)
    if way == "each":
        assert "not part of that place" in actions.text_of(card)
        assert actions.inputs(card)["preview"] == "Please look."
        return
    card = await pressed(card, "notice.send")
    assert "not installed in this chat or team" in actions.text_of(card)
    assert not stage.world.accepted(AT_ONCE)
