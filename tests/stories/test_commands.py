"""What people type, and what they get."""

from collections.abc import Callable

import pytest

from bot.settings import Settings
from bot.teams.commands import COMMANDS, understand
from sandbox import actions, activities
from sandbox.stage import Stage
from sandbox.world import read_manifest
from tests.desk import Desk


@pytest.fixture
async def diego(herald: Settings, at_desk: Callable[[str], Desk]) -> Desk:
    desk = at_desk("Diego")
    await desk.teams.install(desk.person)
    return desk


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        ("text", "text"),
        ("SMS", "text"),
        ("/text", "text"),
        ("  Text  ", "text"),
        ("text!", "text"),
        ("sign in", "signin"),
        ("Sign Out", "signout"),
        ("login", "signin"),
        ("notify everybody", "notify"),
        ("", "help"),
        ("?", "help"),
        ("Hello", "help"),
    ],
)
def test_a_command_is_understood_however_it_is_typed(typed: str, command: str) -> None:
    heard = understand(typed)
    assert heard.command is not None
    assert heard.command.name == command


@pytest.mark.parametrize(
    ("typed", "nearest"), [("txet", "text"), ("notfy", "notify"), ("xyzzy", "")]
)
def test_an_unknown_word_gets_the_nearest_command(typed: str, nearest: str) -> None:
    heard = understand(typed)
    assert heard.command is None
    assert heard.nearest == nearest


def test_every_command_is_in_the_manifests_lists_word_for_word() -> None:
    [bot] = read_manifest()["bots"]
    for commands in bot["commandLists"]:
        listed = {row["title"]: row["description"] for row in commands["commands"]}
        assert listed == {command.name: command.summary for command in COMMANDS}


async def test_installing_brings_the_welcome_card(diego: Desk) -> None:
    assert "Herald" in diego.shown
    assert diego.has_button("text.open")
    assert diego.has_button("notice.open")


async def test_the_welcome_cards_button_opens_the_form_once_signed_in(diego: Desk) -> None:
    await diego.say("signin")
    await diego.say("help")
    assert diego.has_button("text.open")
    await diego.press("text.open")
    assert "message_type" in diego.values()


async def test_the_welcome_cards_button_signs_in_first_and_then_opens_the_form(
    diego: Desk,
) -> None:
    await diego.press("notice.open")
    assert "activity_type" in diego.values()


async def test_help_lists_every_command(diego: Desk) -> None:
    await diego.say("<at>Herald</at> HELP")
    for command in COMMANDS:
        assert command.summary in diego.shown


async def test_an_unknown_word_gets_help_with_the_nearest_command(diego: Desk) -> None:
    await diego.say("notifi")
    assert "notify" in diego.shown


async def test_words_after_notify_fill_the_form_in(diego: Desk) -> None:
    await diego.say("signin")
    await diego.say("notify The build is red")
    assert diego.values()["preview"] == "The build is red"


async def test_they_are_still_there_after_the_sign_in_that_they_needed(
    diego: Desk, stage: Stage
) -> None:
    await diego.say("notify The build is red")
    assert diego.values()["preview"] == "The build is red"
    stage.world.faults.entra_down = True
    await diego.say("signout")
    await diego.say("notify The build is green")
    assert "sign-in service" in diego.shown
    stage.world.faults.entra_down = False
    await diego.press("identity.try_again")
    await stage.world.until(lambda: diego.values().get("preview") == "The build is green")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("text", {"message_type": "confirmation", "join_link": "", "attendee_list": ""}),
        ("text cancellation", {"message_type": "cancellation"}),
        ("text (206) 342-8631", {"attendee_list": "(206) 342-8631"}),
        ("sms reminder +12063428631", {"message_type": "reminder"}),
        (
            "text moved https://teams.microsoft.com/meet/123?p=abc 206 342 8631",
            {
                "message_type": "reschedule",
                "join_link": "https://teams.microsoft.com/meet/123?p=abc",
                "attendee_list": "206 342 8631",
            },
        ),
        ("text everybody please", {"join_link": "", "attendee_list": ""}),
    ],
)
async def test_words_after_text_fill_in_what_they_are(
    diego: Desk, typed: str, expected: dict[str, str]
) -> None:
    await diego.say("signin")
    await diego.say(typed)
    shown = diego.values()
    assert {name: shown.get(name, "") for name in expected} == expected


@pytest.mark.parametrize("word", ["text", "notify", "scheduled", "history", "status", "whoami"])
async def test_in_a_channel_nothing_of_ones_own_is_shown_to_everybody(
    diego: Desk, stage: Stage, word: str
) -> None:
    people = list(stage.world.people.values())
    channel = stage.connector.conversations.shared("General", people, "channel")
    channel.has_bot = True
    await stage.teams.say(diego.person, f"<at>Herald</at> {word}", channel)
    card = channel.messages[-1].card()
    assert card is not None
    [button] = actions.buttons(card)
    assert button["data"]["msteams"] == {"type": "task/fetch"}
    assert "Input." not in str(card)


async def test_somebody_of_another_tenant_is_turned_away(diego: Desk, stage: Stage) -> None:
    stranger = activities.message(
        stage.world, diego.person, stage.teams.chat(diego.person), "text", id="1"
    )
    stranger["channelData"]["tenant"]["id"] = "99999999-9999-4999-8999-999999999999"
    answer = await stage.teams.send(stranger)
    assert answer.status == 200
    assert "not set up for your organization" in diego.shown


async def test_an_unknown_invoke_is_answered_501(diego: Desk, stage: Stage) -> None:
    answer = await stage.teams.invoke(diego.person, "something/new", {})
    assert answer.status == 501


async def test_words_after_notify_are_a_notice_in_ones_own_words(diego: Desk) -> None:
    await diego.say("signin")
    await diego.say("notify The build is red")
    values = diego.values()
    assert values["activity_type"] == "systemDefault"
    assert values["param_systemDefaultText"] == values["preview"] == "The build is red"
