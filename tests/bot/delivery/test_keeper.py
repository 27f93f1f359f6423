"""Sign-ins of those who wait are kept alive; what is old is erased."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.actor import Actor
from bot.delivery import keeper as keeper_module
from bot.delivery.database import Database
from bot.delivery.drafts import Drafts
from bot.delivery.keeper import Keeper
from bot.delivery.models import Delivery, Kind, State
from bot.errors import StaleButton
from bot.identity.obo import NOTIFY, TEXT, Identity
from bot.identity.token_cache import TokenCache
from bot.sealing import Seal
from sandbox.stage import Stage
from tests.bot.delivery.sending import Sending, sending
from tests.conftest import settings_of

DAY_MS = 24 * 3_600_000


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite3'}"


@pytest.fixture
async def identity(stage: Stage, sqlite_url: str) -> AsyncIterator[Identity]:
    settings = settings_of(stage.environment())
    database = Database(sqlite_url)
    await database.migrate()
    identity = Identity(settings, TokenCache(database, settings.secrets))
    yield identity
    await identity.close()
    await database.close()


@pytest.fixture
async def room(stage: Stage, identity: Identity, sqlite_url: str) -> AsyncIterator[Sending]:
    async with sending(stage.world, stage.graph.url, sqlite_url, identity) as room:
        yield room


@pytest.fixture
def drafts(room: Sending) -> Drafts:
    return Drafts(room.database, Seal(["d" * 40], "drafts"))


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def keeper(
    room: Sending,
    identity: Identity,
    drafts: Drafts,
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Keeper:
    monkeypatch.setattr(keeper_module, "_RENEW_AFTER_S", 0.0)

    async def tell(delivery_id: str) -> None:
        told.append(delivery_id)

    return Keeper(room.ledger, drafts, identity, tell, retention_days=30)


async def sign_in(stage: Stage, identity: Identity, name: str) -> Actor:
    person = stage.world.named(name)
    actor = Actor(person.tenant_id, person.id)
    for scopes in (NOTIFY, TEXT):
        await identity.exchange(actor, stage.entra.sso_token(person), scopes)
    return actor


async def waiting(room: Sending, owner: str) -> Delivery:
    return await room.text(owner, due_at_ms=room.queue.clock_ms() + 10 * DAY_MS)


async def state(room: Sending, delivery: Delivery) -> State:
    now = await room.ledger.any_delivery(delivery.id)
    assert now is not None
    return now.tallies[0].state


def renewals(stage: Stage) -> int:
    return len([one for one in stage.entra.requests if "refresh_token" in str(one)])


async def test_the_sign_in_of_whoever_waits_is_renewed(
    stage: Stage, identity: Identity, room: Sending, keeper: Keeper, told: list[str]
) -> None:
    await sign_in(stage, identity, "Adele")
    await sign_in(stage, identity, "Megan")
    delivery = await waiting(room, "Adele")
    before = renewals(stage)
    await keeper.keep_signed_in()
    assert renewals(stage) == before + 1  # Megan waits for nothing
    assert await state(room, delivery) == State.SCHEDULED
    assert told == []


async def test_a_sign_in_that_is_used_often_is_left_alone(
    stage: Stage,
    identity: Identity,
    room: Sending,
    keeper: Keeper,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeper_module, "_RENEW_AFTER_S", 3600.0)
    await sign_in(stage, identity, "Adele")
    await waiting(room, "Adele")
    before = renewals(stage)
    await keeper.keep_signed_in()
    assert renewals(stage) == before


async def test_whose_sign_in_was_revoked_is_told_at_once_and_keeps_the_time(
    stage: Stage, identity: Identity, room: Sending, keeper: Keeper, told: list[str]
) -> None:
    actor = await sign_in(stage, identity, "Adele")
    await sign_in(stage, identity, "Megan")
    lost = await waiting(room, "Adele")
    kept = await waiting(room, "Megan")
    stage.entra.revoke(stage.world.named("Adele"))
    await keeper.keep_signed_in()
    assert told == [lost.id]
    assert await state(room, lost) == State.NEEDS_SIGN_IN
    assert await state(room, kept) == State.SCHEDULED

    await keeper.keep_signed_in()
    assert told == [lost.id]  # once

    await sign_in(stage, identity, "Adele")
    await room.ledger.wake(actor)
    assert await state(room, lost) == State.SCHEDULED


async def test_entra_that_is_away_costs_nobody_the_sign_in(
    stage: Stage, identity: Identity, room: Sending, keeper: Keeper, told: list[str]
) -> None:
    await sign_in(stage, identity, "Adele")
    delivery = await waiting(room, "Adele")
    stage.world.faults.entra_down = True
    await keeper.keep_signed_in()
    assert told == []
    assert await state(room, delivery) == State.SCHEDULED


async def test_one_that_cannot_be_told_keeps_nobody_else_from_being_renewed(
    stage: Stage, identity: Identity, room: Sending, drafts: Drafts, keeper: Keeper
) -> None:
    async def fails(_delivery_id: str) -> None:
        raise RuntimeError("no card")

    for name in ("Adele", "Megan"):
        await sign_in(stage, identity, name)
        stage.entra.revoke(stage.world.named(name))
    both = [await waiting(room, name) for name in ("Adele", "Megan")]
    keeper = Keeper(room.ledger, drafts, identity, fails, retention_days=30)
    await keeper.keep_signed_in()
    assert [await state(room, one) for one in both] == [State.NEEDS_SIGN_IN] * 2


async def test_what_is_older_than_the_retention_is_erased_with_its_drafts(
    stage: Stage,
    identity: Identity,
    room: Sending,
    keeper: Keeper,
    drafts: Drafts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    actor = await sign_in(stage, identity, "Adele")
    old = await room.reaches(await room.text(), State.ACCEPTED)
    still_waits = await waiting(room, "Adele")
    await drafts.keep(actor, "form", Kind.TEXT, {"number": "+12063428631"})

    await keeper.erase()
    assert (await room.ledger.delivery(actor, old.id)).request != {}

    now = room.database.clock_ms()
    monkeypatch.setattr(room.ledger, "clock_ms", lambda: now + 31 * DAY_MS)
    await keeper.erase()
    erased = await room.ledger.delivery(actor, old.id)
    assert erased.request == {}
    assert erased.people(State.ACCEPTED) == 1
    assert (await room.ledger.delivery(actor, still_waits.id)).request != {}
    with pytest.raises(StaleButton):
        await drafts.read(actor, "form", Kind.TEXT)


async def test_it_begins_with_a_round_and_stops_when_told(
    stage: Stage, identity: Identity, room: Sending, keeper: Keeper, told: list[str]
) -> None:
    await sign_in(stage, identity, "Adele")
    stage.entra.revoke(stage.world.named("Adele"))
    delivery = await waiting(room, "Adele")
    await keeper.start()
    await stage.world.until(lambda: told == [delivery.id])
    await keeper.stop()
