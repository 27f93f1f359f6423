"""Notify about this message: what its menu hands over, and what becomes of it in the form."""

import time
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from bot.settings import Settings
from sandbox import actions
from sandbox.conversation import Conversation
from sandbox.stage import Stage
from tests.desk import Desk
from tests.recorded import recorded

BULK = "sendActivityNotificationToRecipients"
ROOT = "1700000000001"


@pytest.fixture
async def adele(herald: Settings, at_desk: Callable[[str], Desk]) -> Desk:
    desk = at_desk("Adele")
    await desk.teams.install(desk.person)
    await desk.say("signin")
    return desk


@pytest.fixture
def ward(stage: Stage) -> Conversation:
    """A channel that the bot is no member of: the menu works there, too."""
    team = stage.teams.team("Ward", stage.world.people.values())
    place = stage.teams.channel(team)
    place.has_bot = False
    return place


async def chosen(desk: Desk, activity: dict[str, Any]) -> dict[str, Any]:
    """The dialog's card after the menu was chosen."""
    answer = await desk.teams.send(activity)
    assert answer.ok, answer
    assert answer.body["task"]["type"] == "continue", answer.body
    value = answer.body["task"]["value"]
    assert value["title"] == "Notify about this message"
    card: dict[str, Any] = value["card"]["content"]
    return card


async def about(desk: Desk, place: Conversation, **changed: Any) -> dict[str, Any]:
    """The form after choosing the menu of the recorded message, with some of it changed."""
    activity = recorded("compose-about-message", desk.stage, desk.person, place, message__id=ROOT)
    activity["value"]["messagePayload"] |= changed
    return await chosen(desk, activity)


def picked(card: dict[str, Any]) -> list[str]:
    """The names of those who are picked, as the form shows them."""
    picker = next(part for part in actions.elements(card) if part.get("id") == "recipients")
    names = {choice["value"]: choice["title"] for choice in picker["choices"]}
    return [names[one] for one in picker.get("value", "").split(",") if one]


async def test_link_words_author_and_mentions_begin_the_form(
    adele: Desk, ward: Conversation
) -> None:
    card = await about(adele, ward)
    values = actions.inputs(card)
    assert values["topic"] == "link"
    assert values["topic_link"].startswith("https://teams.microsoft.com/l/message/")
    assert ROOT in values["topic_link"]
    assert values["topic_title"] == "Message from Megan Bowen"
    assert values["preview"] == "Please see Lee Gu and Adele Vance: room 4 is closed 🔧"
    # The reader is mentioned, too, and can't notify herself.
    assert picked(card) == ["Megan Bowen", "Lee Gu"]


async def test_the_notice_leads_to_the_message_and_nothing_is_posted(
    adele: Desk, stage: Stage, ward: Conversation
) -> None:
    card = await about(adele, ward)
    for title, entered in (("Review", {"param_pendingRequestCount": "2"}), ("notice.send", {})):
        known = actions.buttons(card)
        button = next(b for b in known if title in {b["title"], b.get("data", {}).get("verb")})
        data = {**actions.inputs(card), **entered, **button["data"]}
        activity = recorded(
            "compose-submit",
            stage,
            adele.person,
            ward,
            command="notifyAboutMessage",
            data=data,
        )
        answer = await stage.teams.send(activity)
        card = answer.body["task"]["value"]["card"]["content"]
    await stage.world.until(lambda: len(stage.world.accepted(BULK)) == 1)
    [item] = stage.world.feeds[stage.world.named("Lee").id]
    assert ROOT in item.link
    assert item.preview.startswith("Please see Lee Gu")
    assert not ward.messages


async def test_an_apps_message_is_read_from_its_card_and_nobody_is_chosen(
    adele: Desk, stage: Stage, ward: Conversation
) -> None:
    activity = recorded("compose-about-app-message", stage, adele.person, ward, message__id=ROOT)
    card = await chosen(adele, activity)
    values = actions.inputs(card)
    assert values["preview"] == "Build 12 failed"
    assert values["topic_title"] == "Message from Build bot"
    assert picked(card) == []


async def test_somebody_of_another_organization_is_left_out_and_named(
    adele: Desk, stage: Stage
) -> None:
    group = stage.teams.group("Shift", [adele.person, stage.world.named("Megan")])
    activity = recorded(
        "compose-about-chat-message",
        stage,
        adele.person,
        group,
        message__id=ROOT,
        words="It is quiet",
    )
    card = await chosen(adele, activity)
    assert picked(card) == ["Megan Bowen"]
    said = actions.text_of(card)
    assert "another organization: Alex Wilber." in said
    assert "choose its people yourself" in said
    # Teams gave no link: it is made of where the menu was opened.
    link = actions.inputs(card)["topic_link"]
    assert link.startswith("https://teams.microsoft.com/l/message/19:")
    assert f"/{ROOT}?" in link


async def test_a_deleted_message_leaves_the_form_empty_and_says_so(
    adele: Desk, stage: Stage, ward: Conversation
) -> None:
    activity = recorded(
        "compose-about-message-deleted", stage, adele.person, ward, message__id=ROOT
    )
    card = await chosen(adele, activity)
    assert "was deleted" in actions.text_of(card)
    assert actions.inputs(card)["preview"] == ""
    assert actions.inputs(card)["topic"] == "chat"


async def test_a_long_message_is_cut_and_that_is_said(adele: Desk, ward: Conversation) -> None:
    body = {"contentType": "html", "content": f"<p>{'very long ' * 3000}</p>"}
    card = await about(adele, ward, body=body)
    preview = actions.inputs(card)["preview"]
    assert len(preview) <= 150
    assert preview.endswith("…")
    assert "only its beginning was taken" in actions.text_of(card)


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/l/message/19:x/1",
        "https://teams.microsoft.com.evil.example/l/message/1",
        "https://evil.example\\@teams.microsoft.com/l/message/1",
        "https://user@evil.example/https://teams.microsoft.com/l/message/1",
        "javascript:alert(1)//https://teams.microsoft.com/l/",
        "http://teams.microsoft.com/l/message/19:x/1",
        "https://teams.microsoft.com/l/message/" + "x" * 2000,
        7,
    ],
)
async def test_a_link_that_does_not_lead_into_teams_is_not_taken(
    adele: Desk, ward: Conversation, link: Any
) -> None:
    card = await about(adele, ward, linkToMessage=link, id="not a number")
    values = actions.inputs(card)
    assert values["topic"] == "chat"
    assert values["topic_link"] == ""
    assert "no link into Teams" in actions.text_of(card)


async def test_of_a_long_link_the_names_are_spared(adele: Desk, ward: Conversation) -> None:
    link = f"https://teams.microsoft.com/l/message/19:x/1?tenantId=t&teamName={'n' * 1500}"
    card = await about(adele, ward, linkToMessage=link)
    assert (
        actions.inputs(card)["topic_link"]
        == "https://teams.microsoft.com/l/message/19:x/1?tenantId=t"
    )


MISSHAPEN: list[dict[str, Any]] = [
    {"body": None},
    {"body": []},
    {"body": {"contentType": 5, "content": {"a": 1}}},
    {"body": {"contentType": "text", "content": "<b>as it is</b>"}},
    {"body": {"contentType": "html", "content": "<![<!" + "<a " * 20_000 + "&#xD800;"}},
    {"from": None},
    {"from": {"user": "Megan"}},
    {"from": {"user": {"id": "29:1", "displayName": None}}},
    {"from": {"user": {"id": "a" * 36, "displayName": "x" * 100_000}}},
    {"mentions": "everybody"},
    {"mentions": [None, 5, {"mentioned": None}, {"mentioned": {"user": {"id": None}}}] * 200},
    {"attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": "["}]},
    {"attachments": {"content": 1}, "body": {"content": ""}},
    {"subject": 5, "summary": {"a": 1}, "id": None, "linkToMessage": None, "replyToId": []},
    {"deleted": "yes", "deletedDateTime": 0},
]


@pytest.mark.parametrize("changed", MISSHAPEN, ids=lambda changed: str(changed)[:40])
async def test_whatever_the_payload_holds_there_is_a_form(
    adele: Desk, ward: Conversation, changed: dict[str, Any]
) -> None:
    card = await about(adele, ward, **changed)
    assert "preview" in actions.inputs(card)


@pytest.mark.parametrize("payload", [None, "", [], {}, "message", 7], ids=repr)
async def test_without_the_message_there_is_an_empty_form_that_says_so(
    adele: Desk, stage: Stage, ward: Conversation, payload: Any
) -> None:
    activity = recorded("compose-about-message", stage, adele.person, ward, message__id=ROOT)
    activity["value"]["messagePayload"] = payload
    card = await chosen(adele, activity)
    assert "did not hand the message over" in actions.text_of(card)


async def test_many_mentions_are_taken_once_each_and_not_without_end(
    adele: Desk, stage: Stage, ward: Conversation
) -> None:
    people = [f"b{n:07d}-0000-4000-8000-{n:012d}" for n in range(100)]
    mentions = [
        {"mentioned": {"user": {"id": one, "displayName": f"Nurse {one[:8]}"}}}
        for one in [*people, *people]
    ]
    card = await about(adele, ward, mentions=mentions)
    assert 20 <= len(picked(card)) <= 30


async def test_somebody_deleted_is_offered_without_a_name_and_found_out_at_the_review(
    adele: Desk, stage: Stage, ward: Conversation
) -> None:
    gone = {"user": {"id": "deadbeef-0000-4000-8000-000000000001", "displayName": None}}
    activity = recorded("compose-about-message", stage, adele.person, ward, message__id=ROOT)
    message = deepcopy(activity["value"]["messagePayload"])
    activity["value"]["messagePayload"] = message | {"from": gone, "mentions": []}
    card = await chosen(adele, activity)
    assert picked(card) == ["Teammate without a name"]
    button = actions.button(card, "Review")
    data = {**actions.inputs(card), "param_pendingRequestCount": "2", **button["data"]}
    submitted = recorded("compose-submit", stage, adele.person, ward, command="x", data=data)
    answer = await stage.teams.send(submitted)
    assert "no longer in your organization" in actions.text_of(
        answer.body["task"]["value"]["card"]["content"]
    )


async def test_the_silent_sign_in_brings_the_message_along(
    herald: Settings, at_desk: Callable[[str], Desk], stage: Stage, ward: Conversation
) -> None:
    desk = at_desk("Adele")
    activity = recorded("compose-about-message", stage, desk.person, ward, message__id=ROOT)
    asked = await stage.teams.send(activity)
    assert asked.body["composeExtension"]["type"] == "silentAuth"
    again = recorded(
        "compose-about-message-signed-in",
        stage,
        desk.person,
        ward,
        message__id=ROOT,
        token=stage.entra.sso_token(desk.person),
    )
    card = await chosen(desk, again)
    assert actions.inputs(card)["preview"].startswith("Please see")


async def test_the_menu_of_a_message_in_the_stand_in_fills_the_form(
    adele: Desk, stage: Stage
) -> None:
    megan = stage.world.named("Megan")
    group = stage.teams.group("Ward chat", [adele.person, megan])
    await stage.teams.say(megan, "The lift is out of order", group)
    message = next(one for one in group.messages if one.person_id == megan.id)
    answer = await stage.teams.compose(
        adele.person, "notifyAboutMessage", group, context="message", message_id=message.id
    )
    card = answer.body["task"]["value"]["card"]["content"]
    assert "The lift is out of order" in actions.inputs(card)["preview"]
    assert picked(card) == ["Megan Bowen"]


async def test_a_message_made_to_annoy_is_read_at_once(adele: Desk, ward: Conversation) -> None:
    content = "<![CDATA[<!--<script <a <img alt=" * 6_000
    began = time.process_time()
    await about(adele, ward, body={"contentType": "html", "content": content})
    assert time.process_time() - began < 3
