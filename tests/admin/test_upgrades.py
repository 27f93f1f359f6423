"""A new version beside the old one on one PostgreSQL: nothing stops, and nothing is lost."""

import asyncio
import itertools
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from bot.actor import Actor
from bot.delivery.actions import notice_call
from bot.delivery.database import Database
from bot.delivery.ledger import Ledger
from bot.delivery.models import Delivery, Kind, NewDelivery, Place, State
from bot.delivery.upgrade import Standing
from bot.graph.bodies import text_topic
from bot.sealing import Seal
from bot.settings import ROOT
from sandbox.stage import Stage, free_port
from tests.admin.shell import bot
from tests.desk import Desk
from tests.postgres import Postgres
from tests.processes import Process, fork_app, fork_newer_app, kill_all

BATCHES = 6
FAST = {"NOTICE_RATE": "1000", "NOTICE_RATE_OVERALL": "1000"}
# What a next version may do while this one runs: add, and never take away or rename.
STEP = '''"""A next version's step: a column that this version doesn't know."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("note", sa.String(64)))
'''


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """The next version's steps: today's and one more."""
    folder = Path(
        shutil.copytree(
            ROOT / "bot" / "delivery" / "migrations",
            tmp_path / "migrations",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    )
    last = max(path.name[:4] for path in (folder / "versions").glob("0*.py"))
    step = folder / "versions" / "0999_next.py"
    step.write_text(STEP.format(revision="0999", before=last), "utf-8")
    return folder


class Site:
    """One PostgreSQL, and versions of Herald that come and go."""

    def __init__(self, stage: Stage, url: str) -> None:
        self.stage = stage
        self.environment = stage.environment(DATABASE_URL=url, **FAST)
        self.database = Database(url)
        self.ledger = Ledger(self.database, Seal([self.environment["SECRET_KEYS"]], "ledger"))
        self.processes: list[Process] = []
        self._forms = itertools.count()

    def moved(self) -> dict[str, str]:
        """The environment with a free port; Teams speaks to whoever listens there."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        self.stage.teams.endpoint = f"http://127.0.0.1:{port}/api/messages"
        return {**self.environment, "PORT": port}

    async def up(self, process: Process) -> Process:
        self.processes.append(process)
        await process.until("herald.listening", timeout_s=40)
        return process

    async def notice(self, desk: Desk) -> Delivery:
        """A notice of several batches of one person each."""
        world = self.stage.world
        call = notice_call(
            topic=text_topic("Closed", "https://teams.microsoft.com/l/chat/0/0?users=x"),
            activity_type="systemDefault",
            preview="The car park is closed.",
            parameters={"systemDefaultText": "Car park closed"},
            teams_app_id=world.catalog_app_id,
        )
        place = Place(self.stage.connector.service_url, self.stage.teams.chat(desk.person).id, "")
        actor = Actor(desk.person.tenant_id, desk.person.id)
        wanted = NewDelivery(actor, f"form {next(self._forms)}", Kind.NOTICE, place, {}, call)
        megan = world.named("Megan").id
        delivery, _ = await self.ledger.submit(wanted, [[megan] for _ in range(BATCHES)])
        return delivery

    async def is_sent(self, delivery: Delivery) -> bool:
        """Wait for the end of it. Whether Graph took all of it."""
        async with asyncio.timeout(60):
            while True:
                now = await self.ledger.any_delivery(delivery.id)
                if now is not None and now.is_settled:
                    return now.batches(State.ACCEPTED) == BATCHES
                await asyncio.sleep(0.05)


@pytest.fixture
async def site(stage: Stage, postgres: Postgres) -> AsyncIterator[Site]:
    site = Site(stage, postgres.new())
    yield site
    await kill_all(site.processes)
    await site.database.close()


async def test_the_old_version_keeps_sending_while_the_new_one_starts_and_takes_over(
    site: Site, migrations: Path, at_desk: Callable[[str], Desk]
) -> None:
    site.stage.world.limits_enforced = False
    lee = at_desk("Lee")
    await lee.teams.install(lee.person)
    health = str(free_port())
    old = await site.up(await fork_app({**site.moved(), "METRICS_PORT": health}))
    await lee.say("notify")  # signs Lee in
    before = await site.notice(lee)

    # It answers and sends nothing, so that what is sent now is the old one's doing.
    await site.up(await fork_newer_app({**site.moved(), "WORKER": "none"}, migrations))
    assert await site.database.standing() is Standing.NEWER
    # A load balancer has to go on sending people to the old one until it is stopped.
    async with aiohttp.request("GET", f"http://127.0.0.1:{health}/readyz") as answer:
        assert answer.status == 200, await answer.text()
    beside = await site.notice(lee)
    assert await site.is_sent(before)
    assert await site.is_sent(beside)
    await lee.say("whoami")
    assert "Lee" in lee.shown
    assert old.logged("worker.failed") == []

    await site.up(await fork_newer_app(site.moved(), migrations))
    await old.stop()
    assert await site.is_sent(await site.notice(lee))
    calls = [call for call in site.stage.world.graph_calls if call.path.endswith("ToRecipients")]
    assert len([call for call in calls if call.took_effect]) == 3 * BATCHES


async def test_an_old_version_does_not_start_on_a_newer_database_and_says_so(
    site: Site, migrations: Path
) -> None:
    newer = await site.up(await fork_newer_app(site.moved(), migrations))
    await newer.stop()
    assert await site.database.standing() is Standing.NEWER

    old = await fork_app(site.moved())
    site.processes.append(old)
    assert await old.ended() == 2
    sentence = "The database was written by a newer version of Herald. Please install that version."
    assert sentence in "".join(old.lines)
    ran = await bot(site.environment, "db", "check")
    assert ran.code == 1
    assert "newer version of Herald" in ran.err
