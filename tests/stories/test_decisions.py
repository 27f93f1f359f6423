"""What an owner may decide of a delivery, and that nobody else may."""

import csv
import io
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from bot.settings import Settings
from sandbox import actions
from sandbox.stage import Stage
from sandbox.world import Person
from tests.desk import Desk

SMS = "sendVirtualAppointmentSms"
BULK = "sendActivityNotificationToRecipients"
SEATTLE = "(206) 342-8631"
REDMOND = "(425) 703-6214"


async def sent_text(desk: Desk, *script: str, **changed: str) -> None:
    meetings = desk.stage.world.meetings.values()
    meeting = next(m.join_url for m in meetings if m.organizer_id == desk.person.id)
    await desk.say("text")
    await desk.press(
        "Review", **{"meeting": meeting, "phone_0": SEATTLE, "phone_1": REDMOND, **changed}
    )
    desk.stage.world.script += script
    await desk.press("text.send")


async def sent_notice(desk: Desk, *names: str, **changed: str) -> None:
    people = ",".join(desk.stage.world.named(name).id for name in names)
    await desk.say("notify")
    await desk.press("notice.choose_kind", activity_type="deploymentApprovalRequired")
    values = {"param_deploymentId": "7", "preview": "Please look.", "recipients": people}
    await desk.press("Review", **{**values, **changed})
    await desk.press("notice.send")


async def test_an_unknown_text_arrived_when_its_owner_says_so(adele: Desk, stage: Stage) -> None:
    await sent_text(adele, "reset_after")
    await adele.press("delivery.arrived")
    assert not adele.has_button("delivery.send_again")
    assert "Arrived, as you said" in adele.shown
    assert "Accepted by Microsoft" not in adele.shown
    assert "Microsoft took" not in adele.shown
    assert adele.has_button("Send a reminder")
    await adele.say("history")
    assert "Accepted by Microsoft" not in adele.shown
    assert len([c for c in stage.world.graph_calls if c.path.endswith(SMS)]) == 1


async def test_an_unknown_text_goes_again_only_when_its_owner_says_so(
    adele: Desk, stage: Stage
) -> None:
    await sent_text(adele, "reset_before")
    assert adele.has_button("delivery.send_again")
    assert stage.world.phones == {}
    await adele.press("delivery.send_again")
    assert "accepted" in adele.shown.lower()
    assert all(len(texts) == 1 for texts in stage.world.phones.values())


async def test_a_refused_text_goes_to_each_separately_and_once(
    herald: Settings, at_desk: Callable[[str], Desk], stage: Stage
) -> None:
    isaiah = at_desk("Isaiah")
    await isaiah.teams.install(isaiah.person)
    await sent_text(isaiah)
    refused, message = isaiah.card, isaiah.message()
    isaiah.person.has_premium = True
    button = actions.button(refused, "delivery.separate")
    await isaiah.teams.press(isaiah.person, message.id, button, {})
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 2)
    await isaiah.teams.press(isaiah.person, message.id, button, {})
    assert [len(call.body["attendees"]) for call in stage.world.accepted(SMS)] == [1, 1]


@pytest.mark.parametrize("button", ["delivery.retry", "delivery.separate"])
async def test_what_goes_again_is_held_when_its_appointment_was_cancelled_meanwhile(
    herald: Settings, at_desk: Callable[[str], Desk], stage: Stage, button: str
) -> None:
    isaiah = at_desk("Isaiah")
    await isaiah.teams.install(isaiah.person)
    await sent_text(isaiah)
    isaiah.person.has_premium = True
    for meeting in stage.world.meetings.values():
        meeting.is_cancelled = True
    await isaiah.press(button)
    assert "was cancelled meanwhile" in isaiah.shown
    assert stage.world.phones == {}


async def test_what_was_refused_is_retried_once_however_often_it_is_pressed(
    adele: Desk, stage: Stage
) -> None:
    stage.world.named("Megan").has_app = False
    await sent_notice(adele, "Megan", "Lee")
    refused, message = adele.card, adele.message()
    stage.world.named("Megan").has_app = True
    button = actions.button(refused, "delivery.retry")
    for _ in range(2):
        await adele.teams.press(adele.person, message.id, button, {})
    assert len(stage.world.accepted(BULK)) == 1


async def test_a_correction_replaces_the_notice_in_the_feeds(adele: Desk, stage: Stage) -> None:
    await sent_notice(adele, "Megan", "Lee")
    await adele.press("delivery.correct")
    assert adele.values()["preview"] == "Please look."
    await adele.press("Review", preview="Please look before noon.")
    await adele.press("notice.send")
    first, second = stage.world.accepted(BULK)
    assert first.body["chainId"] == second.body["chainId"]
    [item] = stage.world.feeds[stage.world.named("Megan").id]
    assert item.preview == "Please look before noon."
    assert "Corrects" in adele.shown


@pytest.mark.parametrize("message_type", ["reschedule", "cancellation", "reminder"])
async def test_a_receipt_leads_to_the_next_text_with_the_attendees_kept(
    adele: Desk, message_type: str
) -> None:
    await sent_text(adele)
    button = next(
        b
        for b in actions.buttons(adele.card)
        if b.get("data", {}).get("message_type") == message_type
    )
    await adele.teams.press(adele.person, adele.message().id, button, {})
    values = adele.values()
    assert values["message_type"] == message_type
    assert values["phone_1"] == REDMOND


async def test_cancelling_the_rest_says_what_had_already_left(adele: Desk, stage: Stage) -> None:
    crowd = [
        Person(f"b{n:07d}-0000-4000-8000-{n:012d}", f"P {n}", f"p{n}@clinic.example", "", "UTC")
        for n in range(150)
    ]
    stage.world.people |= {person.id: person for person in crowd}
    stage.world.script += ["ok", "429:60"]
    await sent_notice(adele, recipient_list="\n".join(p.mail for p in crowd))
    await stage.world.until(lambda: "by itself" in adele.shown)
    await adele.press("delivery.cancel")
    assert "request 1 of 2 had already left, for 100 people" in adele.shown
    assert len(stage.world.accepted(BULK)) == 1


async def test_history_and_status_show_ones_own_deliveries(
    adele: Desk, at_desk: Callable[[str], Desk]
) -> None:
    await sent_text(adele)
    short_id = adele.shown.rpartition("Delivery ")[2].split()[0]
    await adele.say("history")
    assert "Follow-up visit" in adele.shown
    await adele.say(f"status {short_id}")
    assert "8631" in adele.shown
    megan = at_desk("Megan")
    await megan.teams.install(megan.person)
    await megan.say(f"status {short_id}")
    assert "8631" not in megan.shown
    await megan.say("history")
    assert "not sent anything" in megan.shown


VERBS = ["look", "change", "retry", "separate", "correct", "cancel", "now", "change_time"]
VERBS += ["arrived", "send_again", "results"]


@pytest.mark.parametrize("verb", VERBS)
async def test_nobody_decides_of_somebody_elses_delivery(
    adele: Desk, at_desk: Callable[[str], Desk], stage: Stage, verb: str
) -> None:
    await sent_text(adele, "reset_before")
    delivery_id = next(
        b["data"]["delivery_id"] for b in actions.buttons(adele.card) if "delivery_id" in b["data"]
    )
    megan = at_desk("Megan")
    await megan.teams.install(megan.person)
    data = {"verb": f"delivery.{verb}", "delivery_id": delivery_id}
    action = {"type": "Action.Execute", "verb": data["verb"], "data": data}
    answer = await megan.teams.press(megan.person, megan.message().id, action, {})
    assert "no longer leads anywhere" in str(answer.body["value"])
    assert stage.world.phones == {}


@pytest.fixture
async def onedrive() -> AsyncIterator[dict[str, Any]]:
    """Where Teams says that a file goes: it keeps what is put there."""
    kept: dict[str, Any] = {}

    async def put(request: web.Request) -> web.Response:
        kept["range"] = request.headers["Content-Range"]
        kept["content"] = await request.read()
        return web.Response(status=kept.get("status", 201))

    app = web.Application()
    app.add_routes([web.put("/upload", put)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    kept["address"] = f"http://127.0.0.1:{port}/upload"
    yield kept
    await runner.cleanup()


async def consent(desk: Desk, address: str, action: str = "accept") -> None:
    asked = desk.teams.last_message(desk.person).activity["attachments"][0]
    assert asked["contentType"] == "application/vnd.microsoft.teams.card.file.consent"
    value = {
        "type": "fileUpload",
        "action": action,
        "context": asked["content"]["acceptContext"],
        "uploadInfo": {
            "uploadUrl": address,
            "contentUrl": "https://contoso.sharepoint.com/x.csv",
            "name": asked["name"],
            "uniqueId": "1",
            "fileType": "csv",
        },
    }
    answer = await desk.teams.invoke(desk.person, "fileConsent/invoke", value)
    assert answer.ok


async def test_the_results_are_saved_as_a_file_without_whole_numbers(
    adele: Desk, onedrive: dict[str, Any]
) -> None:
    await sent_text(adele)
    await adele.press("delivery.results")
    await consent(adele, onedrive["address"])
    rows = list(csv.reader(io.StringIO(onedrive["content"].decode("utf-8-sig"))))
    assert rows[1] == ["…8631", "Pacific time", "accepted by Microsoft"]
    assert len(rows) == 3
    assert "2063428631" not in onedrive["content"].decode("utf-8-sig")


async def test_what_arrived_by_its_owners_word_is_saved_as_that(
    adele: Desk, onedrive: dict[str, Any]
) -> None:
    await sent_text(adele, "reset_after")
    await adele.press("delivery.arrived")
    await adele.press("delivery.results")
    await consent(adele, onedrive["address"])
    rows = list(csv.reader(io.StringIO(onedrive["content"].decode("utf-8-sig"))))
    assert [row[2] for row in rows[1:]] == ["arrived, as you said"] * 2


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("500_after", "Microsoft answered with a fault of its own"),
        ("reset_after", "The connection ended before an answer came"),
    ],
)
async def test_an_unknown_text_says_what_really_happened(adele: Desk, fault: str, why: str) -> None:
    await sent_text(adele, fault)
    assert why in adele.shown


async def test_a_name_that_is_a_formula_is_only_text(
    adele: Desk, stage: Stage, onedrive: dict[str, Any]
) -> None:
    stage.world.named("Lee").name = "=HYPERLINK(1)"
    people = ",".join(p.id for p in stage.world.people.values() if p.name[0] in "=M")
    await sent_notice(adele, recipients=people)
    await adele.press("delivery.results")
    await consent(adele, onedrive["address"])
    assert b"'=HYPERLINK" in onedrive["content"]


@pytest.mark.parametrize(
    "address", ["https://evil.example/upload", "http://contoso.sharepoint.com/x", "file:///x", ""]
)
async def test_a_file_goes_nowhere_but_to_microsoft(adele: Desk, address: str) -> None:
    await sent_text(adele)
    await adele.press("delivery.results")
    await consent(adele, address)
    assert "could not be saved" in adele.shown


async def test_declining_the_file_saves_nothing(adele: Desk, onedrive: dict[str, Any]) -> None:
    await sent_text(adele)
    await adele.press("delivery.results")
    await consent(adele, onedrive["address"], "decline")
    assert "content" not in onedrive


async def test_where_no_file_can_be_taken_a_download_asks_who_one_is(
    adele: Desk, stage: Stage
) -> None:
    await sent_text(adele)
    button = actions.button(adele.card, "delivery.results")
    value = {"commandId": "textAttendees", "data": button["data"]}
    answer = await stage.teams.invoke(adele.person, "composeExtension/submitAction", value)
    offered = answer.body["task"]["value"]["card"]["content"]
    [link] = [b["url"] for b in actions.buttons(offered) if b["type"] == "Action.OpenUrl"]

    megan = stage.world.named("Megan")
    assert await downloaded(stage, link, megan) == (403, "")
    status, text = await downloaded(stage, link, adele.person)
    assert status == 200
    assert "…8631" in text
    assert "2063428631" not in text


async def downloaded(stage: Stage, link: str, person: Person) -> tuple[int, str]:
    """Open a download link as this person; the status, and the file."""
    connector = aiohttp.TCPConnector(ssl=stage.trust())
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as browser:
        at_app = link.replace(stage.public_url, stage.app_url)
        async with browser.get(URL(at_app), allow_redirects=False) as gone:
            address = gone.headers["Location"]
        end = stage.entra.sign_in(address, person)
        at_app = end.replace(stage.public_url, stage.app_url)
        async with browser.get(URL(at_app, encoded=True)) as got:
            return got.status, await got.text() if got.status == 200 else ""


async def test_cancelling_what_is_on_the_wire_says_that_it_is_on_its_way(
    adele: Desk, stage: Stage
) -> None:
    stage.world.script += ["hang"]
    await sent_text(adele)
    assert not adele.has_button("delivery.cancel")
    [delivery] = [card for card in adele.cards if "Being sent" in str(card)]
    message = adele.message(delivery)
    cancel = {"type": "Action.Execute", "verb": "delivery.cancel"}
    button = actions.button(delivery, "Look again")
    data = {**button["data"], "verb": "delivery.cancel"}
    await adele.teams.press(adele.person, message.id, {**button, **cancel, "data": data}, {})
    assert "already on its way" in adele.shown
    await stage.graph.stop()  # or the app waits for what hangs
