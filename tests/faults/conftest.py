"""Real processes for bad days."""

import asyncio
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import pytest

from sandbox import actions
from sandbox.calls import Answer
from sandbox.stage import Stage
from tests.desk import Desk
from tests.processes import Process, fork_app, kill_all

SMS = "sendVirtualAppointmentSms"
SEATTLE = "(206) 342-8631"


class Clinic:
    """One `app.py` with its SQLite file, and Adele at her desk with a review in front of her."""

    def __init__(self, stage: Stage, adele: Desk) -> None:
        self.stage = stage
        self.adele = adele
        self.processes: list[Process] = []

    async def open(self, **more: str) -> Process:
        process = await fork_app(self.stage.environment(**more), hurried=True)
        self.processes.append(process)
        await process.until("herald.listening", timeout_s=60)
        async with asyncio.timeout(60):
            while await self.adele.teams.say(self.adele.person, "help") != 200:
                await asyncio.sleep(0.1)  # it listens a moment after it has started
        return process

    async def review(self, **more: str) -> None:
        meetings = self.stage.world.meetings.values()
        mine = next(m for m in meetings if m.organizer_id == self.adele.person.id)
        await self.adele.say("text")
        await self.adele.press("Review", meeting=mine.join_url, phone_0=SEATTLE, **more)

    async def send(self) -> Answer:
        return await self.adele.press("text.send")

    async def press_again(self, card: dict[str, object]) -> Answer:
        """The send button of an earlier card."""
        button = actions.button(card, "text.send")
        return await self.adele.teams.press(
            self.adele.person, self.adele.message(card).id, button, {}
        )

    async def accepts(self, texts: int) -> None:
        """Wait until Graph took so many texts."""
        world = self.stage.world
        await world.until(lambda: len(world.accepted(SMS)) == texts, timeout_s=60)


@pytest.fixture
async def clinic(stage: Stage, at_desk: Callable[[str], Desk]) -> AsyncIterator[Clinic]:
    found = Clinic(stage, at_desk("Adele"))
    yield found
    await kill_all(found.processes)


def port_of(address: str) -> int:
    """The port of an address, to listen there again."""
    return urlsplit(address).port or 0
