"""Coming and going: the app in chats and teams, people, channels, messages that change."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.settings import Settings
from sandbox import actions
from sandbox.conversation import Conversation
from sandbox.stage import Stage
from sandbox.world import Team
from tests.desk import Desk
from tests.recorded import PAYLOADS, recorded
from tests.thread import Thread

SEATTLE = "(206) 342-8631"
SMS = "sendVirtualAppointmentSms"
OF_A_TEAM = sorted(path.stem for path in PAYLOADS.glob("team-*.json"))
OF_A_CHANNEL = ["channel-created", "channel-renamed", "channel-deleted"]


@pytest.fixture
def team(stage: Stage) -> Team:
    people = [who for who in stage.world.people.values() if not who.is_guest]
    return stage.teams.team("Care team", people)


@pytest.fixture
async def adele(herald: Settings, at_desk: Callable[[str], Desk]) -> Desk:
    return at_desk("Adele")


@pytest.fixture
def place(stage: Stage, team: Team, adele: Desk, request: pytest.FixtureRequest) -> Conversation:
    """Where a test is: one's own chat, a group chat, a channel."""
    if request.param == "group":
        return stage.teams.group("Morning round", [adele.person, stage.world.named("Megan")])
    if request.param == "channel":
        return stage.teams.channel(team)
    return stage.teams.chat(adele.person)


EVERYWHERE = pytest.mark.parametrize("place", ["personal", "group", "channel"], indirect=True)


def short(place: Conversation) -> str:
    return {"personal": "personal", "groupChat": "group", "channel": "channel"}[place.kind]


async def told(stage: Stage, desk: Desk, name: str, place: Conversation) -> None:
    answer = await stage.teams.send(recorded(name, stage, desk.person, place))
    assert answer.status == 200


def said(place: Conversation) -> list[str]:
    return [actions.text_of(m.card() or {}) for m in place.messages if m.from_bot]


@EVERYWHERE
@pytest.mark.parametrize("first", ["bot-added", "installation-add"])
async def test_one_welcome_whichever_is_told_first(
    adele: Desk, stage: Stage, place: Conversation, first: str
) -> None:
    second = "installation-add" if first == "bot-added" else "bot-added"
    for name in (first, second, first):
        await told(stage, adele, f"{short(place)}-{name}", place)
    [welcome] = said(place)
    assert "Herald" in welcome
    assert ("Mention me" in welcome) is (place.kind != "personal")


@EVERYWHERE
async def test_the_welcome_says_what_works_there_and_its_buttons_do(
    adele: Desk, stage: Stage, place: Conversation
) -> None:
    await told(stage, adele, f"{short(place)}-installation-add", place)
    if place.kind == "personal":
        assert adele.has_button("notice.open")
        return
    thread = Thread(adele, place)
    dialog = await thread.open("Notify teammates")
    assert dialog.address  # nobody is signed in yet


@EVERYWHERE
@pytest.mark.parametrize("what", ["update", "add-upgrade", "remove-upgrade"])
async def test_an_update_of_the_app_is_no_news(
    adele: Desk, stage: Stage, place: Conversation, what: str
) -> None:
    await adele.teams.install(adele.person)
    await adele.say("signin")
    before = len(place.messages)
    await told(stage, adele, f"{short(place)}-installation-{what}", place)
    assert len(place.messages) == before
    await adele.say("whoami")
    assert "Adele Vance" in adele.shown


@EVERYWHERE
async def test_added_again_after_it_was_removed_it_says_hello_again(
    adele: Desk, stage: Stage, place: Conversation
) -> None:
    for name in ("add", "remove", "add"):
        await told(stage, adele, f"{short(place)}-installation-{name}", place)
    assert len(said(place)) == 2


async def test_another_member_of_the_team_is_not_welcomed(
    adele: Desk, stage: Stage, team: Team
) -> None:
    channel = stage.teams.channel(team)
    await told(stage, adele, "channel-person-added", channel)
    assert said(channel) == []


async def test_removing_the_app_from_a_team_signs_nobody_out(
    adele: Desk, stage: Stage, team: Team
) -> None:
    await adele.teams.install(adele.person)
    await adele.say("signin")
    channel = stage.teams.channel(team)
    for name in ("channel-bot-removed", "channel-installation-remove"):
        await told(stage, adele, name, channel)
    await adele.say("whoami")
    assert "Adele Vance" in adele.shown


async def test_a_removed_apps_user_keeps_no_tokens_and_what_is_scheduled_waits(
    adele: Desk, stage: Stage
) -> None:
    await adele.teams.install(adele.person)
    await adele.say("text")
    meetings = stage.world.meetings.values()
    mine = next(m for m in meetings if m.organizer_id == adele.person.id)
    await adele.press("Review", meeting=mine.join_url, phone_0=SEATTLE)
    stage.world.script += ["429:1"]
    await adele.press("text.send")
    await adele.teams.uninstall(adele.person)
    await adele.teams.install(adele.person)
    await adele.say("whoami")
    assert "not signed in" in adele.shown
    async with asyncio.timeout(8):
        while "Waiting until you sign in" not in adele.shown:
            await adele.say("scheduled")
    assert stage.world.accepted(SMS) == []
    await adele.say("signin")
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1, timeout_s=8)


@pytest.mark.parametrize("name", [*OF_A_TEAM, *OF_A_CHANNEL])
async def test_what_happens_to_teams_and_channels_is_taken_without_a_word(
    adele: Desk, stage: Stage, team: Team, name: str
) -> None:
    channel = stage.teams.channel(team)
    sent = recorded(
        name,
        stage,
        adele.person,
        channel,
        channel__id="19:another@thread.tacv2",
        channel__name="Another",
    )
    answer = await stage.teams.send(sent)
    assert answer.status == 200
    assert said(channel) == []


# Messages that change ----------------------------------------------------------------------------


@EVERYWHERE
async def test_an_edited_command_that_was_answered_is_not_answered_again(
    adele: Desk, stage: Stage, place: Conversation
) -> None:
    for what, text in (("message", "help"), ("message-edited", "help me"), ("message-edited", "?")):
        sent = recorded(
            f"{short(place)}-{what}", stage, adele.person, place, message__id="17000", text=text
        )
        assert (await stage.teams.send(sent)).status == 200
    assert len(said(place)) == 1


@EVERYWHERE
async def test_a_mistyped_command_that_is_put_right_is_answered_once(
    adele: Desk, stage: Stage, place: Conversation
) -> None:
    steps = [("message", "hlep"), ("message-edited", "help"), ("message-edited", "whoami")]
    for what, text in steps:
        sent = recorded(
            f"{short(place)}-{what}", stage, adele.person, place, message__id="17001", text=text
        )
        assert (await stage.teams.send(sent)).status == 200
    first, second = said(place)
    assert "I don't know that word" in first
    assert "I don't know that word" not in second


@EVERYWHERE
@pytest.mark.parametrize("what", ["message-deleted", "message-undeleted", "reaction"])
async def test_what_else_happens_to_messages_is_taken_without_a_word(
    adele: Desk, stage: Stage, place: Conversation, what: str
) -> None:
    sent = recorded(
        f"{short(place)}-{what}", stage, adele.person, place, message__id="17002", text="help"
    )
    assert (await stage.teams.send(sent)).status == 200
    assert said(place) == []


@pytest.mark.parametrize("name", ["personal-unknown-event", "personal-typing"])
async def test_an_activity_that_nobody_knows_is_taken_and_nothing_happens(
    adele: Desk, stage: Stage, name: str
) -> None:
    answer = await stage.teams.send(recorded(name, stage, adele.person))
    assert answer.status == 200
    unknown = recorded("personal-unknown-type", stage, adele.person)
    assert (await stage.teams.send(unknown)).status == 200
    assert said(stage.teams.chat(adele.person)) == []


async def test_a_welcome_that_may_not_be_said_is_not_an_error(
    adele: Desk, stage: Stage, team: Team
) -> None:
    channel = stage.teams.channel(team)
    team.has_bot = False
    await told(stage, adele, "channel-installation-add", channel)
    assert said(channel) == []


EVERY = sorted(path.stem for path in Path(PAYLOADS).glob("*.json"))
GIVEN = {
    "message__id": "1700000000003",
    "text": "help",
    "data": {"verb": "dialog.open", "command": "notify", "kept": "-"},
    "verb": "delivery.look",
    "exchange_id": "signin~notify~x~y",
    "token": "no token",
    "code": "no code",
    "channel__id": "19:x@thread.tacv2",
    "channel__name": "Another",
}


@pytest.mark.parametrize(
    "name", [n for n in EVERY if n.startswith(("personal", "group", "channel"))]
)
async def test_every_recorded_activity_is_taken(
    adele: Desk, stage: Stage, team: Team, name: str
) -> None:
    place = None
    if name.startswith("group"):
        place = stage.teams.group("Morning round", [adele.person])
    elif name.startswith("channel"):
        place = stage.teams.channel(team)
    answer = await stage.teams.send(recorded(name, stage, adele.person, place, **GIVEN))
    assert answer.status in {200, 412}
