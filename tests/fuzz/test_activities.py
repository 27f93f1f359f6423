"""Mutated activities: nothing but an answer comes of them, and no word of them is logged.

A few hundred in `make test`, ten times as many in CI, and as many as HERALD_FUZZ says: 20,000
before a release. The same number always tries the same ones.
"""

import asyncio
import io
import json
import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.logs import set_up_logging
from bot.settings import Settings
from bot.wiring import build_app
from cards import buttons
from sandbox import actions
from sandbox.conversation import Conversation
from sandbox.stage import Stage
from tests.conftest import settings_of
from tests.desk import Desk
from tests.fuzz.mutations import CANARY, CHANGES, mutated
from tests.recorded import PAYLOADS, recorded

TIMES = int(os.environ.get("HERALD_FUZZ") or (2_000 if os.environ.get("CI") else 200))
SEATTLE = "(206) 342-8631"
PATIENCE_S = 20.0
NAMES = sorted(path.stem for path in PAYLOADS.glob("*.json"))
VERBS = sorted(buttons._KNOWN)
_PLACEHOLDER = re.compile(r"\{\{([a-z_.]+)\}\}")
SECRETS = (CANARY, "2063428631", "342-8631", "eyJhbGci", "eyJ0eXAi")


class Floor:
    """The product and the stand-ins in a loop of their own, and Adele in the middle of her work."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self._folder = folder
        self.sent = 0

    def __enter__(self) -> "Floor":
        self._runner.run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._close())
        self._runner.close()

    async def _open(self) -> None:
        self.stage = await Stage(state_dir=self._folder).__aenter__()
        os.environ["REQUESTS_CA_BUNDLE"] = str(self.stage.ca_file)
        changed = {"TENANT_RATE": "1000000", "DELIVERIES_PER_HOUR": "1000000"}
        app = build_app(settings_of(self.stage.environment(**changed)))
        self._app = web.AppRunner(app, shutdown_timeout=2)
        await self._app.setup()
        await web.TCPSite(self._app, "127.0.0.1", self.stage.app_port).start()
        self.adele = Desk(self.stage, self.stage.world.named("Adele"))
        await self.adele.teams.install(self.adele.person)
        people = list(self.stage.world.people.values())
        teams = self.stage.teams
        self.clinic = teams.team("Clinic", people)
        self.places = {
            "channel": teams.channel(self.clinic),
            "team": teams.channel(self.clinic),
            "group": teams.group("Ward", people),
        }
        await self._begin_work()

    async def _begin_work(self) -> None:
        adele = self.adele
        mine = next(
            m for m in self.stage.world.meetings.values() if m.organizer_id == adele.person.id
        )
        await adele.say("text")
        await adele.press("Review", meeting=mine.join_url, phone_0=SEATTLE)
        self.ids = dict(actions.button(adele.card, "text.send")["data"])
        await adele.press("text.send")
        found = [button.get("data", {}) for button in actions.buttons(adele.card)]
        self.ids["delivery_id"] = next(d["delivery_id"] for d in found if "delivery_id" in d)
        self.ids |= {"seen": "1", "message_type": "reminder", "then": "text"}
        await adele.say("text")
        await adele.press("Review", meeting=mine.join_url, phone_0=SEATTLE)
        self.ids |= actions.button(adele.card, "text.send")["data"]

    async def _close(self) -> None:
        await self._app.cleanup()
        await self.stage.__aexit__()

    def data(self, verb: str) -> dict[str, Any]:
        """A button of Adele's own, with something typed beside it."""
        names = {field.name for field in fields(buttons._KNOWN[verb])}
        ids = {name: self.ids.get(name, 1) for name in names}
        typed = {"phone_0": SEATTLE, "zone_0": "Pacific Standard Time", "when": "now"}
        return {**typed, **ids, "verb": verb}

    def activity(self, name: str, verb: str) -> dict[str, Any]:
        """A recorded activity, filled in so that it would be a good one."""
        person = self.adele.person
        asked = _PLACEHOLDER.findall((PAYLOADS / f"{name}.json").read_text("utf-8"))
        given: dict[str, Any] = {
            **self.ids,
            "message.id": self.adele.message().id,
            "data": self.data(verb),
            "verb": verb,
            "text": "help",
            "token": self.stage.entra.sso_token(person),
            "exchange_id": "text~text~x~y",
            "command": "textAttendees",
            "channel.id": self.places["channel"].id,
            "team.id": self.clinic.thread_id,
            "team.group_id": self.clinic.id,
            "team.name": self.clinic.name,
            "skip": 0,
            "count": 25,
        }
        known = {key.replace(".", "__"): given[key] for key in given}
        place: Conversation | None = self.places.get(name.split("-", maxsplit=1)[0])
        while True:
            try:
                return recorded(name, self.stage, person, place, **known)
            except KeyError as missing:  # whatever else a payload has a place for
                wanted = str(missing.args[0])
                assert wanted in asked
                known[wanted.replace(".", "__")] = "x"

    def send(self, activity: dict[str, Any]) -> tuple[int, float]:
        """Its status, and how long it took."""
        return self._runner.run(self._send(activity))

    async def _send(self, activity: dict[str, Any]) -> tuple[int, float]:
        clock = asyncio.get_running_loop().time
        began = clock()
        async with asyncio.timeout(PATIENCE_S):
            answer = await self.stage.teams.send(activity)
        self.sent += 1
        return answer.status, clock() - began

    async def _say(self) -> str:
        await self.adele.say("help")
        return self.adele.shown

    def says(self) -> str:
        """What the bot answers to `help`."""
        return self._runner.run(self._say())


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[io.StringIO]:
    """What the product writes with its logging set up as in production."""
    import logging

    records = logging.getLogRecordFactory()
    set_up_logging(Settings.model_construct(log_level="INFO"))
    written = io.StringIO()
    structlog.configure(
        cache_logger_on_first_use=False, logger_factory=structlog.WriteLoggerFactory(written)
    )
    yield written
    structlog.reset_defaults()
    logging.setLogRecordFactory(records)


@pytest.mark.timeout(60 + TIMES // 5)
def test_whatever_comes_is_answered_and_no_word_of_it_is_logged(
    tmp_path: Path,
    logged: io.StringIO,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    with Floor(tmp_path) as floor:

        @settings(
            max_examples=TIMES,
            derandomize=True,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(st.sampled_from(NAMES), st.sampled_from(VERBS), CHANGES)
        def one(name: str, verb: str, changes: list[tuple[int, int, int]]) -> None:
            activity = mutated(floor.activity(name, verb), changes)
            # Its id and the address to answer to are Teams' own, and logged or used as they are.
            activity["id"] = str(uuid.uuid4())
            activity["serviceUrl"] = floor.stage.connector.service_url
            logged.seek(0)
            logged.truncate()
            caplog.clear()
            status, _took_s = floor.send(activity)
            assert status < 500 or status in {501, 503}, json.dumps(activity)[:3000]
            told = logged.getvalue() + caplog.text
            lines = [line for line in told.splitlines() if any(s in line for s in SECRETS)]
            assert not lines, json.dumps(activity)[:2000]

        one()
        assert floor.sent >= TIMES
        assert "help" in floor.says().lower() or floor.adele.cards
