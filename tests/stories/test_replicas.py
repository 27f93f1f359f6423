"""Several real processes on one PostgreSQL: they share the work, and one's end is no loss."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.actor import Actor
from bot.delivery.actions import notice_call, text_call
from bot.delivery.database import Database
from bot.delivery.ledger import Ledger
from bot.delivery.models import Delivery, Kind, NewDelivery, Place, State
from bot.graph.bodies import text_topic
from bot.sealing import Seal
from sandbox import actions
from sandbox.stage import Stage, free_port
from sandbox.world import Person
from tests.desk import Desk
from tests.postgres import Postgres
from tests.processes import Process, fork_app, fork_worker, kill_all
from tests.thread import Thread

BULK = "sendActivityNotificationToRecipients"
SMS = "sendVirtualAppointmentSms"
FAST = {
    "NOTICE_RATE": "10000",
    "NOTICE_RATE_OVERALL": "10000",
    "TEXT_RATE": "10000",
    "TEXT_RATE_OVERALL": "10000",
}


@dataclass
class House:
    """One PostgreSQL, the processes on it, and a look into the ledger from beside them."""

    stage: Stage
    environment: dict[str, str]
    database: Database
    processes: list[Process] = field(default_factory=list)
    _forms: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.database, Seal([self.environment["SECRET_KEYS"]], "ledger"))

    async def app(self, **more: str) -> Process:
        """One more `app.py`; Teams speaks to the newest."""
        port = str(free_port())
        app = await fork_app({**self.environment, "PORT": port, **more})
        self.processes.append(app)
        self.stage.teams.endpoint = f"http://127.0.0.1:{port}/api/messages"
        return app

    async def worker(self, *, hurried: bool = False) -> Process:
        """One more `python -m bot worker`."""
        worker = await fork_worker(self.environment, hurried=hurried)
        self.processes.append(worker)
        return worker

    async def until_up(self) -> None:
        """Every process has started."""
        for process in self.processes:
            await process.until("herald.listening", "worker.started", timeout_s=30)

    async def notice(self, desk: Desk, *, batches: int) -> Delivery:
        """A notice of one person a batch, straight into the ledger, with its card in the chat."""
        await desk.say("whoami")
        message = desk.message()
        call = notice_call(
            topic=text_topic("Closed", "https://teams.microsoft.com/l/chat/0/0?users=x"),
            activity_type="systemDefault",
            preview="The car park is closed.",
            parameters={"systemDefaultText": "Car park closed"},
            teams_app_id=self.stage.world.catalog_app_id,
        )
        people = [[person.id] for person in crowd(self.stage, batches)]
        return await self._submit(desk, Kind.NOTICE, call, people, message.id)

    async def texts(self, desk: Desk, *, batches: int) -> Delivery:
        """As many texts, each with a number of its own."""
        meetings = self.stage.world.meetings.values()
        meeting = next(each for each in meetings if each.organizer_id == desk.person.id)
        call = text_call(meeting_id=meeting.id, message_type="confirmation", language="en-US")
        people = [
            [[f"+1206342{n:04d}", "Pacific Standard Time"]] for n in range(8600, 8600 + batches)
        ]
        return await self._submit(desk, Kind.TEXT, call, people, "")

    async def _submit(
        self, desk: Desk, kind: Kind, call: dict[str, Any], people: list[Any], message_id: str
    ) -> Delivery:
        actor = Actor(desk.person.tenant_id, desk.person.id)
        chat = self.stage.teams.chat(desk.person)
        place = Place(self.stage.connector.service_url, chat.id, message_id)
        form_id = f"ledger.{next(self._forms)}"
        wanted = NewDelivery(actor, form_id, kind, place, {}, call)
        delivery, _ = await self.ledger.submit(wanted, people)
        return delivery

    async def settled(self, delivery: Delivery, *, timeout_s: float = 30) -> Delivery:
        """The delivery, once the ledger knows what became of all of it."""
        async with asyncio.timeout(timeout_s):
            while True:
                now = await self.ledger.any_delivery(delivery.id)
                if now is not None and now.is_settled:
                    return now
                await asyncio.sleep(0.05)

    def posts(self, action: str) -> Counter[str]:
        """How often Graph was sent what is for each person or number."""
        calls = self.stage.world.graph_calls
        return Counter(
            recipient.get("userId") or recipient["phoneNumber"]
            for call in calls
            if call.path.endswith(action) and call.took_effect
            for recipient in call.body.get("recipients") or call.body["attendees"]
        )


def crowd(stage: Stage, count: int) -> list[Person]:
    """So many colleagues more."""
    for number in range(count):
        person_id = f"c{number:07d}-0000-4000-8000-{number:012d}"
        stage.world.people[person_id] = Person(
            person_id, f"Colleague {number}", f"c{number}@contoso-clinic.example", "", "UTC"
        )
    return [person for key, person in stage.world.people.items() if key.startswith("c")][:count]


@pytest.fixture
async def house(stage: Stage, postgres: Postgres) -> AsyncIterator[House]:
    stage.world.limits_enforced = False
    url = postgres.new()
    database = Database(url)
    house = House(stage, stage.environment(DATABASE_URL=url, **FAST), database)
    yield house
    await kill_all(house.processes)
    await database.close()


@pytest.fixture
async def lee(at_desk: Callable[[str], Desk]) -> Desk:
    return at_desk("Lee")


async def test_two_apps_that_start_together_share_a_delivery_and_send_each_batch_once(
    house: House, lee: Desk
) -> None:
    one, other = await house.app(), await house.app()
    await house.until_up()
    await lee.teams.install(lee.person)
    await lee.say("signin")
    delivery = await house.notice(lee, batches=300)
    settled = await house.settled(delivery)

    assert settled.batches(State.ACCEPTED) == 300
    posts = house.posts(BULK)
    assert len(posts) == 300
    assert set(posts.values()) == {1}
    assert len(one.logged("batch.accepted")) > 30
    assert len(other.logged("batch.accepted")) > 30
    await lee.stage.world.until(lambda: "300" in actions.text_of(lee.card), timeout_s=30)
    for process in (one, other):
        await process.stop()
        assert await process.ended() == 0


async def test_the_work_of_a_killed_worker_is_taken_over_and_no_text_goes_twice(
    house: House, lee: Desk, stage: Stage
) -> None:
    await house.app(WORKER="none")
    victim = await house.worker(hurried=True)
    await house.until_up()
    await lee.teams.install(lee.person)
    await lee.say("signin")
    stage.world.faults.hang = True
    notice = await house.notice(lee, batches=150)
    texts = await house.texts(lee, batches=60)
    await stage.world.until(lambda: len(house.posts(SMS)) == 16 == len(house.posts(BULK)))
    stage.world.faults.hang = False
    heir = await house.worker(hurried=True)
    await heir.until("batch.accepted")
    await victim.kill()
    notice, texts = await house.settled(notice), await house.settled(texts)

    assert notice.batches(State.ACCEPTED) == 150
    posts = house.posts(BULK)
    assert len(posts) == 150
    assert sorted(posts.values()) == [1] * 134 + [2] * 16
    chains = {c.body["chainId"] for c in stage.world.graph_calls if c.path.endswith(BULK)}
    assert chains == {notice.chain_id}
    # What was on the wire of the killed one: its owner decides.
    assert texts.batches(State.UNKNOWN) == 16
    assert texts.batches(State.ACCEPTED) == 44
    assert sorted(house.posts(SMS).values()) == [1] * 60
    assert heir.logged("worker.took_over")


async def test_an_app_without_a_worker_records_and_a_worker_apart_sends(
    house: House, lee: Desk, stage: Stage
) -> None:
    app = await house.app(WORKER="none")
    await house.until_up()
    await lee.teams.install(lee.person)
    await lee.say("notify")
    await lee.press("notice.choose_kind", activity_type="deploymentApprovalRequired")
    adele = stage.world.named("Adele")
    await lee.press("Review", param_deploymentId="7", preview="Please look.", recipients=adele.id)
    await lee.press("notice.send")
    assert stage.world.accepted(BULK) == []

    worker = await house.worker()
    await worker.until("worker.started", timeout_s=60)  # on a busy machine a start takes its time
    await stage.world.until(lambda: len(stage.world.feeds[adele.id]) == 1, timeout_s=30)
    await stage.world.until(lambda: "accepted" in lee.shown.lower(), timeout_s=30)
    await worker.stop()
    assert await worker.ended() == 0
    assert app.logged("batch.accepted") == []


async def test_two_processes_post_one_card_in_a_thread_however_long_that_takes(
    house: House, lee: Desk, stage: Stage
) -> None:
    """The app wants to post it when the dialog is answered, the worker when Graph took the text."""
    await house.app(WORKER="none")
    await house.worker()
    await house.until_up()
    await lee.teams.install(lee.person)
    await lee.say("signin")
    group = stage.teams.group("Ward", [lee.person, stage.world.named("Adele")])
    thread = Thread(lee, group)
    await thread.say("text")
    dialog = await thread.open()
    meetings = stage.world.meetings.values()
    mine = next(meeting for meeting in meetings if meeting.organizer_id == lee.person.id)
    await dialog.press("Review", meeting=mine.join_url, phone_0="(206) 342-8631")
    before = len(thread.messages)
    stage.world.faults.connector_slow_s = 4.0
    await dialog.press("Send now to 1 person")
    await stage.world.until(lambda: len(thread.messages) > before, timeout_s=20)
    stage.world.faults.connector_slow_s = 0.0
    await stage.world.until(lambda: "Accepted" in thread.shown, timeout_s=20)
    await asyncio.sleep(5)  # whoever waited for the other has looked again by now
    assert len(thread.messages) == before + 1


async def test_postgresql_restarts_in_the_middle_and_nobody_is_needed(
    house: House, lee: Desk, stage: Stage, postgres: Postgres
) -> None:
    one, other = await house.app(), await house.app()
    await house.until_up()
    await lee.teams.install(lee.person)
    await lee.say("notify")
    await lee.press("notice.choose_kind", activity_type="deploymentApprovalRequired")
    filled = {
        "param_deploymentId": "7",
        "preview": "Please look.",
        "recipients": stage.world.named("Adele").id,
    }
    form = lee.card
    stage.world.faults.slow_s = 0.05
    delivery = await house.notice(lee, batches=400)
    await one.until("batch.accepted", count=20)
    await other.until("batch.accepted", count=20)

    await asyncio.to_thread(postgres.stop)
    chat = lee.message(form)
    answer = await lee.teams.press(
        lee.person, chat.id, actions.button(form, "Review"), {**actions.inputs(form), **filled}
    )
    assert answer.status == 200
    assert "could not write this down" in str(answer.body)
    assert lee.message(form).card(lee.person) == form
    await asyncio.to_thread(postgres.start)

    settled = await house.settled(delivery)
    assert settled.batches(State.ACCEPTED) == 400
    posts = house.posts(BULK)
    assert len(posts) == 400
    assert set(posts.values()) == {1}
    await lee.stage.world.until(lambda: "400" in actions.text_of(lee.card), timeout_s=30)


async def test_replicas_keep_the_rates_of_graph_together(
    house: House, lee: Desk, stage: Stage
) -> None:
    house.environment |= {"NOTICE_RATE": "2", "NOTICE_RATE_OVERALL": "20"}
    stage.world.limits_enforced = True
    await house.app()
    await house.app()
    await house.until_up()
    await lee.teams.install(lee.person)
    await lee.say("signin")
    await house.settled(await house.notice(lee, batches=8))

    calls = [call for call in stage.world.graph_calls if call.path.endswith(BULK)]
    assert [call.status for call in calls].count(202) == 8
    # Seven half seconds; each for itself would take half of that. On a busy machine the first
    # request arrives late.
    took_s = (calls[-1].at - calls[0].at).total_seconds()
    assert 2.5 < took_s < 20


async def test_a_start_waits_for_a_postgresql_that_starts_too(
    house: House, postgres: Postgres
) -> None:
    await asyncio.to_thread(postgres.stop)
    app = await house.app()
    await app.until("database.unavailable")
    await asyncio.to_thread(postgres.start)
    await house.until_up()
