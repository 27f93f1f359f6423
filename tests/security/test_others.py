"""Every verb, dialog, command, search, download and file consent, tried by somebody else.

The buttons are found by reflection: one that is added is tried here the same day.
"""

import json
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.settings import ROOT, Settings
from bot.teams.commands import COMMANDS
from cards import buttons
from sandbox import actions
from sandbox.calls import Answer
from sandbox.stage import Stage
from sandbox.world import Person
from tests.desk import Desk
from tests.recorded import recorded
from tests.stories.test_schedules import later
from tests.stories.test_sign_in import complete

SEATTLE = "(206) 342-8631"
OTHER_NUMBER = "(425) 703-6214"
PRIVATE = ("8631", "Zebra", "car park")
MANIFEST = json.loads((ROOT / "manifest" / "manifest.json").read_text("utf-8"))
COMMAND_IDS = [one["id"] for one in MANIFEST["composeExtensions"][0]["commands"]]
OWNED = sorted(
    (
        kind
        for kind in buttons._KNOWN.values()
        if {"form_id", "delivery_id", "draft_id"} & {field.name for field in fields(kind)}
    ),
    key=lambda kind: kind.verb,
)


@dataclass
class Loot:
    """The ids of what Adele has: what a stranger might have seen or guessed."""

    form_id: str
    draft_id: str
    notice_form_id: str
    notice_draft_id: str
    delivery_ids: tuple[str, ...]

    def data(self, kind: type[buttons.Button], delivery_id: str) -> dict[str, Any]:
        is_notice = kind.verb.startswith("notice.")
        known: dict[str, Any] = {
            "form_id": self.notice_form_id if is_notice else self.form_id,
            "draft_id": self.notice_draft_id if is_notice else self.draft_id,
            "delivery_id": delivery_id,
            "seen": "9999999999999",
            "rows": 1,
            "message_type": "cancellation",
        }
        wanted = {field.name for field in fields(kind)}
        data = {name: known.get(name, "text") for name in wanted}
        typed = {"when_date": "2030-01-01", "when_time": "09:00", "phone_0": OTHER_NUMBER}
        return {**typed, **data, "verb": kind.verb}


def rows(stage: Stage) -> list[Any]:
    """All that the ledger holds of deliveries, drafts and sign-ins."""
    found = []
    with sqlite3.connect(stage.state_dir / "herald.sqlite3") as database:
        for table in ("deliveries", "batches", "drafts", "token_caches"):
            found += sorted(map(repr, database.execute(f"SELECT * FROM {table}")))  # noqa: S608
    database.close()
    return found


@pytest.fixture
async def loot(adele: Desk, stage: Stage) -> Loot:
    """What Adele has: a text that went, one nobody can tell of, one that waits, and two reviews."""
    meetings = stage.world.meetings.values()
    mine = next(m for m in meetings if m.organizer_id == adele.person.id)
    mine.subject = "Zebra"

    async def reviewed(**more: str) -> None:
        await adele.say("text")
        await adele.press("Review", meeting=mine.join_url, phone_0=SEATTLE, **more)

    found = []
    for script, more in (([], {}), (["500"], {}), ([], later(adele, hours=1))):
        await reviewed(**more)
        stage.world.script += script
        await adele.press("text.send")
        found += [
            str(button["data"]["delivery_id"])
            for button in actions.buttons(adele.card)
            if "delivery_id" in button.get("data", {})
        ][:1]
    await reviewed()
    text = actions.button(adele.card, "text.send")["data"]
    await adele.say("notify")
    lee = stage.world.named("Lee")
    await adele.press(
        "Review",
        activity_type="systemDefault",
        systemDefaultText="The car park is closed",
        preview="The car park is closed.",
        recipients=lee.id,
    )
    notice = next(
        (b["data"] for b in actions.buttons(adele.card) if b.get("verb") == "notice.send"), {}
    )
    form = next(b["data"] for b in actions.buttons(adele.card) if "form_id" in b.get("data", {}))
    return Loot(
        text["form_id"],
        text["draft_id"],
        form["form_id"],
        notice.get("draft_id", "0"),
        tuple(found),
    )


def stranger(stage: Stage) -> Person:
    """Somebody of a tenant that Herald is not for."""
    megan = stage.world.named("Megan")
    other = replace(
        megan,
        id=str(uuid.uuid4()),
        tenant_id=str(uuid.uuid4()),
        mail="eve@evil.example",
        name="Eve",
    )
    stage.world.people[other.id] = other
    return other


async def everything(stage: Stage, person: Person, loot: Loot) -> list[tuple[str, Answer]]:
    """Every button, of every delivery, and once in every way that an action can come."""
    answers = []
    for kind in OWNED:
        first, *rest = (*loot.delivery_ids, loot.delivery_ids[0][:8])
        data = loot.data(kind, first)
        ways: list[tuple[str, dict[str, Any]]] = [
            ("adaptiveCard/action", pressed(data)),
            ("adaptiveCard/action", {**pressed(data), "trigger": "automatic"}),
            ("task/fetch", {"data": data}),
            ("task/submit", {"data": data}),
            ("composeExtension/submitAction", {"commandId": "textAttendees", "data": data}),
        ]
        if "delivery_id" in {field.name for field in fields(kind)}:
            ways += [("adaptiveCard/action", pressed(loot.data(kind, other))) for other in rest]
        for name, value in ways:
            answer = await stage.teams.invoke(person, name, value)
            answers.append((f"{name} {kind.verb}", answer))
        sent = recorded("personal-card-submit", stage, person, data=data, message__id="1")
        answers.append((f"submit {kind.verb}", await stage.teams.send(sent)))
    return answers


def pressed(data: dict[str, Any]) -> dict[str, Any]:
    action = {"type": "Action.Execute", "verb": data["verb"], "data": data}
    return {"action": action, "trigger": "manual"}


async def test_every_button_of_ones_own_is_found() -> None:
    assert len(OWNED) >= 20
    assert {"text.send", "notice.send", "delivery.cancel"} <= {kind.verb for kind in OWNED}


async def test_a_colleague_gets_nothing_and_changes_nothing(
    adele: Desk, loot: Loot, stage: Stage, at_desk: Callable[[str], Desk]
) -> None:
    megan = at_desk("Megan")
    await megan.teams.install(megan.person)
    await megan.say("notify")
    before, sent = rows(stage), len(stage.world.graph_calls)
    shown_before = len(adele.cards)
    answers = await everything(stage, megan.person, loot)
    assert rows(stage) == before
    assert not [call for call in stage.world.graph_calls[sent:] if "send" in call.path.lower()]
    assert len(adele.cards) == shown_before
    for what, answer in answers:
        assert answer.status < 500, what
        assert not [word for word in PRIVATE if word in str(answer.body)], what
    chat = "".join(str(message.activity) for message in megan.teams.chat(megan.person).messages)
    assert not [word for word in PRIVATE if word in chat]


async def test_another_tenant_is_answered_403_and_nothing_else(
    adele: Desk, loot: Loot, stage: Stage
) -> None:
    eve = stranger(stage)
    before, sent = rows(stage), len(stage.world.graph_calls)
    answers = await everything(stage, eve, loot)
    assert rows(stage) == before
    assert len(stage.world.graph_calls) == sent
    for what, answer in answers:
        expected = 200 if what.startswith("submit ") else 403
        assert answer.status == expected, what
        assert not answer.body, what


async def test_no_command_tells_a_colleague_of_it(
    adele: Desk, loot: Loot, stage: Stage, at_desk: Callable[[str], Desk]
) -> None:
    megan = at_desk("Megan")
    await megan.teams.install(megan.person)
    before = [row for row in rows(stage) if adele.person.id in row]
    for command in COMMANDS:
        await megan.say(f"{command.name} {loot.delivery_ids[0]}")
    assert [row for row in rows(stage) if adele.person.id in row] == before
    shown = str(megan.cards)
    assert not [other for other in PRIVATE if other in shown]


async def test_no_search_finds_it(
    adele: Desk, loot: Loot, stage: Stage, at_desk: Callable[[str], Desk]
) -> None:
    megan = at_desk("Megan").person
    searches = ("composeExtension/query", "application/search")
    texts = ("", "car park", loot.delivery_ids[0][:8], "8631", "%", "_", "'")
    for name, text in product(searches, texts):
        value = {
            "commandId": "search",
            "queryText": text,
            "parameters": [{"name": "query", "value": text}],
            "queryOptions": {"skip": 0, "top": 25},
            "dataset": "sent",
        }
        for command in COMMAND_IDS:
            answer = await stage.teams.invoke(megan, name, {**value, "commandId": command})
            assert answer.status in {200, 400, 501}
            told = str(answer.body)
            assert not [word for word in PRIVATE if word in told]
            assert loot.delivery_ids[0] not in told


@pytest.fixture
async def upload() -> AsyncIterator[dict[str, Any]]:
    """Where Teams would put a file; what came there."""
    kept: dict[str, Any] = {"content": []}

    async def put(request: web.Request) -> web.Response:
        kept["content"].append(await request.read())
        return web.Response(status=201)

    app = web.Application()
    app.add_routes([web.put("/upload", put)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    kept["address"] = f"http://127.0.0.1:{runner.addresses[0][1]}/upload"
    yield kept
    await runner.cleanup()


async def test_a_file_is_not_put_where_somebody_else_wants_it(
    adele: Desk,
    loot: Loot,
    stage: Stage,
    at_desk: Callable[[str], Desk],
    upload: dict[str, Any],
) -> None:
    megan = at_desk("Megan")
    await megan.teams.install(megan.person)
    for person in (megan.person, stranger(stage)):
        value = {
            "type": "fileUpload",
            "action": "accept",
            "context": {"delivery_id": loot.delivery_ids[0]},
            "uploadInfo": {
                "contentUrl": upload["address"],
                "uploadUrl": upload["address"],
                "uniqueId": "1",
                "fileType": "csv",
                "name": "x.csv",
            },
        }
        answer = await stage.teams.invoke(person, "fileConsent/invoke", value)
        assert answer.status in {200, 403}
        assert not [word for word in PRIVATE if word in str(answer.body)]
    assert upload["content"] == []
    assert not [word for word in PRIVATE if word in str(megan.cards)]


async def test_a_download_link_gives_nothing_to_whoever_else_opens_it(
    adele: Desk,
    loot: Loot,
    stage: Stage,
    herald: Settings,
    browser: aiohttp.ClientSession,
) -> None:
    from bot.actor import Actor
    from bot.identity.sign_in import DOWNLOAD, PopUp

    me = Actor(adele.person.tenant_id, adele.person.id)
    maker = PopUp(herald, None)  # type: ignore[arg-type] - a link needs no database
    link = maker.link(me, (), f"{DOWNLOAD}{loot.delivery_ids[0]}")
    megan = stage.world.named("Megan")
    assert await complete(browser, stage, link, megan) == ""
    async with browser.get(f"{stage.app_url}/auth/end") as page:
        assert not [word for word in PRIVATE if word in await page.text()]


def test_ids_cannot_be_guessed(loot: Loot, adele: Desk) -> None:
    for delivery_id in loot.delivery_ids:
        assert len(bytes.fromhex(delivery_id)) == 16
    assert len(set(loot.delivery_ids)) == len(loot.delivery_ids)
    for minted in (loot.form_id, loot.notice_form_id):
        assert len(minted.split(".")[-1]) >= 20 or len(minted) >= 40
