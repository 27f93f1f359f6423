"""Dialogs of the compose box: nothing closes them with what was typed, and nothing is posted."""

import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from bot.delivery.database import StorageUnavailable
from bot.delivery.drafts import Drafts
from bot.delivery.ledger import Ledger
from bot.settings import Settings
from sandbox import actions
from sandbox.conversation import Conversation
from sandbox.stage import Stage
from tests.desk import Desk
from tests.stories.test_sign_in import complete

SEATTLE = "(206) 342-8631"
SMS = "sendVirtualAppointmentSms"
SMS_SCOPE = "VirtualAppointmentNotification.Send"


@pytest.fixture
async def adele(herald: Settings, at_desk: Callable[[str], Desk]) -> Desk:
    desk = at_desk("Adele")
    await desk.teams.install(desk.person)
    await desk.say("signin")
    return desk


@pytest.fixture
def elsewhere(adele: Desk, stage: Stage) -> Conversation:
    """A chat that the bot is no member of."""
    place = stage.connector.conversations.shared("Elsewhere", [adele.person])
    place.has_bot = False
    return place


# The form's own title stands above it to the end.
TITLES = {"textAttendees": "Send an appointment text", "notifyTeammates": "Notify teammates"}


class Dialog:
    """The dialog as it stands, of one person at one place."""

    def __init__(self, desk: Desk, place: Conversation | None, command: str) -> None:
        self.desk, self.place, self.command = desk, place, command
        self.card: dict[str, Any] = {}

    async def open(self) -> "Dialog":
        await self._take("composeExtension/fetchTask", {"commandId": self.command})
        return self

    async def press(self, name: str, **entered: str) -> None:
        known = actions.buttons(self.card)
        button = next(b for b in known if name in {b["title"], b.get("data", {}).get("verb")})
        data = {**actions.inputs(self.card), **entered, **button["data"]}
        value = {"commandId": self.command, "data": data}
        await self._take("composeExtension/submitAction", value)

    async def _take(self, name: str, value: dict[str, Any]) -> None:
        desk = self.desk
        answer = await desk.teams.invoke(desk.person, name, value, self.place)
        assert answer.ok
        assert answer.body["task"]["type"] == "continue", answer.body
        assert answer.body["task"]["value"]["title"] == TITLES[self.command]
        self.card = answer.body["task"]["value"]["card"]["content"]
        assert "Action.Execute" not in json.dumps(self.card)
        assert len(json.dumps(self.card)) < 28 * 1024

    @property
    def shown(self) -> str:
        return actions.text_of(self.card)

    @property
    def values(self) -> dict[str, str]:
        return actions.inputs(self.card)


def meeting_of(desk: Desk) -> str:
    meetings = desk.stage.world.meetings.values()
    return next(m.join_url for m in meetings if m.organizer_id == desk.person.id)


async def test_a_form_that_is_too_long_stays_open_with_all_of_it(adele: Desk) -> None:
    dialog = await Dialog(adele, None, "textAttendees").open()
    pasted = "x" * 6_000
    await dialog.press("Review", attendee_list=pasted, phone_0="12")
    assert pasted in dialog.values.values()
    assert "12" in dialog.values.values()


async def test_what_no_form_can_show_again_is_there_to_be_copied(adele: Desk) -> None:
    dialog = await Dialog(adele, None, "textAttendees").open()
    pasted = "\n".join(f"+1206342{n:04d}, Pacific" for n in range(900))
    await dialog.press("Review", attendee_list=pasted, phone_0="12")
    assert pasted in dialog.values.values()
    assert "12" in dialog.values.values()


async def test_a_signed_out_review_keeps_the_form_and_has_the_link_in_it(
    adele: Desk,
    stage: Stage,
    elsewhere: Conversation,
    browser: aiohttp.ClientSession,
) -> None:
    dialog = await Dialog(adele, elsewhere, "textAttendees").open()
    await adele.say("signout")
    posted = len(adele.cards)
    await dialog.press("Review", meeting=meeting_of(adele), phone_0=SEATTLE)
    assert dialog.values["phone_0"] == SEATTLE
    link = actions.button(dialog.card, "Sign in")
    assert link["type"] == "Action.OpenUrl"
    assert not elsewhere.messages
    assert len(adele.cards) == posted

    # The page itself ends the sign-in: there is no pop-up of Teams that would bring a code.
    assert await complete(browser, stage, link["url"], adele.person) == ""
    await dialog.press("Review", meeting=meeting_of(adele), phone_0=SEATTLE)
    assert "(206) 342-8631" in dialog.shown
    await dialog.press("text.send")
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1)


async def test_allowing_the_calendar_in_a_dialog_keeps_the_form_and_has_the_link_in_it(
    adele: Desk, stage: Stage, elsewhere: Conversation, browser: aiohttp.ClientSession
) -> None:
    adele.person.consents -= {"Calendars.Read", "OnlineMeetings.Read"}
    dialog = await Dialog(adele, elsewhere, "textAttendees").open()
    await dialog.press("text.allow_calendar", phone_0=SEATTLE)
    assert dialog.values["phone_0"] == SEATTLE
    link = actions.button(dialog.card, "Sign in")["url"]
    assert not elsewhere.messages
    await complete(browser, stage, link, adele.person)
    await dialog.press("text.allow_calendar")
    assert dialog.values["phone_0"] == SEATTLE
    assert any(part.get("id") == "meeting" for part in actions.elements(dialog.card))


async def test_another_persons_sign_in_through_the_dialogs_link_is_not_kept(
    adele: Desk, stage: Stage, browser: aiohttp.ClientSession
) -> None:
    dialog = await Dialog(adele, None, "textAttendees").open()
    await adele.say("signout")
    await dialog.press("Review", meeting=meeting_of(adele), phone_0=SEATTLE)
    link = actions.button(dialog.card, "Sign in")["url"]
    await complete(browser, stage, link, stage.world.named("Megan"))
    await adele.say("whoami")
    assert "not signed in" in adele.shown


async def test_try_again_after_the_approval_opens_the_form_in_the_dialog(
    adele: Desk, stage: Stage, elsewhere: Conversation
) -> None:
    stage.world.tenant_consents -= {SMS_SCOPE}
    await adele.say("signout")
    await adele.say("signin")
    dialog = await Dialog(adele, elsewhere, "textAttendees").open()
    assert "administrator" in dialog.shown
    stage.world.tenant_consents |= {SMS_SCOPE}
    posted = len(adele.cards)
    await dialog.press("Try again")
    assert "message_type" in dialog.values
    assert not elsewhere.messages
    assert len(adele.cards) == posted


async def test_a_send_that_could_not_be_written_down_goes_back_to_the_form(
    adele: Desk, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = await Dialog(adele, None, "textAttendees").open()
    await dialog.press("Review", meeting=meeting_of(adele), phone_0=SEATTLE)

    async def full(*_: Any, **__: Any) -> Any:
        raise StorageUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(Ledger, "submit", full)
        await dialog.press("text.send")
    assert "could not write this down" in dialog.shown
    assert dialog.values["phone_0"] == SEATTLE
    await dialog.press("Review")
    await dialog.press("text.send")
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1)


async def test_a_review_that_could_not_be_written_down_keeps_the_form(
    adele: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any, **__: Any) -> Any:
        raise StorageUnavailable

    dialog = await Dialog(adele, None, "textAttendees").open()
    monkeypatch.setattr(Drafts, "keep", full)
    await dialog.press("Review", meeting=meeting_of(adele), phone_0=SEATTLE)
    assert "could not write this down" in dialog.shown
    assert dialog.values["phone_0"] == SEATTLE


async def test_somebody_elses_form_is_refused_and_keeps_what_was_typed(
    adele: Desk, stage: Stage, at_desk: Callable[[str], Desk]
) -> None:
    megan = at_desk("Megan")
    await megan.teams.install(megan.person)
    await megan.say("signin")
    dialog = await Dialog(adele, None, "textAttendees").open()
    hers = Dialog(megan, None, "textAttendees")
    hers.card = dialog.card
    await hers.press("Review", phone_0=SEATTLE)
    assert "somebody else" in hers.shown
    assert SEATTLE in hers.values.values()
    await hers.press("Open an empty form")
    assert "message_type" in hers.values
