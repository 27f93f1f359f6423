"""What the page tells of the whole world: requests, cards; and how it is put back."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from sandbox.page import Page
from sandbox.stage import Stage
from sandbox.timeline import timeline
from sandbox.world import GraphCall, World, clinic


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with Stage() as stage:
        yield stage


@pytest.fixture
async def page(stage: Stage) -> AsyncIterator[Page]:
    page = Page(stage)
    await page.start()
    yield page
    await page.stop()


@pytest.fixture
async def session(page: Page) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(page.url) as session:
        yield session


def call(world: World, path: str, body: Any, status: int, **more: Any) -> GraphCall:
    actor = world.named("Adele").id
    method = "POST" if body else "GET"
    made = GraphCall(world.now(), method, path, actor, body, status, request_id="r1", **more)
    world.graph_calls.append(made)
    return made


def test_the_requests_of_one_delivery_are_together_and_attempts_are_counted() -> None:
    world = clinic()
    meeting = next(iter(world.meetings.values()))
    text = {"attendees": [{"phoneNumber": "+12063428631"}], "messageType": "confirmation"}
    path = f"/v1.0/me/onlineMeetings/{meeting.id}/sendVirtualAppointmentSms"
    call(world, path, text, 429, code="TooManyRequests")
    call(world, path, text, 202, took_effect=True)
    notice = {"chainId": 2**40, "previewText": {"content": "Call 2063428631"}, "recipients": [{}]}
    call(world, "/v1.0/teamwork/sendActivityNotificationToRecipients", notice, 202)
    call(world, "/v1.0/me", None, 200)
    drawn = timeline(world)
    assert [group["kind"] for group in drawn] == ["notice", "text", "read"]
    sent = drawn[1]["calls"]
    assert [(row["status"], row["attempt"]) for row in sent] == [(429, 1), (202, 2)]
    assert sent[0]["to"] == ["…8631"]
    assert drawn[1]["title"] == f"Text: confirmation, {meeting.subject}"
    assert drawn[0]["calls"][0]["to"] == ["1 person"]
    assert "2063428631" not in json.dumps(drawn)


async def test_the_gallery_has_every_card_and_tells_the_hostile_ones(
    session: aiohttp.ClientSession,
) -> None:
    async with session.get("/sandbox/gallery") as answer:
        assert answer.status == 200
        samples = await answer.json()
    assert {sample["payload"]["type"] for sample in samples} == {"AdaptiveCard"}
    ordinary = {sample["card"] for sample in samples if not sample["provoked"]}
    assert ordinary == {sample["card"] for sample in samples}
    assert any(sample["provoked"] for sample in samples)


async def test_starting_over_restarts_the_app_and_empties_every_chat(
    session: aiohttp.ClientSession, stage: Stage, page: Page
) -> None:
    restarted: list[bool] = []

    async def restart() -> None:
        restarted.append(True)

    page.of_world.restart = restart
    adele = stage.world.named("Adele")
    adele.has_app = False
    stage.teams.insert(adele, {"contentType": "x", "content": {}}, stage.teams.chat(adele))
    async with session.post("/sandbox/reset", json={}) as answer:
        assert answer.status == 200
    assert restarted == [True]
    again = stage.world.named("Adele")
    assert again.has_app
    assert stage.teams.chat(again).messages == []


async def test_a_team_can_be_without_herald(session: aiohttp.ClientSession, stage: Stage) -> None:
    team = next(iter(stage.world.teams.values()))
    asked = {"person": stage.world.named("Lee").id, "has_bot": False}
    async with session.post(f"/sandbox/teams/{team.id}", json=asked) as answer:
        assert answer.status == 200
    assert not team.has_bot
    async with session.post("/sandbox/teams/none", json=asked) as answer:
        assert answer.status == 404


async def test_nobody_speaks_where_he_or_she_is_not(
    session: aiohttp.ClientSession, stage: Stage
) -> None:
    group = next(iter(stage.world.group_chats.values()))
    lee = stage.world.named("Lee")
    asked = {"attachment": {"contentType": "x", "content": {}}, "place": group.id}
    async with session.post(f"/sandbox/people/{lee.id}/insert", json=asked) as answer:
        assert answer.status == 400
