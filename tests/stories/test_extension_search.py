"""The extension's search: what one sent and one's appointments, and what a result inserts."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from bot.errors import AdminConsentNeeded
from bot.identity.entra import Entra
from bot.settings import Settings
from bot.teams import answers, belated
from sandbox import actions
from sandbox.answers import problem_of
from sandbox.conversation import Conversation
from sandbox.stage import Stage
from tests.desk import Desk, without_ids
from tests.recorded import recorded
from tests.stories.test_sign_in import complete

SEATTLE = "(206) 342-8631"


@pytest.fixture
def anew(herald: Settings, at_desk: Callable[[str], Desk]) -> Desk:
    """Adele, who has not signed in."""
    return at_desk("Adele")


@pytest.fixture
async def adele(anew: Desk) -> Desk:
    await anew.teams.install(anew.person)
    await anew.say("signin")
    return anew


@pytest.fixture
def group(stage: Stage) -> Conversation:
    """A chat that the bot is no member of."""
    place = stage.teams.group("Elsewhere", [stage.world.named("Adele"), stage.world.named("Lee")])
    place.has_bot = False
    return place


async def asked(desk: Desk, place: Conversation, name: str, **given: Any) -> dict[str, Any]:
    """What the extension answers to a recorded query."""
    answer = await desk.teams.send(recorded(name, desk.stage, desk.person, place, **given))
    assert problem_of("composeExtension/query", answer.status, answer.body) == ""
    found: dict[str, Any] = answer.body["composeExtension"]
    return found


async def found(desk: Desk, place: Conversation, words: str = "", **given: Any) -> list[Any]:
    """The results for these words; of a first run without any."""
    name = "compose-query" if words else "compose-query-first"
    more = {"words": words} if words else {}
    body = await asked(desk, place, given.pop("name", name), **more, **given)
    assert body["type"] == "result", body
    attachments: list[Any] = body["attachments"]
    return attachments


def listed(results: list[Any]) -> str:
    """What the list of results shows."""
    return "\n".join(
        f"{r['preview']['content']['title']} | {r['preview']['content']['text']}" for r in results
    )


def meeting_of(desk: Desk) -> str:
    meetings = desk.stage.world.meetings.values()
    return next(m.join_url for m in meetings if m.organizer_id == desk.person.id)


async def sent_a_text(desk: Desk) -> None:
    await desk.say("text")
    await desk.press("Review", meeting=meeting_of(desk), phone_0=SEATTLE)
    await desk.press("text.send")


async def sent_a_notice(desk: Desk, preview: str = "The lift is out of order") -> None:
    await desk.say("notify")
    await desk.press("notice.choose_kind", activity_type="incidentUpdate")
    await desk.press(
        "Review",
        param_incidentId="INC-77",
        param_status="open",
        preview=preview,
        recipients=desk.stage.world.named("Megan").id,
    )
    await desk.press("notice.send")


# What is found ------------------------------------------------------------------------------------


async def test_a_first_run_lists_what_was_sent_and_what_lies_ahead(
    adele: Desk, group: Conversation
) -> None:
    await sent_a_text(adele)
    await sent_a_notice(adele)
    results = await found(adele, group)
    titles = [r["preview"]["content"]["title"] for r in results]
    assert titles[0].startswith("✅ Notification")
    assert titles[1].startswith("✅ Confirmation text")
    assert [title for title in titles if title.startswith("📅")]


@pytest.mark.parametrize(
    "words",
    [
        "lift",
        "LÍFT order",
        "incidentUpdate",
        "news incident",
        "notice accepted",
        "inc 77",
        "ord lif",
    ],
)
async def test_free_words_find_a_notice_by_any_part_of_it(
    adele: Desk, group: Conversation, words: str
) -> None:
    await sent_a_text(adele)
    await sent_a_notice(adele)
    results = await found(adele, group, words)
    assert "Notification" in listed(results)
    assert "Confirmation" not in listed(results)


async def test_an_id_finds_just_that_one(adele: Desk, group: Conversation) -> None:
    await sent_a_notice(adele)
    await sent_a_text(adele)
    [short_id] = re.findall(r"\b[0-9a-f]{8}\b", listed(await found(adele, group, "sms accepted")))
    [one] = await found(adele, group, f" {short_id.upper()} ")
    assert "Confirmation text" in one["preview"]["content"]["title"]


async def test_where_nothing_has_all_words_what_has_most_is_shown(
    adele: Desk, group: Conversation
) -> None:
    await sent_a_notice(adele, preview="The lift is out of order")
    await sent_a_notice(adele, preview="The door is open")
    results = await found(adele, group, "lift order tuesday-ish")
    assert "lift" in listed(results[:1]) or "INC-77" in listed(results[:1])
    assert "xyzzy" not in listed(results)
    body = await asked(adele, group, "compose-query", words="xyzzy")
    assert body["type"] == "message"
    assert "has these words" in body["text"]


@pytest.mark.parametrize(
    ("kind", "sign"), [("text", "text"), ("notice", "Notification"), ("appointment", "📅")]
)
async def test_a_kind_alone_can_be_asked_for(
    adele: Desk, group: Conversation, kind: str, sign: str
) -> None:
    await sent_a_text(adele)
    await sent_a_notice(adele)
    results = await found(adele, group, name="compose-query-kind", kind=kind)
    assert results
    assert all(sign in listed([one]) for one in results)


async def test_pages_follow_one_another_and_end(adele: Desk, group: Conversation) -> None:
    await sent_a_text(adele)
    await sent_a_notice(adele)
    everything = listed(await found(adele, group)).splitlines()
    pages: list[str] = []
    for skip in range(0, len(everything) + 2, 2):
        name = "compose-query-page"
        pages += listed(await found(adele, group, name=name, skip=skip, count=2)).splitlines()
    assert pages == everything


async def test_what_somebody_else_sent_is_not_found(
    adele: Desk, stage: Stage, group: Conversation, at_desk: Callable[[str], Desk]
) -> None:
    lee = at_desk("Lee")
    await lee.teams.install(lee.person)
    await lee.say("signin")
    await sent_a_notice(lee)
    assert "Notification" not in listed(await found(adele, group))


async def test_with_nothing_to_show_it_says_so(
    stage: Stage, adele: Desk, group: Conversation
) -> None:
    stage.world.meetings.clear()
    body = await asked(adele, group, "compose-query-first")
    assert body["type"] == "message"
    assert "not sent anything yet" in body["text"]


# What is inserted ---------------------------------------------------------------------------------


async def test_an_inserted_text_has_counts_and_a_state_and_nothing_that_is_private(
    adele: Desk, group: Conversation
) -> None:
    await sent_a_text(adele)
    [one] = await found(adele, group, "confirmation text accepted")
    card = json.dumps(one["content"])
    assert "Accepted by Microsoft" in card
    assert "1 person" in card
    for private in ("8631", "206", "Follow-up", "Physical", "teams.microsoft.com/l/meetup"):
        assert private not in without_ids(card)
    assert "Follow-up" in listed([one]) or "Physical" in listed([one]) or "visit" in listed([one])


async def test_an_inserted_appointment_says_when_and_not_what(
    adele: Desk, stage: Stage, group: Conversation
) -> None:
    results = await found(adele, group, name="compose-query-kind", kind="appointment")
    for one in results:
        card = json.dumps(one["content"])
        assert "When" in card
        assert "teams.microsoft.com" not in card
        for meeting in stage.world.meetings.values():
            assert meeting.subject not in card


async def test_an_inserted_notice_shows_its_words_but_not_who_got_it(
    adele: Desk, group: Conversation
) -> None:
    await sent_a_notice(adele, preview="**Bold** <at>Lee</at> [x](https://evil.example)")
    [one] = await found(adele, group, "bold")
    card = one["content"]
    assert "Megan" not in json.dumps(card)
    runs = [part["text"] for part in actions.elements(card) if part["type"] == "TextRun"]
    assert any("**Bold**" in text for text in runs)
    assert not [
        part
        for part in actions.elements(card)
        if "**Bold**" in str(part.get("text")) and part["type"] != "TextRun"
    ]
    assert "<" not in listed([one])


async def test_a_phone_number_in_an_inserted_notice_ends_in_its_last_four_digits(
    adele: Desk, group: Conversation
) -> None:
    await sent_a_notice(adele, preview=f"Ms. Jones waits, call {SEATTLE}")
    [one] = await found(adele, group, "Jones")
    assert "call …8631" in json.dumps(one["content"], ensure_ascii=False)
    assert SEATTLE not in json.dumps(one["content"])


async def test_inserted_cards_are_small_and_their_buttons_carry_ids_alone(
    adele: Desk, group: Conversation
) -> None:
    await sent_a_notice(adele)
    for one in await found(adele, group):
        assert len(json.dumps(one)) < 8_000
        for button in actions.buttons(one["content"]):
            assert button["type"] == "Action.Submit"
            assert button["data"]["msteams"] == {"type": "task/fetch"}
            assert set(button["data"]) <= {"verb", "delivery_id", "command", "kept", "msteams"}


# Signing in ---------------------------------------------------------------------------------------


async def test_a_search_signs_in_silently_and_then_shows_appointments(
    anew: Desk, stage: Stage, group: Conversation
) -> None:
    body = await asked(anew, group, "compose-query", words="appointment")
    assert body["type"] == "silentAuth"
    token = stage.entra.sso_token(anew.person)
    results = await found(anew, group, "appointment", name="compose-query-signed-in", token=token)
    assert "📅" in listed(results)


async def test_without_consent_the_pop_up_comes_and_its_code_goes_on(
    anew: Desk, stage: Stage, group: Conversation, browser: aiohttp.ClientSession
) -> None:
    anew.person.consents.clear()
    token = stage.entra.sso_token(anew.person)
    name = "compose-query-signed-in"
    body = await asked(anew, group, name, words="appointment", token=token)
    assert body["type"] == "auth"
    link = body["suggestedActions"]["actions"][0]["value"]
    code = await complete(browser, stage, link, anew.person)
    results = await found(anew, group, "appointment", name="compose-query-state", state=code)
    assert "📅" in listed(results)
    # Teams may send the same once more.
    again = await found(anew, group, "appointment", name="compose-query-state", state=code)
    assert "📅" in listed(again)


async def test_whoever_keeps_the_calendar_private_still_finds_what_was_sent(
    adele: Desk, group: Conversation
) -> None:
    await sent_a_notice(adele)
    adele.person.consents -= {"Calendars.Read", "OnlineMeetings.Read"}
    await adele.say("signout")
    await adele.say("signin")
    results = await found(adele, group)
    assert "Notification" in listed(results)
    assert "📅" not in listed(results)


async def test_what_only_an_administrator_approves_is_said_with_the_link(
    anew: Desk, stage: Stage, group: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: Any) -> Any:
        raise AdminConsentNeeded(("Calendars.Read",))

    monkeypatch.setattr(Entra, "on_behalf_of", refused)
    token = stage.entra.sso_token(anew.person)
    name = "compose-query-signed-in"
    body = await asked(anew, group, name, words="appointment", token=token)
    assert body["type"] == "message"
    assert "administrator" in body["text"]
    assert "adminconsent" in body["text"]


async def test_somebody_elses_token_is_refused_and_nothing_of_it_kept(
    anew: Desk, stage: Stage, group: Conversation
) -> None:
    token = stage.entra.sso_token(stage.world.named("Lee"))
    name = "compose-query-signed-in"
    body = await asked(anew, group, name, words="appointment", token=token)
    assert body["type"] == "message"
    assert "somebody else" in body["text"]
    after = await asked(anew, group, "compose-query", words="appointment")
    assert after["type"] == "silentAuth"


async def test_a_wrong_code_asks_again(anew: Desk, group: Conversation) -> None:
    body = await asked(anew, group, "compose-query-state", words="x", state="never-given")
    assert body["type"] in {"auth", "message"}


async def test_when_entra_is_away_what_was_sent_is_found_all_the_same(
    adele: Desk, stage: Stage, group: Conversation
) -> None:
    await sent_a_notice(adele)
    await adele.say("signout")
    token = stage.entra.sso_token(adele.person)
    stage.world.faults.entra_down = True
    name = "compose-query-signed-in"
    results = await found(adele, group, "lift", name=name, token=token)
    assert "Notification" in listed(results)
    body = await asked(adele, group, name, words="appointment xyzzy", token=token)
    assert body["type"] == "message" or body["type"] == "result"


async def test_a_slow_calendar_is_not_waited_for_and_is_there_the_next_time(
    adele: Desk, stage: Stage, group: Conversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sent_a_notice(adele)
    monkeypatch.setattr(answers, "WITHIN_S", 0.0)
    monkeypatch.setattr(belated, "GRACE_S", 0.0)
    assert "📅" not in listed(await found(adele, group))
    body = await asked(adele, group, "compose-query-kind", kind="appointment")
    assert body["type"] == "message"
    assert "not answered yet" in body["text"]
    monkeypatch.setattr(answers, "WITHIN_S", 4.0)
    assert "📅" in listed(await found(adele, group))
    calls = [call for call in stage.world.graph_calls if "calendarView" in call.path]
    await found(adele, group, "follow")
    await asyncio.gather(*(found(adele, group, "visit") for _ in range(3)))
    # What is typed into a form's field is looked up in the same reading.
    typed = {"queryText": "foll", "queryOptions": {"skip": 0, "top": 15}, "dataset": "meetings"}
    answer = await adele.teams.invoke(adele.person, "application/search", typed)
    assert "Follow-up" in str(answer.body)
    now = [call for call in stage.world.graph_calls if "calendarView" in call.path]
    assert len(now) == len(calls)


# Wrong turns --------------------------------------------------------------------------------------

MISSHAPEN: list[Any] = [
    {"commandId": "findSent"},
    {"commandId": "findSent", "parameters": None, "queryOptions": None},
    {"commandId": "findSent", "parameters": "words", "queryOptions": [1]},
    {"commandId": "findSent", "parameters": [None, 5, {"name": 7, "value": {"a": 1}}] * 300},
    {"commandId": "findSent", "parameters": [{"name": "words", "value": "w " * 50_000}]},
    {"commandId": "findSent", "parameters": [{"name": "words", "value": "%_'\"\\;--"}]},
    {"commandId": "findSent", "parameters": [{"name": "kind", "value": "phones"}]},
    {"commandId": "findSent", "queryOptions": {"skip": -1, "count": 10**12}},
    {"commandId": "findSent", "queryOptions": {"skip": "2", "count": "many"}},
    {"commandId": "findSent", "queryOptions": {"skip": True, "count": 1.5}},
    {"commandId": "findSent", "authentication": {"token": 5}},
    {"commandId": "findSent", "state": ["x"]},
]


@pytest.mark.parametrize("value", MISSHAPEN, ids=lambda value: str(value)[:60])
async def test_a_misshapen_query_is_answered_sensibly(
    adele: Desk, stage: Stage, group: Conversation, value: Any
) -> None:
    answer = await stage.teams.invoke(adele.person, "composeExtension/query", value, group)
    assert problem_of("composeExtension/query", answer.status, answer.body) == ""


@pytest.mark.parametrize("value", [{"commandId": ""}, {"commandId": None}, {}, None, "x"], ids=str)
async def test_a_search_without_a_command_is_the_only_one_there_is(
    adele: Desk, stage: Stage, group: Conversation, value: Any
) -> None:
    answer = await stage.teams.invoke(adele.person, "composeExtension/query", value, group)
    assert problem_of("composeExtension/query", answer.status, answer.body) == ""
    assert "📅" in listed(answer.body["composeExtension"]["attachments"])


@pytest.mark.parametrize("value", [{"commandId": "unheard"}, {"commandId": [1]}], ids=str)
async def test_a_search_nobody_knows_gets_a_sentence(adele: Desk, stage: Stage, value: Any) -> None:
    answer = await stage.teams.invoke(adele.person, "composeExtension/query", value)
    assert answer.ok
    assert "doesn't know" in answer.body["composeExtension"]["text"]


@pytest.mark.parametrize(
    "name", ["compose-select-item", "compose-query-link", "compose-card-clicked"]
)
async def test_what_is_not_declared_is_answered_with_nothing(
    adele: Desk, stage: Stage, group: Conversation, name: str
) -> None:
    answer = await stage.teams.send(recorded(name, stage, adele.person, group))
    assert answer.ok
    assert answer.body in ({}, None) or answer.body["composeExtension"]["attachments"] == []


async def test_a_stranger_of_another_tenant_finds_nothing(
    adele: Desk, stage: Stage, group: Conversation
) -> None:
    await sent_a_notice(adele)
    activity = recorded("compose-query-first", stage, adele.person, group)
    elsewhere = "99999999-6c1f-4f4e-9d3d-0c4b3b1a7e01"
    activity["channelData"]["tenant"]["id"] = elsewhere
    activity["conversation"]["tenantId"] = elsewhere
    answer = await stage.teams.send(activity)
    assert answer.status == 403
    assert "Notification" not in json.dumps(answer.body)
