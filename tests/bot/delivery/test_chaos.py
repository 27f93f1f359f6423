"""A Graph that fails in every way there is, at random; the ledger and Graph agree in the end."""

import random
import secrets
import sys
import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.delivery import pace
from bot.delivery.models import State
from sandbox.entra import Entra
from sandbox.graph import Graph as GraphStandIn
from sandbox.world import GraphCall, Person, World, clinic
from tests.bot.delivery.sending import Sending, SignedIn, sending

RECIPIENTS = 10_000
TEXTS = 80
# A little of what takes time, for each makes its lane wait for seconds; much of the rest.
WAITS = ("429", "429:date")
FAULTS = (
    "429:none",
    *("500", "502", "503", "504"),
    *("500_after", "502_after", "503_after", "504_after"),
    *("reset_before", "reset_after", "cut_body", "hang"),
)


@pytest.fixture
def chance() -> random.Random:
    seed = secrets.randbits(32)
    sys.stdout.write(f"seed {seed}\n")  # shown when a test fails
    return random.Random(seed)  # noqa: S311 - no secret depends on it


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is minutes in production is milliseconds here."""
    monkeypatch.setattr(pace, "LONGEST_PAUSE_S", 0.02)
    monkeypatch.setattr(pace, "THROTTLED_S", 0.02)
    monkeypatch.setattr(pace, "TRIES", 4)


@pytest.fixture
async def room(hurried: None, database_url: str) -> AsyncIterator[Sending]:
    world = clinic()
    world.limits_enforced = False
    entra = Entra(world)
    graph = GraphStandIn(world, entra)
    await graph.start()
    async with sending(world, graph.url, database_url, SignedIn(entra), timeout_s=0.4) as room:
        yield room
    await graph.stop()


def script(chance: random.Random, length: int, *, faulty: float) -> list[str]:
    """So many answers; two of them make a lane wait, and `faulty` of the rest go wrong."""
    entries = [chance.choice(FAULTS) if chance.random() < faulty else "ok" for _ in range(length)]
    for wait in WAITS:
        entries[chance.randrange(length // 2)] = wait
    return entries


def agree(row: Any, calls: list[GraphCall]) -> None:
    """What the ledger says of a batch is what Graph knows of it."""
    told = f"{row.state} {row.problem}: {[(call.status, call.answered) for call in calls]}"
    took = [call for call in calls if call.took_effect]
    if row.state == State.ACCEPTED:
        # An answer that was cut off has no request id.
        assert took, told
        assert row.request_id in {"", *(call.request_id for call in took)}, told
    elif row.state == State.REFUSED:
        assert not took, told
    else:
        assert row.state == State.UNKNOWN, told
        # On a slow machine even an answer that Graph gave can have come too late.
        assert calls, told


async def test_ten_thousand_recipients_through_every_fault(
    room: Sending, chance: random.Random
) -> None:
    ids = add_people(room.world, RECIPIENTS)
    batches = [ids[start : start + 100] for start in range(0, RECIPIENTS, 100)]
    room.world.script[:] = script(chance, 300, faulty=0.6)

    delivery = await room.settled(await room.notice(batches), timeout_s=60)

    assert delivery.people(*State) == RECIPIENTS
    by_people: dict[tuple[str, ...], list[GraphCall]] = defaultdict(list)
    for call in room.world.graph_calls:
        assert call.body["chainId"] == delivery.chain_id
        by_people[tuple(one["userId"] for one in call.body["recipients"])].append(call)
    assert set(by_people) == {tuple(batch) for batch in batches}
    for row, batch in zip(await room.rows(), batches, strict=True):
        agree(row, by_people[tuple(batch)])
    reached = Counter(len(room.world.feeds[one]) for one in ids)
    assert set(reached) <= {0, 1}
    assert delivery.people(State.ACCEPTED) > RECIPIENTS / 2


async def test_texts_through_every_fault_go_never_twice(
    room: Sending, chance: random.Random
) -> None:
    room.world.script[:] = script(chance, 2 * TEXTS, faulty=0.6)
    deliveries = [await room.text() for _ in range(TEXTS)]
    for delivery in deliveries:
        await room.settled(delivery, timeout_s=60)

    by_number: dict[str, list[GraphCall]] = defaultdict(list)
    for call in room.world.graph_calls:
        by_number[call.body["attendees"][0]["phoneNumber"]].append(call)
    for row, delivery in zip(await room.rows(), deliveries, strict=True):
        number = delivery.request["number"]
        agree(row, by_number[number])
        # Whatever was answered: only a 429 is followed by another try.
        assert len([call for call in by_number[number] if call.status != 429]) == 1
        assert len(room.world.phones[number]) <= 1
    assert {row.state for row in await room.rows()} == {State.ACCEPTED, State.UNKNOWN}


def add_people(world: World, count: int) -> list[str]:
    """So many more people of the tenant, who have Herald; their Entra object ids."""
    added = []
    for number in range(count):
        name = f"Person {number}"
        person = Person(
            id=str(uuid.UUID(int=2**96 + number)),
            name=name,
            mail=f"person.{number}@contoso-clinic.example",
            title="Nurse",
            zone="America/Denver",
        )
        world.people[person.id] = person
        added.append(person.id)
    return added
