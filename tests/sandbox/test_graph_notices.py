"""Notifications at the Graph stand-in: whose feeds they reach, and what is refused."""

from typing import Any

import pytest

from sandbox.world import CATALOG_APP_ID, TEAMS_APP_ID, World
from tests.sandbox.posts import NOTICES, Poster

CATALOG = "https://graph.microsoft.com/v1.0/appCatalogs/teamsApps/"
LINK = "https://teams.microsoft.com/l/chat/19:x@thread.v2/0"
NOBODY = "00000000-0000-4000-8000-00000000dead"


def topic(**changes: Any) -> dict[str, Any]:
    full = {"source": "text", "value": "Deployment 4711", "webUrl": LINK} | changes
    return {"topic": {name: value for name, value in full.items() if value is not None}}


def values(*pairs: tuple[str, Any]) -> dict[str, Any]:
    return {"templateParameters": [{"name": name, "value": value} for name, value in pairs]}


def to(*recipients: Any) -> dict[str, Any]:
    return {"recipients": list(recipients)}


def user(user_id: Any = NOBODY, kind: Any = "microsoft.graph.aadUserNotificationRecipient") -> Any:
    return {"@odata.type": kind, "userId": user_id}


async def test_a_notice_reaches_every_feed_with_its_template_filled(
    poster: Poster, world: World
) -> None:
    reply = await poster.post(NOTICES, poster.notice("Megan", "Lee"))

    assert (reply.status, reply.body) == (202, None)
    for name in ("Megan", "Lee"):
        (item,) = world.feeds[world.named(name).id]
        assert item.text == "New deployment requires your approval 4711"
        assert item.preview == "A deployment waits for you"
        assert item.link == LINK
        assert item.actor_id == world.named("Adele").id
    assert not world.feeds[world.named("Diego").id]


async def test_the_sender_is_filled_in_by_teams(poster: Poster, world: World) -> None:
    body = poster.notice(
        activityType="shiftSwap", **values(("shift", "Monday"), ("wanted", "Friday"))
    )

    assert (await poster.post(NOTICES, body)).status == 202
    (item,) = world.feeds[world.named("Lee").id]
    assert item.text == "Adele Vance wants to swap Monday for Friday"


async def test_the_reserved_type_says_what_it_likes(poster: Poster, world: World) -> None:
    body = poster.notice(activityType="systemDefault", **values(("systemDefaultText", "Hi all")))

    assert (await poster.post(NOTICES, body)).status == 202
    assert world.feeds[world.named("Lee").id][0].text == "Hi all"


async def test_the_topic_may_be_the_app_by_its_catalogue_id(poster: Poster, world: World) -> None:
    body = poster.notice(**topic(source="entityUrl", value=CATALOG + CATALOG_APP_ID, webUrl=None))

    assert (await poster.post(NOTICES, body)).status == 202
    assert world.feeds[world.named("Lee").id][0].link.endswith(CATALOG_APP_ID)


async def test_the_same_chain_of_the_same_sender_replaces(poster: Poster, world: World) -> None:
    lee = world.named("Lee").id
    for text in ("first", "second"):
        await poster.post(NOTICES, poster.notice(chainId=7, previewText={"content": text}))
    await poster.post(NOTICES, poster.notice("Lee", chainId=7), who="Megan")
    await poster.post(NOTICES, poster.notice("Lee", chainId=8))
    await poster.post(NOTICES, poster.notice("Lee"))

    assert [(i.preview[:6], i.chain_id, i.replaced) for i in world.feeds[lee]] == [
        ("second", 7, 1),
        ("A depl", 7, 0),
        ("A depl", 8, 0),
        ("A depl", None, 0),
    ]


async def test_a_feed_shows_the_first_150_characters(poster: Poster, world: World) -> None:
    await poster.post(NOTICES, poster.notice(previewText={"content": "x" * 400}))

    assert world.feeds[world.named("Lee").id][0].preview == "x" * 150


async def test_a_hundred_people_are_one_request_and_one_more_is_none(
    poster: Poster, world: World
) -> None:
    hundred = [poster.recipient("Lee")] * 100

    assert (await poster.post(NOTICES, poster.notice(**to(*hundred)))).status == 202
    reply = await poster.post(NOTICES, poster.notice(**to(*hundred, poster.recipient("Megan"))))
    assert reply.status == 400
    assert len(world.feeds[world.named("Lee").id]) == 1


BAD = [
    pytest.param({"subject": "x"}, "subject", id="an unknown parameter"),
    pytest.param({"chainId": "7"}, "Int64", id="a chain id that is a string"),
    pytest.param({"chainId": 7.5}, "Int64", id="a chain id with a fraction"),
    pytest.param({"chainId": True}, "Int64", id="a chain id that is true"),
    pytest.param({"chainId": 2**63}, "Int64", id="a chain id that is too large"),
    pytest.param({"previewText": "x"}, "itemBody", id="a preview that is a string"),
    pytest.param({"previewText": {"text": "x"}}, "text", id="a preview of another shape"),
    pytest.param(
        {"previewText": {"content": "x", "contentType": "markdown"}},
        "bodyType",
        id="a preview in markdown",
    ),
    pytest.param({"iconId": "siren"}, "iconId", id="an icon that is not declared"),
    pytest.param({"topic": None}, "topic", id="no topic"),
    pytest.param(topic(source=None), "source", id="a topic without a source"),
    pytest.param(topic(source="url"), "Source", id="a topic of an unknown source"),
    pytest.param(topic(value=None), "value", id="a topic without a value"),
    pytest.param(topic(value=" "), "empty", id="a topic of blanks"),
    pytest.param(topic(webUrl=None), "webUrl", id="a text topic without a link"),
    pytest.param(topic(webUrl="https://contoso.example/x"), "Teams", id="a link to elsewhere"),
    pytest.param(
        topic(webUrl="https://teams.microsoft.com.evil.example/l/x"),
        "Teams",
        id="a link that only looks like Teams",
    ),
    pytest.param(topic(webUrl=LINK + "x" * 1024), "1024", id="a link that is too long"),
    pytest.param(
        topic(source="entityUrl", value=CATALOG + TEAMS_APP_ID),
        "catalogue",
        id="the manifest's id for the catalogue's",
    ),
    pytest.param(
        topic(source="entityUrl", value="https://graph.microsoft.com/v1.0/chats/19:x"),
        "catalogue",
        id="a chat for an entity",
    ),
    pytest.param({"activityType": None}, "activityType", id="no activity type"),
    pytest.param({"activityType": "lunch"}, "manifest", id="a type that is not declared"),
    pytest.param({"templateParameters": None}, "templateParameters", id="no parameters"),
    pytest.param(values(("deployment", "1")), "exactly", id="a parameter of another name"),
    pytest.param(
        values(("deploymentId", "1"), ("team", "x")), "exactly", id="a parameter too many"
    ),
    pytest.param(
        values(("deploymentId", "1"), ("deploymentId", "2")), "twice", id="a parameter twice"
    ),
    pytest.param(values(("deploymentId", None)), "value", id="a parameter without a value"),
    pytest.param(values(("deploymentId", 7)), "Edm.String", id="a parameter that is a number"),
    pytest.param(values((None, "7")), "name", id="a parameter without a name"),
    pytest.param(
        {"activityType": "shiftSwap"}
        | values(("shift", "a"), ("wanted", "b"), ("actor", "Somebody else")),
        "exactly",
        id="another sender's name",
    ),
    pytest.param(
        {"activityType": "systemDefault"} | values(("systemDefaultText", "a"), ("more", "b")),
        "exactly",
        id="the reserved type with more than its text",
    ),
    pytest.param({"recipients": None}, "1 to 100", id="no recipients"),
    pytest.param(to(), "1 to 100", id="an empty list of recipients"),
    pytest.param(to({"userId": NOBODY}), "@odata.type", id="a recipient without a type"),
    pytest.param(
        to(user(kind="aadUserNotificationRecipient")), "@odata.type", id="a type without namespace"
    ),
    pytest.param(
        to(user(kind="microsoft.graph.keyValuePair")), "@odata.type", id="a type of another kind"
    ),
    pytest.param(
        to(user(kind="microsoft.graph.teamworkNotificationRecipient")),
        "@odata.type",
        id="the abstract type",
    ),
    pytest.param(to(user(kind=7)), "@odata.type", id="a type that is a number"),
    pytest.param(
        to({"@odata.type": "microsoft.graph.teamMembersNotificationRecipient", "teamId": "x"}),
        "aadUserNotificationRecipient",
        id="a whole team",
    ),
    pytest.param(to(user(None)), "userId", id="a recipient without an id"),
    pytest.param(to({**user(), "name": "x"}), "name", id="a recipient with a name"),
]


@pytest.mark.parametrize(("changes", "word"), BAD)
async def test_a_wrong_notice_is_400_and_reaches_nobody(
    poster: Poster, world: World, changes: dict[str, Any], word: str
) -> None:
    reply = await poster.post(NOTICES, poster.notice(**changes))

    assert (reply.status, reply.code) == (400, "BadRequest")
    assert word in reply.message
    assert not any(world.feeds.values())


@pytest.mark.parametrize(
    ("names", "changes", "status", "word"),
    [
        pytest.param(("Megan", "Adele"), {}, 403, "sender", id="the sender among them"),
        pytest.param(("Lee",), to(user()), 404, "recipient", id="somebody unknown"),
        pytest.param(("Lee",), {"teamsAppId": TEAMS_APP_ID}, 404, "catalogue", id="manifest id"),
    ],
)
async def test_a_notice_that_cannot_go_is_refused_whole(
    poster: Poster,
    world: World,
    names: tuple[str, ...],
    changes: dict[str, Any],
    status: int,
    word: str,
) -> None:
    reply = await poster.post(NOTICES, poster.notice(*names, **changes))

    assert reply.status == status
    assert word in reply.message
    assert not any(world.feeds.values())


async def test_a_recipient_without_the_app_refuses_all(poster: Poster, world: World) -> None:
    world.named("Lee").has_app = False

    reply = await poster.post(NOTICES, poster.notice("Megan", "Lee"))

    assert (reply.status, reply.code) == (403, "Forbidden")
    assert "installed" in reply.message
    assert not any(world.feeds.values())


async def test_a_recipient_without_the_app_is_skipped_when_graph_does_that(
    poster: Poster, world: World
) -> None:
    world.faults.skip_not_installed = True
    world.named("Lee").has_app = False

    assert (await poster.post(NOTICES, poster.notice("Megan", "Lee"))).status == 202
    assert len(world.feeds[world.named("Megan").id]) == 1
    assert not world.feeds[world.named("Lee").id]


async def test_two_apps_of_one_entra_id_are_told_apart_by_the_catalogue_id(
    poster: Poster, world: World
) -> None:
    world.faults.duplicate_app = True

    refused = await poster.post(NOTICES, poster.notice())
    told = await poster.post(NOTICES, poster.notice(teamsAppId=CATALOG_APP_ID))

    assert (refused.status, refused.code) == (409, "Conflict")
    assert told.status == 202


@pytest.mark.parametrize(
    ("life_s", "status"),
    [
        pytest.param(44 * 60, 412, id="44 minutes"),
        pytest.param(45 * 60, 412, id="45 minutes, which are fewer on arrival"),
        pytest.param(46 * 60, 202, id="46 minutes"),
    ],
)
async def test_the_token_must_have_more_than_45_minutes_left(
    poster: Poster, life_s: int, status: int
) -> None:
    reply = await poster.post(NOTICES, poster.notice(), life_s=life_s)

    assert reply.status == status
    if status == 412:
        assert reply.code == "PreconditionFailed"


async def test_another_permission_is_not_enough(poster: Poster) -> None:
    reply = await poster.post(
        NOTICES, poster.notice(), scopes=("VirtualAppointmentNotification.Send",)
    )

    assert reply.status == 403
    assert "TeamsActivity.Send" in reply.message


async def test_more_than_ten_a_minute_to_one_person_vanish(poster: Poster, world: World) -> None:
    for number in range(12):
        await poster.post(NOTICES, poster.notice("Lee", chainId=number))
    assert len(world.feeds[world.named("Lee").id]) == 12

    world.limits_enforced = True
    poster.graph.limits.rates["bulk"] = (100, 100)  # two a second would be refused, not dropped
    for number in range(12):
        reply = await poster.post(NOTICES, poster.notice("Megan", chainId=number))
        assert reply.status == 202
    assert len(world.feeds[world.named("Megan").id]) == 10
