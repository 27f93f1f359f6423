"""Microsoft's own local client beside the page: what it sends reaches the bot signed."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.settings import Settings
from sandbox.page import Page
from sandbox.playground import PATH, Playground
from sandbox.stage import Stage


@pytest.fixture
async def page(stage: Stage, herald: Settings) -> AsyncIterator[Page]:
    page = Page(stage)
    await page.start()
    yield page
    await page.stop()


@pytest.fixture
async def connector() -> AsyncIterator[list[dict[str, Any]]]:
    """What the bot answers to the playground's own connector; its address is the last one."""
    heard: list[dict[str, Any]] = []

    async def activities(request: web.Request) -> web.Response:
        heard.append(await request.json())
        return web.json_response({"id": "1"}, status=201)

    app = web.Application()
    app.router.add_post("/_connector/v3/conversations/{id}/activities", activities)
    app.router.add_post("/_connector/v3/conversations/{id}/activities/{to}", activities)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    heard.append({"serviceUrl": f"http://127.0.0.1:{runner.addresses[0][1]}/_connector"})
    yield heard
    await runner.cleanup()


def typed(stage: Stage, configuration: dict[str, Any], service_url: str) -> dict[str, Any]:
    """A message as the playground makes it from its configuration."""
    user = configuration["currentUser"]
    tenant = configuration["tenantId"]
    return {
        "type": "message",
        "id": "0b6b0f9e-1",
        "text": "help",
        "textFormat": "plain",
        "from": {name: user[name] for name in ("id", "name", "aadObjectId")},
        "serviceUrl": service_url,
        "conversation": {
            "conversationType": "personal",
            "tenantId": tenant,
            "id": configuration["personalChat"]["id"],
        },
        "recipient": configuration["bot"],
        "channelId": "msteams",
        "channelData": {"tenant": {"id": tenant}},
    }


async def test_a_message_of_the_playground_is_answered_there(
    page: Page, stage: Stage, connector: list[dict[str, Any]], tmp_path: Path
) -> None:
    path = Playground(stage).configure(tmp_path / "playground")
    configuration = json.loads(path.read_text("utf-8"))
    activity = typed(stage, configuration, connector[0]["serviceUrl"])
    async with aiohttp.ClientSession() as session:
        answer = await session.post(page.url + PATH, json=activity)
    assert answer.status == 200
    assert "What you can write to me" in json.dumps(connector[1])


async def test_the_playgrounds_people_are_of_the_clinic(stage: Stage, tmp_path: Path) -> None:
    configuration = json.loads(Playground(stage).configure(tmp_path).read_text("utf-8"))
    people = [configuration["currentUser"], *configuration["users"]]
    assert len(people) == 6
    assert {one["aadObjectId"] for one in people} < set(stage.world.people)
    assert configuration["tenantId"] == stage.world.tenant_id


@pytest.mark.parametrize("body", ["{", "[]", '"text"'])
async def test_what_is_no_activity_is_not_signed(page: Page, body: str) -> None:
    async with aiohttp.ClientSession() as session:
        answer = await session.post(page.url + PATH, data=body)
    assert answer.status == 400


async def test_a_web_page_cannot_have_its_words_signed(page: Page) -> None:
    headers = {"Origin": "https://elsewhere.example"}
    async with aiohttp.ClientSession() as session:
        answer = await session.post(page.url + PATH, json={"type": "message"}, headers=headers)
    assert answer.status == 403
