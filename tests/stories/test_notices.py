"""A notification, from the command to teammates' feeds."""

from collections.abc import Callable

import pytest

from bot.settings import Settings
from sandbox.stage import Stage
from tests.desk import Desk

BULK = "sendActivityNotificationToRecipients"
TEAM = ("Adele", "Megan", "Diego", "Isaiah")


@pytest.fixture
async def lee(herald: Settings, at_desk: Callable[[str], Desk]) -> Desk:
    desk = at_desk("Lee")
    await desk.teams.install(desk.person)
    return desk


def ids(desk: Desk, *names: str) -> str:
    return ",".join(desk.stage.world.named(name).id for name in names)


async def fill(desk: Desk, **changed: str) -> None:
    """The form for a deployment's approval, filled in up to the review."""
    await desk.say("notify")
    await desk.press("notice.choose_kind", activity_type="deploymentApprovalRequired")
    values = {
        "param_deploymentId": "6788662",
        "preview": "Please approve before noon.",
        "recipients": ids(desk, *TEAM),
    }
    await desk.press("Review", **{**values, **changed})


async def test_four_people_see_the_notice_in_their_feeds(lee: Desk, stage: Stage) -> None:
    await fill(lee)
    assert "Adele Vance" in lee.shown
    assert stage.world.accepted(BULK) == []

    await lee.press("notice.send")

    for name in TEAM:
        [item] = stage.world.feeds[stage.world.named(name).id]
        assert "6788662" in item.text
        assert item.preview == "Please approve before noon."
    assert "accepted" in lee.shown.lower()
    [call] = stage.world.accepted(BULK)
    assert call.body["chainId"] > 0
    assert call.body["topic"]["webUrl"].startswith("https://teams.microsoft.com/l/")


async def test_pasted_addresses_reach_the_same_people_and_the_sender_is_left_out(
    lee: Desk, stage: Stage
) -> None:
    people = [stage.world.named(name) for name in ("Adele", "Lee", "Megan")]
    pasted = "; ".join(f"{p.name} <{p.mail}>" for p in people)
    await fill(lee, recipients=ids(lee, "Adele"), recipient_list=pasted)
    assert "himself or herself" in lee.shown
    await lee.press("notice.send")
    [call] = stage.world.accepted(BULK)
    assert len(call.body["recipients"]) == 2


async def test_an_unknown_address_is_named_and_everything_is_kept(lee: Desk, stage: Stage) -> None:
    await fill(lee, recipient_list="nobody@contoso-clinic.example")
    assert "nobody@contoso-clinic.example" in lee.shown
    assert lee.values()["preview"] == "Please approve before noon."
    assert lee.values()["recipients"] == ids(lee, *TEAM)
    assert stage.world.accepted(BULK) == []


async def test_free_text_and_the_apps_catalogue_entry_work_too(lee: Desk, stage: Stage) -> None:
    await lee.say("notify")
    await lee.press("notice.choose_kind", activity_type="systemDefault")
    await lee.press(
        "Review",
        param_systemDefaultText="The kitchen is open again.",
        preview="Come and see.",
        recipients=ids(lee, "Adele"),
        topic="app",
    )
    await lee.press("notice.send")
    [call] = stage.world.accepted(BULK)
    assert call.body["topic"]["source"] == "entityUrl"
    assert stage.world.catalog_app_id in call.body["topic"]["value"]


async def test_a_link_into_teams_is_where_the_notice_leads(lee: Desk, stage: Stage) -> None:
    link = "https://teams.microsoft.com/l/channel/19%3aabc%40thread.tacv2/General?groupId=1"
    await fill(lee, topic="link", topic_link=link, topic_title="The General channel")
    await lee.press("notice.send")
    [call] = stage.world.accepted(BULK)
    assert call.body["topic"] == {
        "source": "text",
        "value": "The General channel",
        "webUrl": link,
    }


async def test_250_people_get_three_requests_of_at_most_100(lee: Desk, stage: Stage) -> None:
    from sandbox.world import Person

    crowd = [
        Person(
            id=f"b{n:07d}-0000-4000-8000-{n:012d}",
            name=f"Person {n}",
            mail=f"p{n}@contoso-clinic.example",
            title="Staff",
            zone="UTC",
        )
        for n in range(250)
    ]
    stage.world.people |= {person.id: person for person in crowd}
    await fill(lee, recipients="", recipient_list="\n".join(p.mail for p in crowd))
    assert "250" in lee.shown
    await lee.press("notice.send")
    await stage.world.until(lambda: len(stage.world.accepted(BULK)) == 3)
    sizes = sorted(len(call.body["recipients"]) for call in stage.world.accepted(BULK))
    assert sizes == [50, 100, 100]
    chains = {call.body["chainId"] for call in stage.world.accepted(BULK)}
    assert len(chains) == 1


async def test_changing_the_kind_keeps_what_was_written(lee: Desk) -> None:
    await lee.say("notify")
    await lee.press(
        "notice.choose_kind",
        activity_type="pendingFinanceApprovalRequests",
        preview="Before noon",
        recipients=ids(lee, "Adele"),
    )
    assert "param_pendingRequestCount" in lee.values()
    assert lee.values()["preview"] == "Before noon"
    assert "Adele Vance" in str(lee.card)


async def test_a_refusal_says_what_happened_and_change_and_send_again_keeps_every_value(
    lee: Desk, stage: Stage
) -> None:
    stage.world.named("Isaiah").has_app = False
    await fill(lee)
    await lee.press("notice.send")
    assert "installed" in lee.shown
    assert stage.world.accepted(BULK) == []

    stage.world.named("Isaiah").has_app = True
    await lee.press("delivery.change")
    assert lee.values()["preview"] == "Please approve before noon."
    assert lee.values()["param_deploymentId"] == "6788662"
    await lee.press("Review")
    await lee.press("notice.send")
    assert len(stage.world.accepted(BULK)) == 1
