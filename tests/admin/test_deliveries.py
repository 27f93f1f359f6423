"""`python -m bot deliveries …` beside the running app."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.admin.commands.deliveries import Kinds, States
from bot.admin.deliveries import GROUPS, KINDS
from bot.delivery import pace
from bot.delivery.models import Kind, State
from sandbox.stage import Stage
from tests.admin.shell import Ran, bot, process
from tests.conftest import Serve
from tests.desk import Desk

SEATTLE = "(206) 342-8631"


def in_an_hour(desk: Desk) -> dict[str, str]:
    local = (datetime.now(UTC) + timedelta(hours=1)).astimezone(ZoneInfo(desk.person.zone))
    return {
        "when": "later",
        "when_date": local.date().isoformat(),
        "when_time": local.strftime("%H:%M"),
    }


def first_meeting(desk: Desk) -> str:
    meetings = desk.stage.world.meetings.values()
    return next(m.join_url for m in meetings if m.organizer_id == desk.person.id)


async def texted(desk: Desk, **when: str) -> None:
    await desk.teams.install(desk.person)
    await desk.say("text")
    await desk.press("Review", meeting=first_meeting(desk), phone_0=SEATTLE, **when)
    await desk.press("text.send")


class Clinic:
    """The app with one accepted and one refused text, and the command line beside it."""

    def __init__(self, stage: Stage, url: str) -> None:
        self.stage = stage
        self.environment = stage.environment(DATABASE_URL=url)

    async def deliveries(self, *arguments: str) -> Ran:
        return await bot(self.environment, "deliveries", *arguments)

    async def listed(self, *arguments: str) -> list[dict[str, object]]:
        ran = await self.deliveries("list", "--json", *arguments)
        assert ran.code == 0, ran.err
        found: list[dict[str, object]] = json.loads(ran.out)
        return found


@pytest.fixture
def clinic(stage: Stage, database_url: str) -> Clinic:
    return Clinic(stage, database_url)


async def test_what_was_sent_and_refused_is_listed_shown_and_tried_again_beside_the_app(
    clinic: Clinic,
    serve: Serve,
    database_url: str,
    at_desk: Callable[[str], Desk],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What the command line queues is looked for; in a test sooner than after a minute.
    monkeypatch.setattr(pace, "LONGEST_PAUSE_S", 0.2)
    stage, adele = clinic.stage, at_desk("Adele")
    async with serve(DATABASE_URL=database_url):
        await texted(adele)
        adele.person.has_premium = False
        await texted(adele)

        [refused] = await clinic.listed("--state", "refused")
        assert refused["counts"] == {"refused": 1}
        assert len(await clinic.listed("--kind", "text")) == 2
        assert await clinic.listed("--kind", "notice") == []
        assert await clinic.listed("--user", stage.world.named("Lee").id) == []

        short_id = str(refused["id"])[:8]
        shown = await clinic.deliveries("show", short_id)
        assert "PremiumMissing" in shown.out
        assert "…8631" in shown.out
        assert "342" not in shown.out.replace(str(refused["id"]), "")
        # From outside as well, where the file of a database is another process's.
        people = (await process(clinic.environment, "deliveries", "list")).out
        assert short_id in people
        assert "1 refused" in people

        adele.person.has_premium = True
        tried = await clinic.deliveries("retry", short_id)
        assert tried.out.startswith("Queued again for 1 person.")
        await stage.world.until(lambda: len(stage.world.phones["+12063428631"]) == 2)

    again = await clinic.deliveries("retry", short_id)
    assert (again.code, again.out) == (1, "")
    assert "Nothing of it was refused" in again.err


async def test_what_waits_is_cancelled_and_exported_without_its_numbers(
    clinic: Clinic,
    serve: Serve,
    database_url: str,
    at_desk: Callable[[str], Desk],
    tmp_path: Path,
) -> None:
    adele = at_desk("Adele")
    async with serve(DATABASE_URL=database_url):
        await texted(adele, **in_an_hour(adele))
        [waiting] = await clinic.listed("--state", "waiting")
        cancelled = await clinic.deliveries("cancel", str(waiting["id"]))
        assert cancelled.out == "Cancelled for 1 person.\n"
        assert (await clinic.deliveries("cancel", str(waiting["id"]))).code == 1
        assert await clinic.listed("--state", "waiting") == []

    out = tmp_path / "people.csv"
    assert (await clinic.deliveries("export", str(waiting["id"]), "--out", str(out))).code == 0
    head, row = csv.reader(io.StringIO(out.read_text("utf-8")))
    assert head == ["delivery", "kind", "who", "state"]
    assert row == [waiting["id"], "text", "…8631", "cancelled"]
    assert (await clinic.deliveries("export", str(waiting["id"]))).out == out.read_text("utf-8")


async def test_what_is_not_there_is_said_in_a_sentence(
    stage: Stage, serve: Serve, empty_database_url: str
) -> None:
    clinic = Clinic(stage, empty_database_url)
    before = await clinic.deliveries("list")
    assert before.code == 2
    assert "no tables yet" in before.err
    async with serve(DATABASE_URL=clinic.stage.environment()["DATABASE_URL"]):
        environment = clinic.stage.environment()
        assert (await bot(environment, "deliveries", "list")).out == "There are none.\n"
        for command in ("show", "retry", "cancel", "export"):
            ran = await bot(environment, "deliveries", command, "0123abcd")
            assert ran.code == 1
            assert "There is no delivery with this id" in ran.err


def test_every_kind_and_state_that_there_is_can_be_asked_for() -> None:
    assert {kind for kinds in KINDS.values() for kind in kinds} == set(Kind)
    assert set(KINDS) == {kind.value for kind in Kinds}
    assert {state for states in GROUPS.values() for state in states} == set(State)
    assert set(GROUPS) == {state.value for state in States}


async def test_what_arrived_by_its_owners_word_is_not_counted_as_accepted(
    clinic: Clinic, serve: Serve, at_desk: Callable[[str], Desk]
) -> None:
    adele = at_desk("Adele")
    async with serve(DATABASE_URL=clinic.environment["DATABASE_URL"]):
        clinic.stage.world.script += ["500_after"]
        await texted(adele)
        await adele.press("delivery.arrived")
        [one] = await clinic.listed()
        exported = await clinic.deliveries("export", str(one["id"]))
    assert one["counts"] == {"arrived": 1}
    assert [row[3] for row in csv.reader(io.StringIO(exported.out))] == ["state", "arrived"]
