"""Health and metrics on their own port: what they say, and what they never say."""

import re
import socket
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from cryptography.fernet import Fernet

from bot.errors import CannotStart
from bot.metrics import REGISTRY
from bot.settings import ROOT
from bot.wiring import build_app
from sandbox.stage import Stage, free_port
from tests.conftest import Serve, settings_of
from tests.desk import Desk
from tests.postgres import Postgres

SEATTLE = "(206) 342-8631"


async def asked(port: str, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as answer,
    ):
        return answer.status, await answer.text()


async def test_a_herald_that_is_well_says_so(serve: Serve) -> None:
    port = str(free_port())
    async with serve(METRICS_PORT=port):
        assert await asked(port, "/healthz") == (200, "ok\n")
        status, said = await asked(port, "/readyz")
        assert (status, said) == (200, "database: ok\nsecrets: ok\nchannel: ok\n")


async def test_what_it_counts_names_no_tenant_person_or_number(
    stage: Stage, serve: Serve, at_desk: Callable[[str], Desk]
) -> None:
    port, adele = str(free_port()), at_desk("Adele")
    async with serve(METRICS_PORT=port):
        await adele.teams.install(adele.person)
        await adele.say("text")
        meetings = stage.world.meetings.values()
        mine = next(m for m in meetings if m.organizer_id == adele.person.id)
        await adele.press("Review", meeting=mine.join_url, phone_0=SEATTLE)
        await adele.press("text.send")
        await adele.say("nonsense")
        _, said = await asked(port, "/metrics")
    for line in (
        'herald_turn_seconds_count{kind="adaptiveCard/action",outcome="answered"}',
        'herald_turn_seconds_count{kind="message",outcome="answered"}',
        'herald_graph_seconds_count{action="send_text",status="2xx"}',
        'herald_teams_seconds_count{method="POST",status="2xx"}',
        'herald_tokens_total{grant="on_behalf_of",outcome="given"}',
        'herald_batches_ended_total{kind="text",state="accepted"}',
        'herald_batches{kind="text",state="queued"} 0.0',
        'herald_lane_wait_seconds_count{kind="text"}',
        'herald_overdue_seconds{kind="notice"} 0.0',
        "herald_database_up 1.0",
    ):
        assert line in said
    private = {adele.person.id, adele.person.tenant_id, adele.person.name, mine.id, "8631", "eyJ"}
    # A second's fractions may be any digits.
    telling = re.sub(r"( [0-9]+)\.[0-9]+(e[+-][0-9]+)?$", r"\1", said, flags=re.MULTILINE)
    assert not {word for word in private if word in telling}
    assert "2063428631" not in said
    for value in re.findall(r'="([^"]*)"', said):
        assert re.fullmatch(r"[\w/.+-]{1,40}", value), value


async def test_a_key_that_was_taken_away_is_told(
    serve: Serve, at_desk: Callable[[str], Desk], stage: Stage
) -> None:
    adele = at_desk("Adele")
    async with serve():
        await adele.teams.install(adele.person)
        await adele.say("text")
        meetings = stage.world.meetings.values()
        mine = next(m for m in meetings if m.organizer_id == adele.person.id)
        await adele.press("Review", meeting=mine.join_url, phone_0=SEATTLE)
        await adele.press("text.send")
    port = str(free_port())
    async with serve(METRICS_PORT=port, SECRET_KEYS=Fernet.generate_key().decode()):
        status, said = await asked(port, "/readyz")
        assert status == 503
        assert "secrets: A stored record can't be read any more" in said
        assert "database: ok" in said


async def test_a_database_that_is_away_is_told_and_the_metrics_go_on(
    serve: Serve, stage: Stage
) -> None:
    server, port = Postgres(), str(free_port())
    try:
        async with serve(METRICS_PORT=port, DATABASE_URL=server.new()):
            assert (await asked(port, "/readyz"))[0] == 200
            server.stop()
            status, said = await asked(port, "/readyz")
            assert status == 503
            assert "database: Herald could not write this down" in said
            assert (await asked(port, "/healthz"))[0] == 200
            status, said = await asked(port, "/metrics")
            assert status == 200
            assert "herald_database_up 0.0" in said
            assert "herald_batches{" not in said
            server.start()
            status, said = await asked(port, "/readyz")
            assert status == 200
    finally:
        server.end()


async def test_a_channel_whose_keys_cannot_be_read_is_told(serve: Serve) -> None:
    port, nobody = str(free_port()), f"http://127.0.0.1:{free_port()}/openid"
    async with serve(METRICS_PORT=port, BOT_OPENID_METADATA_URL=nobody):
        status, said = await asked(port, "/readyz")
        assert status == 503
        assert "channel: The keys that prove who is calling can't be read" in said


async def test_a_port_that_is_taken_is_said_at_the_start(stage: Stage, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        settings = settings_of(stage.environment(METRICS_PORT=str(other.getsockname()[1])))
        app = build_app(settings)
        app.freeze()
        with pytest.raises(CannotStart, match="METRICS_PORT"):
            await app.startup()
        await app.cleanup()


async def test_health_is_not_served_where_teams_calls(serve: Serve, stage: Stage) -> None:
    async with serve(METRICS_PORT=str(free_port())):
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await asked(str(stage.app_port), path))[0] == 404


def test_the_guide_for_who_runs_it_names_every_metric() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text("utf-8")
    kinds = {"counter": "_total"}
    ours = [one for one in REGISTRY.collect() if one.name.startswith("herald_")]
    assert len(ours) >= 12
    assert [n for n in (f"{o.name}{kinds.get(o.type, '')}" for o in ours) if n not in guide] == []
