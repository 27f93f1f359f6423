"""After a day with everything in it: no number, text, name, token or key where it doesn't belong.

The real process, killed once in the middle. Looked through: the database's files (or, of
PostgreSQL, every row), all that was logged, the metrics, and the pages that say no.
"""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from sandbox.stage import Stage, free_port
from tests.desk import Desk
from tests.processes import Process, fork_app, kill_all
from tests.stories.test_schedules import later
from tests.stories.test_sign_in import sign_in_link

NUMBERS = ("(206) 342-8631", "(425) 703-6214", "(253) 215-7799")
SUBJECT = "Zebra consultation"
PREVIEW = "The giraffe house is closed on Friday."
TITLE = "Giraffe house closed"
TOKENS = ("eyJhbGciOi", "eyJ0eXAiOi")
SMS = "sendVirtualAppointmentSms"
BULK = "sendActivityNotificationToRecipients"


@dataclass
class Day:
    """The processes of one database, and all that was seen of them from outside."""

    stage: Stage
    environment: dict[str, str]
    processes: list[Process] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    async def begin(self) -> Process:
        process = await fork_app(self.environment, hurried=True)
        self.processes.append(process)
        await process.until("herald.listening")
        return process

    async def look(self, *addresses: str) -> None:
        """Keep what these addresses answer."""
        async with aiohttp.ClientSession() as session:
            for address in addresses:
                async with session.get(address, allow_redirects=False) as answer:
                    self.seen.append(f"{answer.headers} {await answer.text()}")

    @property
    def logs(self) -> str:
        return "".join(line for process in self.processes for line in process.lines)


@pytest.fixture
async def day(stage: Stage, database_url: str) -> AsyncIterator[Day]:
    environment = stage.environment(
        DATABASE_URL=database_url, METRICS_PORT=str(free_port()), LOG_LEVEL="DEBUG"
    )
    found = Day(stage, environment)
    yield found
    await kill_all(found.processes)


async def reviewed(desk: Desk, number: str, **more: str) -> None:
    mine = next(m for m in desk.stage.world.meetings.values() if m.organizer_id == desk.person.id)
    mine.subject = SUBJECT
    await desk.say("text")
    await desk.press("Review", meeting=mine.join_url, phone_0=number, **more)


async def lived_through(day: Day, adele: Desk) -> None:
    """Both jobs, a schedule, a refusal, a doubt, a crash, trouble of all kinds, a sign-out."""
    stage = day.stage
    app = await day.begin()
    await adele.teams.install(adele.person)
    await reviewed(adele, NUMBERS[0])
    await adele.press("text.send")
    await reviewed(adele, NUMBERS[1], **later(adele, hours=2))
    await adele.press("text.send")
    for trouble in ("429", "500"):
        await reviewed(adele, NUMBERS[2])
        stage.world.script.append(trouble)
        await adele.press("text.send")
    await adele.say(f"my number is {NUMBERS[0]}")  # not a command: it comes back as a question
    await adele.say("text")
    await adele.press("Review", phone_0="(206) 342", meeting="")  # a form that is wrong
    await noticed(adele)
    await reviewed(adele, NUMBERS[0])
    await app.kill()
    await day.begin()
    await adele.press("text.send")
    await adele.say("history")
    await adele.say("signout")
    await adele.say("whoami")
    stage.world.faults.exchange_mute = True
    await adele.say("signin")


async def noticed(adele: Desk) -> None:
    await adele.say("notify")
    lee = adele.stage.world.named("Lee")
    await adele.press("notice.choose_kind", activity_type="systemDefault")
    await adele.press("Review", param_systemDefaultText=TITLE, preview=PREVIEW, recipients=lee.id)
    await adele.press("notice.send")
    await adele.stage.world.until(lambda: bool(adele.stage.world.accepted(BULK)))


async def asked_wrongly(day: Day, adele: Desk) -> None:
    """Pages that say no, with secrets in what they were asked."""
    app, link = day.stage.app_url, sign_in_link(adele)
    sealed = link.partition("?s=")[2]
    await day.look(
        f"{app}/auth/start?s={sealed[:-5]}aaaaa",
        f"{app}/auth/end?state={sealed[:40]}&code={NUMBERS[0]}&error_description={NUMBERS[1]}",
        f"{app}/auth/end?error=access_denied&error_description={NUMBERS[1]}&state=x",
        f"{app}/auth/approved?error=x&error_description={NUMBERS[1]}",
        f"{app}/{NUMBERS[0]}",
        f"{app}/api/messages?token=eyJhbGciOiJub25lIn0.e30.",
        f"http://127.0.0.1:{day.environment['METRICS_PORT']}/metrics",
        f"http://127.0.0.1:{day.environment['METRICS_PORT']}/readyz",
    )
    async with aiohttp.ClientSession() as session:
        for body in (b"{", b'{"text": "' + NUMBERS[0].encode() + b'"}', NUMBERS[0].encode()):
            headers = {
                "Content-Type": "application/json",
                "Authorization": "Bearer eyJhbGciOiJub25lIn0.e30.",
            }
            async with session.post(f"{app}/api/messages", data=body, headers=headers) as answer:
                day.seen.append(await answer.text())


async def at_rest(url: str) -> bytes:
    """All that the database has: SQLite's files as they lie there, PostgreSQL's rows."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        path = Path(str(parts.database))
        files = sorted(path.parent.glob(f"{path.name}*"))
        assert [one for one in files if one.name.endswith("-wal")]
        return b"".join(one.read_bytes() for one in files)
    engine = create_async_engine(parts)
    found = bytearray()
    async with engine.connect() as connection:
        tables = await connection.scalars(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        for table in tables.all():
            for row in await connection.execute(text(f'SELECT * FROM "{table}"')):  # noqa: S608
                found += b"\n".join(v if isinstance(v, bytes) else str(v).encode() for v in row)
    await engine.dispose()
    return bytes(found)


def secrets_of(day: Day) -> dict[str, str]:
    """What must be nowhere, by what it is."""
    world = day.stage.world
    digits = [re.sub(r"\D", "", number) for number in NUMBERS]
    refreshes = list(day.stage.entra.grants.refreshes)
    assert refreshes
    keys = day.environment["SECRET_KEYS"].split(",")
    return {
        **{f"number {n}": n for n in (*NUMBERS, *digits, *(d[3:] for d in digits))},
        **{f"end of number {n}": n[-8:] for n in NUMBERS},
        **{f"token {n}": n for n in (*TOKENS, *refreshes)},
        **{f"key {n}": n for n in keys},
        **{f"name {p.name}": p.name for p in world.people.values()},
        **{f"mail {p.mail}": p.mail for p in world.people.values()},
        **{f"meeting {m.subject}": m.join_url[-40:] for m in world.meetings.values()},
        "client secret": world.app_secret,
        "subject": SUBJECT,
        "preview": PREVIEW,
        "title": TITLE,
    }


async def test_no_secret_is_at_rest_in_a_log_in_a_metric_or_on_a_page(
    day: Day, at_desk: Callable[[str], Desk]
) -> None:
    adele, world = at_desk("Adele"), day.stage.world
    await lived_through(day, adele)
    await asked_wrongly(day, adele)
    while_running = await at_rest(day.environment["DATABASE_URL"])
    await day.processes[-1].stop()

    assert len(world.accepted(SMS)) >= 2
    assert world.accepted(BULK)
    places: dict[str, bytes] = {
        "database": while_running,
        "logs": day.logs.encode(),
        "pages": "\n".join(day.seen).encode(),
    }
    assert b"herald_turn_seconds" in places["pages"]
    assert b"graph_request_id" in places["logs"]
    found: list[tuple[str, str]] = [
        (place, what)
        for place, content in places.items()
        for what, secret in secrets_of(day).items()
        if secret.encode() in content
    ]
    assert found == []
    check_the_thread(day)


def check_the_thread(day: Day) -> None:
    """One id leads from what Teams sent to what Microsoft's support asks for."""
    first, *_ = day.processes
    [submitted, *_] = first.logged("delivery.submitted")
    sends = [one for one in first.logged("graph.answered") if one["action"] == "send_text"]
    left = next(one for one in sends if one["delivery"] == submitted["delivery"])
    accepted = next(
        one for one in first.logged("batch.accepted") if one["delivery"] == submitted["delivery"]
    )
    assert submitted["activity"].startswith("f:")
    assert left["graph_request_id"] == accepted["graph_request_id"]
    reads = [one for one in first.logged("graph.answered") if one["action"] == "my_meetings"]
    assert reads
    assert all(one["activity"].startswith("f:") and one["graph_request_id"] for one in reads)
