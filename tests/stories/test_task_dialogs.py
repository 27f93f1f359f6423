"""Dialogs from cards: signed in by a page, told what only an administrator can do, then closed."""

import re
from collections.abc import Callable

import aiohttp
import pytest

from bot.settings import Settings
from bot.teams.notices import Notices
from sandbox import actions
from sandbox.conversation import Conversation
from sandbox.stage import Stage
from sandbox.world import Person
from tests.desk import Desk
from tests.recorded import recorded
from tests.stories.test_sign_in import complete
from tests.thread import TaskDialog, Thread

SEATTLE = "(206) 342-8631"
SMS_SCOPE = "VirtualAppointmentNotification.Send"


@pytest.fixture
def channel(stage: Stage) -> Conversation:
    people = [who for who in stage.world.people.values() if not who.is_guest]
    return stage.teams.channel(stage.teams.team("Care team", people))


@pytest.fixture
async def adele(herald: Settings, at_desk: Callable[[str], Desk], channel: Conversation) -> Thread:
    return Thread(at_desk("Adele"), channel)


async def start_of(browser: aiohttp.ClientSession, stage: Stage, page: str) -> str:
    """Where the button of a dialog's page leads."""
    async with browser.get(page.replace(stage.public_url, stage.app_url)) as shown:
        assert shown.status == 200
        [start] = re.findall(r'data-start="([^"]+)"', await shown.text())
    return f"{stage.public_url}{start}"


async def signed_in_by(
    browser: aiohttp.ClientSession, stage: Stage, dialog: TaskDialog, person: Person
) -> None:
    """Press the page's button as this person, and let the page hand its code on."""
    start = await start_of(browser, stage, dialog.address)
    code = await complete(browser, stage, start, person)
    await dialog.submit({"code": code})


async def test_who_is_not_signed_in_gets_a_page_and_then_the_form(
    adele: Thread, stage: Stage, browser: aiohttp.ClientSession
) -> None:
    await adele.say("notify The build is red")
    dialog = await adele.open()
    assert dialog.address.startswith(f"{stage.public_url}/auth/dialog?")
    await signed_in_by(browser, stage, dialog, adele.person)
    # The command's words are still there.
    assert dialog.values["preview"] == "The build is red"
    assert len(adele.messages) == 1


async def test_another_persons_sign_in_on_the_page_is_not_kept(
    adele: Thread, stage: Stage, browser: aiohttp.ClientSession
) -> None:
    await adele.say("notify")
    dialog = await adele.open()
    await signed_in_by(browser, stage, dialog, stage.world.named("Megan"))
    assert "somebody else" in dialog.shown
    again = await adele.open()
    assert again.address


async def test_a_code_that_somebody_else_hands_on_opens_nothing(
    adele: Thread, stage: Stage, at_desk: Callable[[str], Desk], browser: aiohttp.ClientSession
) -> None:
    await adele.say("notify")
    dialog = await adele.open()
    start = await start_of(browser, stage, dialog.address)
    code = await complete(browser, stage, start, adele.person)
    megan = Thread(at_desk("Megan"), adele.place)
    hers = await megan.open(message=adele.message())
    await hers.submit({"code": code})
    assert "preview" not in hers.values
    assert "somebody else" in hers.shown


async def test_a_refused_consent_opens_the_page_again(
    adele: Thread, stage: Stage, browser: aiohttp.ClientSession
) -> None:
    adele.person.consents.clear()
    await adele.say("notify")
    dialog = await adele.open()
    await dialog.submit({"code": "made-up"})
    assert "expired" in dialog.shown
    again = await adele.open()
    assert again.address
    await signed_in_by(browser, stage, again, adele.person)
    assert "preview" in again.values


async def test_a_link_that_is_not_ours_shows_no_button(
    adele: Thread, stage: Stage, browser: aiohttp.ClientSession
) -> None:
    async with browser.get(f"{stage.app_url}/auth/dialog?s=forged") as shown:
        assert shown.status == 400
        assert "data-start" not in await shown.text()


async def test_what_only_an_administrator_can_approve_is_said_with_the_link(
    adele: Thread, stage: Stage, browser: aiohttp.ClientSession
) -> None:
    await adele.desk.teams.install(adele.person)
    await adele.desk.say("signin")
    stage.world.tenant_consents -= {SMS_SCOPE}
    await adele.say("text")
    dialog = await adele.open()
    assert "administrator" in dialog.shown
    assert "adminconsent" in str(dialog.card)
    stage.world.tenant_consents |= {SMS_SCOPE}
    await dialog.press("Try again")
    assert "message_type" in dialog.values


async def test_steps_keep_their_values_back_and_forth(adele: Thread, stage: Stage) -> None:
    await adele.desk.teams.install(adele.person)
    await adele.desk.say("signin")
    await adele.say("text")
    dialog = await adele.open()
    await dialog.press("Add a person", phone_0=SEATTLE)
    assert dialog.values["phone_0"] == SEATTLE
    meetings = stage.world.meetings.values()
    mine = next(m.join_url for m in meetings if m.organizer_id == adele.person.id)
    await dialog.press("Review", meeting=mine)
    await dialog.press("Change something")
    assert dialog.values["phone_0"] == SEATTLE
    assert dialog.values["meeting"]


async def test_while_entra_is_away_the_dialog_says_so_and_tries_again(
    adele: Thread, stage: Stage
) -> None:
    await adele.desk.teams.install(adele.person)
    await adele.desk.say("signin")
    await adele.desk.say("signout")
    await adele.say("notify")
    dialog = await adele.open()
    stage.world.faults.entra_down = True
    await dialog.submit({"code": "made-up"})
    assert dialog.is_open


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"verb": "dialog.open"},
        {"verb": "dialog.open", "command": "nothing", "kept": "-"},
        {"verb": "form.of.last.year", "form_id": "x"},
        {"msteams": {"type": "task/fetch"}},
        "text",
        ["text"],
        None,
    ],
    ids=str,
)
async def test_a_button_of_another_time_opens_those_of_today(
    adele: Thread, stage: Stage, data: object
) -> None:
    await adele.say("help")
    fetch = recorded(
        "channel-task-fetch",
        stage,
        adele.person,
        adele.place,
        message__id=adele.message().id,
        data=data,
    )
    answer = await stage.teams.send(fetch)
    assert answer.status == 200
    dialog = TaskDialog(adele.desk, adele.place, adele.message(), answer)
    assert "old one" in dialog.shown
    await adele.desk.teams.install(adele.person)
    await adele.desk.say("signin")
    await dialog.press("Notify teammates")
    assert "preview" in dialog.values


async def test_what_nobody_expected_is_a_card_with_a_number_for_support(
    adele: Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ValueError("the build is red")

    await adele.say("notify")
    monkeypatch.setattr(Notices, "open", broken)
    dialog = await adele.open()
    assert "For support" in dialog.shown
    assert "the build is red" not in dialog.shown
    assert dialog.has_button("Try again")


async def test_a_client_without_dialogs_is_told_where_to_go(adele: Thread, stage: Stage) -> None:
    await adele.say("notify")
    pressed = recorded(
        "channel-card-submit",
        stage,
        adele.person,
        adele.place,
        message__id=adele.message().id,
        data=actions.buttons(adele.card)[0]["data"],
    )
    answer = await stage.teams.send(pressed)
    assert answer.status == 200
    assert "own chat" in adele.shown
    assert "notify" in adele.shown


async def test_in_a_personal_chat_such_a_button_works_in_place(adele: Thread, stage: Stage) -> None:
    desk = adele.desk
    await desk.teams.install(desk.person)
    await desk.say("signin")
    pressed = recorded(
        "personal-card-submit",
        stage,
        desk.person,
        message__id=desk.message().id,
        data={"verb": "dialog.open", "command": "notify", "kept": "-"},
    )
    assert (await stage.teams.send(pressed)).status == 200
    assert "activity_type" in desk.values()
