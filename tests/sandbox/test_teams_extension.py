"""Dialogs and the messaging extension in the stand-in, and answers that Teams would not take."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sandbox.answers import problem_of
from sandbox.conversation import ADAPTIVE_CARD
from sandbox.stage import Stage
from sandbox.world import Person
from tests.sandbox.bots import Bot, serving

CARD: dict[str, Any] = {"type": "AdaptiveCard", "version": "1.5", "body": []}
ATTACHMENT = {"contentType": ADAPTIVE_CARD, "content": CARD}
OPENS = {"type": "openUrl", "value": "https://localhost/auth/start", "title": "Sign in"}
PREVIEW = {"contentType": "application/vnd.microsoft.card.thumbnail", "content": {"title": "A"}}
SEARCH = "application/vnd.microsoft.search.searchResponse"


def dialog(**value: Any) -> dict[str, Any]:
    return {"task": {"type": "continue", "value": {"title": "A", "card": ATTACHMENT, **value}}}


def asks(kind: str) -> dict[str, Any]:
    return {"composeExtension": {"type": kind, "suggestedActions": {"actions": [OPENS]}}}


def result(*attachments: Any, **more: Any) -> dict[str, Any]:
    answer = {"type": "result", "attachmentLayout": "list", "attachments": list(attachments)}
    return {"composeExtension": {**answer, **more}}


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with Stage() as stage:
        yield stage


@pytest.fixture
async def bot(stage: Stage) -> AsyncIterator[Bot]:
    async with serving(stage) as bot:
        yield bot


@pytest.fixture
def adele(stage: Stage) -> Person:
    return stage.world.named("Adele")


async def test_silent_sign_in_is_followed_by_the_same_with_a_token(
    stage: Stage, bot: Bot, adele: Person
) -> None:
    bot.answers = lambda heard: (
        dialog() if "authentication" in heard["value"] else asks("silentAuth")
    )
    channel = stage.connector.conversations.of(adele)[-1]
    channel.has_bot = False
    answer = await stage.teams.compose(adele, "notifyTeammates", channel)
    assert answer.body == dialog()
    assert [heard["name"] for heard in bot.heard] == ["composeExtension/fetchTask"] * 2
    assert bot.heard[1]["value"]["commandContext"] == "compose"
    assert bot.heard[1]["value"]["authentication"]["token"]


async def test_the_pop_up_is_the_persons_and_its_code_goes_along(
    stage: Stage, bot: Bot, adele: Person
) -> None:
    bot.answers = asks("auth")
    assert (await stage.teams.compose(adele, "notifyTeammates")).body == asks("auth")
    bot.answers = dialog()
    await stage.teams.compose(adele, "notifyTeammates", state="123")
    assert [heard["value"].get("state") for heard in bot.heard] == [None, "123"]
    stage.world.faults.exchange_mute = True
    bot.answers = asks("silentAuth")
    await stage.teams.compose(adele, "notifyTeammates")
    assert len(bot.heard) == 3, "a mute client has no token to come again with"


async def test_a_messages_menu_hands_the_message_over(
    stage: Stage, bot: Bot, adele: Person
) -> None:
    group = stage.teams.group("Two", [adele, stage.world.named("Megan")])
    megan = stage.world.named("Megan")
    await stage.teams.say(megan, "<b>Hi</b> @Adele", group, [adele], to_bot=False)
    message = group.messages[0]
    bot.answers = dialog()
    await stage.teams.compose(
        adele, "notifyAboutMessage", group, context="message", message_id=message.id
    )
    payload = bot.heard[0]["value"]["messagePayload"]
    assert payload["from"]["user"]["displayName"] == "Megan Bowen"
    assert "&lt;b&gt;Hi&lt;/b&gt;" in payload["body"]["content"]
    assert '<at id="0">Adele Vance</at>' in payload["body"]["content"]
    assert payload["mentions"][0]["mentioned"]["user"]["id"] == adele.id
    assert payload["linkToMessage"].startswith("https://teams.microsoft.com/l/message/19%3A")


async def test_a_search_names_the_manifests_parameter_and_its_first_run(
    stage: Stage, bot: Bot, adele: Person
) -> None:
    parameters = [{"name": "words", "title": "Words"}]
    command = {"id": "find", "type": "query", "title": "Find", "parameters": parameters}
    stage.world.manifest = {"composeExtensions": [{"commands": [command]}]}
    bot.answers = result({**ATTACHMENT, "preview": PREVIEW})
    await stage.teams.search(adele, "find", "")
    await stage.teams.search(adele, "find", "visit")
    asked = [heard["value"]["parameters"][0] for heard in bot.heard]
    assert asked == [{"name": "initialRun", "value": "true"}, {"name": "words", "value": "visit"}]
    with pytest.raises(LookupError):
        await stage.teams.search(adele, "none", "")


async def test_an_inserted_card_is_the_persons_and_the_bot_does_not_hear_of_it(
    stage: Stage, bot: Bot, adele: Person
) -> None:
    group = stage.teams.group("Two", [adele])
    message = stage.teams.insert(adele, ATTACHMENT, group, "This one")
    assert (message.card(), message.person_id, message.text) == (CARD, adele.id, "This one")
    assert bot.heard == []


async def test_typing_into_a_choice_set_asks_from_its_message(
    stage: Stage, bot: Bot, adele: Person
) -> None:
    bot.answers = {"statusCode": 200, "type": SEARCH, "value": {"results": []}}
    message = stage.teams.insert(adele, ATTACHMENT, stage.teams.chat(adele))
    await stage.teams.typeahead(adele, message.id, "meetings", "vis")
    await stage.teams.typeahead(adele, message.id, "meetings", "vis", dialog=True)
    first, second = bot.heard
    assert (first["name"], first["value"]["queryText"]) == ("application/search", "vis")
    assert first["value"]["dataset"] == "meetings"
    assert first["replyToId"] == message.id
    assert "replyToId" not in second
    assert stage.teams.refused == []


async def test_a_dialog_opens_by_an_action_submit_alone(
    stage: Stage, bot: Bot, adele: Person
) -> None:
    bot.answers = dialog()
    message = stage.teams.insert(adele, ATTACHMENT, stage.teams.chat(adele))
    data = {"msteams": {"type": "task/fetch"}, "verb": "open"}
    execute = {"type": "Action.Execute", "data": data}
    with pytest.raises(LookupError):
        await stage.teams.open_dialog(adele, message.id, execute)
    answer = await stage.teams.open_dialog(
        adele, message.id, {"type": "Action.Submit", "data": data}
    )
    assert answer.problem == ""
    assert bot.heard[0]["replyToId"] == message.id


async def test_an_answer_that_teams_would_not_take_is_kept(
    stage: Stage, bot: Bot, adele: Person
) -> None:
    bot.answers = {"task": {"type": "continue", "value": {"title": "A"}}}
    answer = await stage.teams.submit_dialog(adele, {})
    assert answer.problem
    assert [refused.name for refused in stage.teams.refused] == ["task/submit"]


EXECUTES = {**CARD, "actions": [{"type": "Action.Execute", "title": "A"}]}
LARGE = {**CARD, "body": [{"type": "TextBlock", "text": "x" * 30_000}]}
FETCH, SUBMIT, QUERY = "task/fetch", "task/submit", "composeExtension/query"
ACTION, LOOK = "adaptiveCard/action", "application/search"


def shown(card: Any) -> dict[str, Any]:
    return dialog(card={"contentType": ADAPTIVE_CARD, "content": card})


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (FETCH, None),
        (FETCH, {"task": {"type": "other"}}),
        (FETCH, {"task": {"type": "message", "value": ""}}),
        (FETCH, dialog(url="https://localhost")),
        (FETCH, dialog(card=None, url="http://elsewhere.example")),
        (FETCH, dialog(height="huge")),
        (FETCH, shown(EXECUTES)),
        (FETCH, shown(LARGE)),
        (FETCH, shown({"type": "Card"})),
        (SUBMIT, {"task": {}}),
        (QUERY, {}),
        (QUERY, asks("other")),
        (QUERY, {"composeExtension": {"type": "auth"}}),
        (QUERY, result(ATTACHMENT)),
        (QUERY, result(*[{**ATTACHMENT, "preview": PREVIEW}] * 26)),
        (QUERY, result(attachmentLayout="heap")),
        (LOOK, {"type": SEARCH, "value": {"results": [{"title": "A"}]}}),
        (LOOK, {"value": {"results": []}}),
        (ACTION, {"statusCode": 200, "type": ADAPTIVE_CARD, "value": LARGE}),
        (ACTION, {"statusCode": 200, "type": "application/vnd.microsoft.error", "value": {}}),
        (ACTION, {"statusCode": 200, "type": "application/vnd.microsoft.other", "value": ""}),
        (ACTION, {"type": ADAPTIVE_CARD, "value": CARD}),
        (ACTION, "text"),
    ],
)
def test_teams_would_not_take_it(name: str, body: Any) -> None:
    assert problem_of(name, 200, body)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (FETCH, dialog(height="large", width=600)),
        (FETCH, dialog(card=None, url="https://herald.example/auth/dialog")),
        (SUBMIT, None),
        (SUBMIT, {"task": {"type": "message", "value": "Done."}}),
        (QUERY, result({**ATTACHMENT, "preview": PREVIEW})),
        (QUERY, {"composeExtension": {"type": "message", "text": "Nothing found."}}),
        ("composeExtension/fetchTask", asks("silentAuth")),
        ("composeExtension/submitAction", result({**ATTACHMENT, "preview": PREVIEW})),
        (LOOK, {"type": SEARCH, "value": {"results": [{"title": "A", "value": "a"}]}}),
        (ACTION, {"statusCode": 200, "type": ADAPTIVE_CARD, "value": EXECUTES}),
        ("signin/tokenExchange", {"any": "thing"}),
    ],
)
def test_teams_takes_it(name: str, body: Any) -> None:
    assert problem_of(name, 200, body) == ""


def test_a_status_other_than_200_is_a_problem_but_for_sign_ins() -> None:
    assert problem_of(FETCH, 500, None)
    assert problem_of("signin/tokenExchange", 412, {}) == ""
