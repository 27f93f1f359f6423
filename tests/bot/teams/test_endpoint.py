"""The door, spoken to over HTTP: the real server, adapter, token checks and connector."""

from collections.abc import AsyncIterator

import pytest

from tests.bot.teams.door import TENANT_ID, Door, open_door


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    async with open_door() as opened:
        yield opened


async def test_a_signed_message_is_heard_and_answered_in_its_thread(door: Door) -> None:
    assert await door.post() == (200, "")
    ((method, path, reply, bearer),) = door.far.calls
    assert (method, bearer) == ("POST", "Bearer bot-token")
    assert path == "/amer/v3/conversations/a%3A1xyz%3Bmessageid%3D7/activities/1700000000001"
    assert reply["text"] == "You said hello"
    assert reply["conversation"]["tenantId"] == TENANT_ID
