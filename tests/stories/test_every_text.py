"""Every text that leaves Herald is one that the catalogues know, whatever a person does.

Everybody speaks the made-up language of `tests.marked`. What leaves the process is looked at where
it leaves, answers and posts alike: each visible text is inside the marks, or is data.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from yarl import URL

from bot.notifications.activity_types import read_activity_types
from bot.settings import Settings
from bot.teams import pace, wire
from bot.words import gettext, speaking
from sandbox import actions, activities
from sandbox.conversation import Conversation
from sandbox.stage import Stage
from tests.conftest import Serve
from tests.desk import Desk
from tests.marked import LANGUAGE, leftover, speak_marked, unmarked
from tests.recorded import recorded
from tests.thread import Thread

SEATTLE = "(206) 342-8631"
# Ids, addresses, and what Teams, Entra and Graph call things.
NAMES = re.compile(
    r"https?://\S+|herald-\w+\.csv|[0-9a-f]{8}-[0-9a-f-]{27}|\b(?=\w*\d)[0-9a-f]{6,32}\b"
    r"|\b[A-Za-z]+\.[A-Z][A-Za-z.]+\b|\bHerald\b|\S+@\S+|ℹ"
)


class Watch:
    """All that left so far with a text that is not translated."""

    def __init__(self, stage: Stage) -> None:
        world = stage.world
        self.data = [person.name for person in world.people.values()]
        self.data += [meeting.subject for meeting in world.meetings.values()]
        self.data += [team.name for team in world.teams.values()]
        self.data += ["the United Kingdom", "Care team", "Ward"]
        # The manifest's own words: its language files have them (`tests/admin/test_package.py`).
        for kind in read_activity_types()[:-1]:
            self.data += [kind.description, *re.split(r"\{\w+\}", kind.template)]
        self.data = sorted(filter(str.strip, self.data), key=len, reverse=True)
        self.found: list[str] = []
        self.seen = 0

    def look(self, body: Any) -> None:
        self.seen += 1
        for text in unmarked(body):
            rest = NAMES.sub(" ", text)
            if leftover(rest, self.data):
                self.found.append(text)


@pytest.fixture
def watch(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    speak_marked(monkeypatch)
    for person in stage.world.people.values():
        person.locale = LANGUAGE
    watching, dumps = Watch(stage), wire.dumps

    def looked(body: Any) -> bytes:
        watching.look(body)
        return dumps(body)

    monkeypatch.setattr(wire, "dumps", looked)
    yield watching
    assert watching.seen
    assert "\n".join(dict.fromkeys(watching.found)) == ""


@pytest.fixture
async def adele(watch: Watch, herald: Settings, at_desk: Callable[[str], Desk]) -> Desk:
    desk = at_desk("Adele")
    await desk.teams.install(desk.person)
    return desk


def meeting_of(desk: Desk) -> str:
    meetings = desk.stage.world.meetings.values()
    return next(m.join_url for m in meetings if m.organizer_id == desk.person.id)


def tomorrow() -> dict[str, str]:
    day = datetime.now(UTC) + timedelta(days=1)
    return {"when": "later", "when_date": day.date().isoformat(), "when_time": "09:00"}


def titled(card: dict[str, Any], verb: str) -> str:
    """The title of the button that does this, in a dialog."""
    known = actions.buttons(card)
    return next(str(b["title"]) for b in known if (b.get("data") or {}).get("verb") == verb)


def soon() -> dict[str, str]:
    """In five minutes on Adele's clock: before any of her appointments."""
    at = (datetime.now(UTC) + timedelta(minutes=5)).astimezone(ZoneInfo("America/Los_Angeles"))
    clock = at.strftime("%H:%M")
    return {"when": "later", "when_date": at.date().isoformat(), "when_time": clock}


async def test_a_text_its_errors_its_receipt_and_what_follows(adele: Desk, stage: Stage) -> None:
    for word in ("help", "xyzzy", "signin", "whoami", "history", "scheduled", "status 123456"):
        await adele.say(word)
    await adele.say("text confirmation (206) 342-8631")
    wrong = {"phone_0": "12", "phone_1": "+44 20 7946 0958", "attendee_list": "x\n(800) 342-8631"}
    await adele.press("text.review", **wrong, join_link="https://evil.example/")
    await adele.press("text.add_attendee")
    right = {"phone_0": SEATTLE, "phone_1": SEATTLE, "attendee_list": "425 703 6214, Pacific"}
    await adele.press("text.review", **right, join_link=meeting_of(adele))
    await adele.press("text.edit")
    await adele.press("text.review")
    await adele.press("text.send")
    await adele.press("delivery.look")
    await adele.press("delivery.results")
    await adele.say("history")
    await adele.say("text")
    reminder = {"meeting": meeting_of(adele), "message_type": "reminder", "phone_0": SEATTLE}
    await adele.press("text.review", **reminder, **tomorrow())
    await adele.press("text.review", **reminder, **soon())
    await adele.press("text.send")
    await adele.press("delivery.change_time", when_date="", when_time="")
    await adele.press("delivery.cancel")
    await adele.say("scheduled")
    await adele.say("signout")


async def test_what_goes_wrong_with_a_text(adele: Desk, stage: Stage) -> None:
    await adele.say("signin")
    for number, fault in enumerate(("unavailable", "hang", "throttled")):
        await adele.say("text")
        await adele.press("text.review", meeting=meeting_of(adele), phone_0=SEATTLE)
        setattr(stage.world.faults, fault, True)
        await adele.press("text.send")
        await stage.world.until(lambda: len(adele.cards) > 0)
        setattr(stage.world.faults, fault, False)
        await adele.say("history")
        assert number < 3
    adele.person.has_premium = False
    await adele.say("text")
    both = {"phone_0": SEATTLE, "phone_1": "425 703 6214"}
    await adele.press("text.review", meeting=meeting_of(adele), **both)
    await adele.press("text.send")
    await adele.press("delivery.change")
    await stage.graph.stop()  # or the app waits for what hangs


async def test_what_has_changed_since_and_what_waits_for_its_owner(
    adele: Desk, stage: Stage
) -> None:
    meeting = next(m for m in stage.world.meetings.values() if m.organizer_id == adele.person.id)
    chosen = {"meeting": meeting.join_url, "phone_0": SEATTLE, "phone_1": "425 703 6214"}
    await adele.say("text")
    await adele.press("text.review", **chosen)
    await adele.press("text.send")
    for _ in range(2):
        await adele.say("text")
        await adele.press("text.review", **chosen, **soon())
        await adele.press("text.send")
    meeting.start += timedelta(days=2)
    meeting.end += timedelta(days=2)
    await adele.press("delivery.now")
    await adele.say("history")
    await adele.press("delivery.look")
    await adele.say("signout")
    due(stage)
    await adele.say("scheduled")
    adele.person.consents -= {"Calendars.Read"}
    await adele.say("text")
    meeting.is_cancelled = True
    meeting.start -= timedelta(days=9)
    meeting.end -= timedelta(days=9)
    await adele.press("text.review", join_link=meeting.join_url, phone_0=SEATTLE)


async def test_buttons_that_lead_nowhere_and_files_that_nobody_takes(
    adele: Desk, stage: Stage
) -> None:
    await adele.say("text")
    both = {"phone_0": SEATTLE, "phone_1": "425 703 6214"}
    await adele.press("text.review", meeting=meeting_of(adele), **both)
    await adele.press("text.send")
    await adele.press("delivery.results")
    card = adele.teams.last_message(adele.person).activity["attachments"][0]["content"]
    for action, context in (("decline", {}), ("accept", card["acceptContext"]), ("accept", {})):
        upload = {"uploadUrl": "https://evil.example/", "contentUrl": "", "uniqueId": "1"}
        value = {"type": "fileUpload", "action": action, "context": context, "uploadInfo": upload}
        await adele.teams.invoke(adele.person, "fileConsent/invoke", value)
    place = stage.teams.channel(stage.teams.team("Ward", stage.world.people.values()))
    nobody = "0" * 32
    for where in (stage.teams.chat(adele.person), place):
        for pressed in (
            {"verb": "delivery.look", "delivery_id": nobody},
            {"verb": "text.send", "form_id": "text.x.y", "draft_id": "z"},
            {"verb": "notice.send", "form_id": "notice.x.y", "draft_id": "z"},
            {"verb": "of.earlier", "form_id": "x", "phone_0": "1"},
            {"verb": "identity.try_again", "then": "history"},
            {"verb": "dialog.open", "command": "history", "kept": "-"},
        ):
            button = {"type": "Action.Execute", "verb": pressed["verb"], "data": pressed}
            told = {"action": button, "trigger": "manual"}
            await adele.teams.invoke(adele.person, "adaptiveCard/action", told, where)
            said = activities.message(stage.world, adele.person, where, "", value=pressed)
            await adele.teams.send(said)


def due(stage: Stage) -> None:
    """Everything that waits is due."""
    with sqlite3.connect(stage.state_dir / "herald.sqlite3") as database:
        database.execute("UPDATE batches SET due_at_ms = 1 WHERE state = 'scheduled'")


async def test_a_notice_its_errors_its_receipt_and_what_follows(adele: Desk) -> None:
    await adele.say("notify Lunch is ready")
    await adele.press("notice.review", topic="link", topic_link="https://evil.example/")
    ids = ",".join(adele.stage.world.named(name).id for name in ("Adele", "Lee", "Megan"))
    every = {
        "recipients": ids,
        "recipient_list": "nobody@contoso.com; <?>; Al",
        "preview": "x" * 151,
    }
    await adele.press("notice.choose_kind", activity_type="deploymentApprovalRequired")
    await adele.press("notice.review", **every)
    right = {"param_deploymentId": "6788662", "preview": "42", "recipient_list": ""}
    await adele.press("notice.review", recipients=ids, topic="chat", **right)
    await adele.press("notice.send")
    await adele.press("delivery.results")
    await adele.press("delivery.correct")
    await adele.press("notice.review", preview="43", **tomorrow())
    await adele.press("notice.send")
    await adele.press("delivery.cancel")
    await adele.say("history")


async def test_in_a_channel_with_its_dialogs(adele: Desk, stage: Stage) -> None:
    people = [who for who in stage.world.people.values() if not who.is_guest]
    team = stage.teams.team("Care team", people, ("General", "Front desk"))
    await adele.say("signin")
    thread = Thread(adele, stage.teams.channel(team, "Front desk"))
    for word in ("help", "xyzzy", "history", "scheduled", "status", "whoami", "signin", "signout"):
        await thread.say(word)
    await adele.say("signin")
    await thread.say("text")
    dialog = await thread.open()
    await dialog.press(titled(dialog.card, "text.review"), phone_0="1")
    review = titled(dialog.card, "text.review")
    await dialog.press(review, meeting=meeting_of(adele), phone_0=SEATTLE)
    await dialog.press(titled(dialog.card, "text.send"))
    await stage.world.until(lambda: "✅" in thread.shown)
    await thread.say("notify @Lee 42", stage.world.named("Lee"))
    form = await thread.open()
    at_once = {"audience": "team", "way": "at_once", "topic": "app"}
    await form.press(titled(form.card, "notice.review"), **at_once)
    others = await Thread(Desk(stage, stage.world.named("Megan")), thread.place).open()
    assert others.is_open or others.address


async def test_in_the_compose_box(adele: Desk, stage: Stage) -> None:
    team = stage.teams.team("Ward", stage.world.people.values())
    place = stage.teams.channel(team)
    place.has_bot = False
    await invoked(adele, place, "composeExtension/fetchTask", {"commandId": "textAttendees"})
    await invoked(adele, place, "composeExtension/fetchTask", {"commandId": "nonsense"})
    await adele.say("signin")
    for command in ("textAttendees", "notifyTeammates", "notifyAboutMessage"):
        await invoked(adele, place, "composeExtension/fetchTask", {"commandId": command})
    said = recorded(
        "compose-about-message", stage, adele.person, place, message__id="1700000000001"
    )
    said["value"]["messagePayload"] |= {"body": {}, "subject": "", "linkToMessage": ""}
    await stage.teams.send(said)
    for data in (None, {"verb": "nonsense"}, {"verb": "text.review", "form_id": "x", "rows": 1}):
        await invoked(adele, place, "composeExtension/submitAction", {"data": data})
    for words in ("", "cita", "nothing like it"):
        parameters = [{"name": "words", "value": words}]
        query = {"commandId": "findSent", "parameters": parameters}
        await invoked(adele, place, "composeExtension/query", query)


async def test_when_signing_in_does_not_go_by_itself(adele: Desk, stage: Stage) -> None:
    adele.person.consents.clear()
    await adele.say("notify")
    stage.world.tenant_consents.clear()
    await adele.say("text")
    stage.world.faults.entra_down = True
    await adele.say("signin")
    await adele.say("notify")


async def test_a_tenant_that_asks_too_much_and_one_that_is_strange(
    watch: Watch, serve: Serve, at_desk: Callable[[str], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "BURST_S", 0.0)
    async with serve(allowed_tenants="11111111-1111-4111-8111-111111111111"):
        await at_desk("Adele").say("help")
        await at_desk("Adele").say("help")


async def test_the_pages_of_the_sign_in(
    watch: Watch, herald: Settings, stage: Stage, browser: aiohttp.ClientSession
) -> None:
    for path in ("start?s=x", "dialog?s=x", "end", "approved", "approved?admin_consent=True"):
        address = URL(f"{stage.app_url}/auth/{path}")
        async with browser.get(address, headers={"Accept-Language": LANGUAGE}) as page:
            text = re.sub(r"<[^>]+>", "\n", await page.text())
            assert leftover(text.replace("Herald", "")) == "", path
    with speaking(LANGUAGE):
        watch.look({"text": gettext("Sign in")})


async def invoked(desk: Desk, place: Conversation, name: str, value: dict[str, Any]) -> None:
    answer = await desk.teams.invoke(desk.person, name, value, place)
    assert answer.ok
    card = actions.elements(answer.body)
    assert card is not None
