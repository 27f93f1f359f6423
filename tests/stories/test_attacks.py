"""What a hostile, hasty or unlucky person does; Herald sends nothing twice and stays standing."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from bot.settings import Settings
from sandbox import actions, activities
from sandbox.stage import Stage
from tests.desk import Desk

SEATTLE = "(206) 342-8631"
REDMOND = "(425) 703-6214"
SMS = "sendVirtualAppointmentSms"
PRIVATE = ("2063428631", "342-8631", "703-6214", "Follow-up", "Adele", "meetup")
TOKENS = ("eyJhbGci", "eyJ0eXAi")  # how every JWT begins; three letters alone come about by chance
HOSTILE_NAME = "[free](https://evil.example) **now** \u202eevil {{DATE(2020-01-01T00:00:00Z)}}"


def meeting_of(desk: Desk) -> str:
    meetings = desk.stage.world.meetings.values()
    return next(m.join_url for m in meetings if m.organizer_id == desk.person.id)


async def reviewed(desk: Desk, phone: str = SEATTLE) -> None:
    await desk.say("text")
    await desk.press("Review", meeting=meeting_of(desk), phone_0=phone)


async def test_five_presses_at_once_send_once(adele: Desk, stage: Stage) -> None:
    await reviewed(adele)
    message, button = adele.message(), actions.button(adele.card, "text.send")
    answers = await asyncio.gather(
        *(adele.teams.press(adele.person, message.id, button, {}) for _ in range(5))
    )
    assert all(answer.ok for answer in answers)
    assert len(stage.world.accepted(SMS)) == 1
    assert len(stage.world.phones["+12063428631"]) == 1


async def test_two_forms_at_once_send_each_its_own(adele: Desk, stage: Stage) -> None:
    buttons = []
    for phone in (SEATTLE, REDMOND):
        await reviewed(adele, phone)
        buttons.append((adele.message().id, actions.button(adele.card, "text.send")))
    await asyncio.gather(
        *(adele.teams.press(adele.person, at, button, {}) for at, button in buttons)
    )
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 2)
    assert {number: len(texts) for number, texts in stage.world.phones.items()} == {
        "+12063428631": 1,
        "+14257036214": 1,
    }


async def test_edit_after_send_leads_nowhere_and_says_so(adele: Desk, stage: Stage) -> None:
    await reviewed(adele)
    message, edit = adele.message(), actions.button(adele.card, "text.edit")
    await adele.press("text.send")
    answer = await adele.teams.press(adele.person, message.id, edit, {})
    assert "no longer leads anywhere" in answer.body["value"]
    assert len(stage.world.accepted(SMS)) == 1


@pytest.mark.parametrize("verb", ["delivery.change", "delivery.look"])
async def test_somebody_elses_delivery_is_not_told_of(
    adele: Desk, stage: Stage, at_desk: Callable[[str], Desk], verb: str
) -> None:
    await reviewed(adele)
    stage.world.script.append("500")
    await adele.press("text.send")
    ids = {str(b.get("data", {}).get("delivery_id", "")) for b in actions.buttons(adele.card)}
    [delivery_id] = ids - {""}
    data = {"verb": verb, "delivery_id": delivery_id}
    stolen = {"type": "Action.Execute", "verb": verb, "data": data}
    megan = at_desk("Megan")
    await megan.teams.install(megan.person)
    answer = await megan.teams.press(megan.person, megan.message().id, stolen, {})
    assert "no longer leads anywhere" in answer.body["value"]
    assert "8631" not in str(answer.body)


async def test_a_word_typed_while_a_form_is_open_leaves_the_form_usable(
    adele: Desk, stage: Stage
) -> None:
    await reviewed(adele)
    message, button = adele.message(), actions.button(adele.card, "text.send")
    await adele.say("text")
    await adele.say("thanks!")
    await adele.teams.press(adele.person, message.id, button, {})
    assert len(stage.world.accepted(SMS)) == 1


async def test_a_hostile_subject_and_name_are_shown_as_plain_words(
    stage: Stage, herald: Settings, at_desk: Callable[[str], Desk]
) -> None:
    adele = at_desk("Adele")
    adele.person.name = f"Adele {HOSTILE_NAME}"
    await adele.teams.install(adele.person)
    for meeting in stage.world.meetings.values():
        meeting.subject = HOSTILE_NAME
    await reviewed(adele)
    await adele.press("text.send")
    for card in adele.cards:
        for part in actions.elements(card):
            shown = "".join(str(part.get(name, "")) for name in ("text", "title", "fallbackText"))
            assert "\u202e" not in shown
            assert "{{" not in shown
            if part["type"] in {"TextBlock", "AdaptiveCard"}:
                assert "](http" not in shown


@pytest.mark.parametrize(
    "changed",
    [
        {"localTimezone": None},
        {"localTimezone": "Mars/Olympus"},
        {"localTimezone": "../../etc/passwd"},
        {"localTimezone": "Asia/Kathmandu"},
        {"localTimezone": "EST5EDT"},
        {"locale": "xx"},
        {"locale": None},
    ],
    ids=str,
)
async def test_odd_zones_and_locales_still_open_the_form(
    adele: Desk, stage: Stage, changed: dict[str, Any]
) -> None:
    await adele.say("signin")
    said = activities.message(stage.world, adele.person, stage.teams.chat(adele.person), "text")
    answer = await stage.teams.send({**said, **changed})
    assert answer.status == 200
    assert "phone_0" in adele.values()


@pytest.mark.parametrize(
    "changed", [{"conversationType": "meeting"}, {"conversationType": None, "isGroup": True}]
)
async def test_a_place_of_no_known_kind_is_one_where_others_read(
    adele: Desk, stage: Stage, changed: dict[str, Any]
) -> None:
    said = activities.message(stage.world, adele.person, stage.teams.chat(adele.person), "text")
    said["conversation"] |= changed
    assert (await stage.teams.send(said)).status == 200
    assert "Input." not in str(adele.card)


@pytest.mark.parametrize("surface", ["groupChat", "channel"])
async def test_a_form_of_the_own_chat_works_only_for_its_owner_elsewhere(
    adele: Desk, stage: Stage, at_desk: Callable[[str], Desk], surface: Any
) -> None:
    await reviewed(adele)
    button = actions.button(adele.card, "text.send")
    megan = at_desk("Megan")
    place = stage.connector.conversations.shared("Team", [adele.person, megan.person], surface)
    value = {"action": {"type": "Action.Execute", "verb": "text.send", "data": button["data"]}}
    answer = await stage.teams.invoke(megan.person, "adaptiveCard/action", value, place)
    # What is offered instead is a form of her own.
    [own] = actions.buttons(answer.body["value"])
    assert own["data"]["verb"] == "dialog.open"
    assert "8631" not in str(answer.body)
    answer = await stage.teams.submit_dialog(megan.person, button["data"], place)
    assert "somebody else" in str(answer.body)
    assert stage.world.accepted(SMS) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"from": {"id": "28:another-bot", "name": "Bot"}},
        {"from": {"id": "29:x", "name": "X", "aadObjectId": "not-a-guid"}},
        {"from": None},
        {"channelData": None, "conversation": {"id": "a:1", "conversationType": "personal"}},
    ],
    ids=["a bot", "no object id", "nobody", "no tenant"],
)
async def test_who_cannot_be_named_gets_no_form(
    adele: Desk, stage: Stage, changed: dict[str, Any]
) -> None:
    before = len(adele.cards)
    said = activities.message(stage.world, adele.person, stage.teams.chat(adele.person), "text")
    await stage.teams.send({**said, **changed})
    assert all("phone_0" not in actions.inputs(card) for card in adele.cards[before:])


@pytest.mark.parametrize("kind", ["messageUpdate", "messageDelete", "messageReaction", "event"])
async def test_an_edited_message_runs_nothing_again(adele: Desk, stage: Stage, kind: str) -> None:
    before = len(adele.cards)
    said = activities.message(stage.world, adele.person, stage.teams.chat(adele.person), "text")
    answer = await stage.teams.send({**said, "type": kind})
    assert answer.status == 200
    assert len(adele.cards) == before


async def test_the_database_holds_no_number_name_subject_or_token_in_plain(
    adele: Desk, stage: Stage
) -> None:
    await reviewed(adele)
    stage.world.script.append("500")
    await adele.press("text.send")
    await adele.say("text")
    await adele.press("Review", meeting=meeting_of(adele), phone_0=REDMOND)  # stays a draft
    with sqlite3.connect(stage.state_dir / "herald.sqlite3") as database:
        dump = "\n".join(database.iterdump())
    database.close()
    for secret in (*PRIVATE, *TOKENS):
        assert secret not in dump
        assert secret.encode().hex() not in dump.lower()
