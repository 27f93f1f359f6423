"""Whoever can write into the database moves what is sealed: it opens nowhere else.

Each is a clear state for the delivery that it was done to, and nothing for all others.
"""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from sqlalchemy import Table, and_, insert, select, update

from bot.actor import Actor
from bot.delivery import drawers
from bot.delivery.database import Database
from bot.delivery.drafts import Drafts
from bot.delivery.models import (
    BATCHES,
    DELIVERIES,
    DRAFTS,
    LANES,
    RECIPIENTS,
    Delivery,
    Kind,
    State,
)
from bot.delivery.resealing import Resealing
from bot.errors import SignInNeeded
from bot.identity.obo import NOTIFY, Identity
from bot.identity.token_cache import TOKEN_CACHES
from bot.sealing import Seal, Unreadable
from sandbox.stage import Stage
from tests.bot.delivery.sending import Sending, SignedIn, sending
from tests.conftest import Serve
from tests.desk import Desk
from tests.older import unbound

SECRET = "s" * 40  # of `Sending`
SMS = "sendVirtualAppointmentSms"
ELSEWHERE = "0" * 8 + "-0000-4000-8000-" + "0" * 12


@pytest.fixture
async def room(stage: Stage, database_url: str) -> AsyncIterator[Sending]:
    identity = cast(Identity, SignedIn(stage.entra))
    async with sending(stage.world, stage.graph.url, database_url, identity) as room:
        await room.worker.stop()  # nothing leaves before it was moved
        yield room


async def two_waiting(room: Sending) -> tuple[Delivery, Delivery]:
    return await room.text("Adele"), await room.text("Lee")


async def goes_on(room: Sending, *deliveries: Delivery) -> list[dict[State, str]]:
    """A new worker sends what it can; what each came to, and why."""
    room.worker = room.new_worker()
    await room.worker.start()
    settled = [await room.settled(delivery) for delivery in deliveries]
    return [{tally.state: tally.problem for tally in one.tallies} for one in settled]


async def copy(room: Sending, column: Any, source: Delivery, target: Delivery) -> None:
    table: Table = column.table
    key = table.c.get("delivery_id", table.c.get("id"))
    assert key is not None
    async with room.database.write() as connection:
        value = await connection.scalar(select(column).where(key == source.id))
        await connection.execute(update(table).where(key == target.id).values({column.name: value}))


ALL_IS_WELL = {State.ACCEPTED: ""}
STOPPED = {State.REFUSED: "Unreadable"}


@pytest.mark.parametrize("column", [RECIPIENTS.c.sealed_people, DELIVERIES.c.sealed_call])
async def test_what_was_copied_from_another_delivery_is_not_sent_and_says_so(
    room: Sending, column: Any
) -> None:
    hers, his = await two_waiting(room)
    await copy(room, column, hers, his)
    assert await goes_on(room, hers, his) == [ALL_IS_WELL, STOPPED]
    assert len(room.world.accepted(SMS)) == 1


@pytest.mark.parametrize("whose", ["user_id", "tenant_id"])
async def test_a_batch_in_anothers_name_is_not_sent(room: Sending, whose: str) -> None:
    hers, his = await two_waiting(room)
    other = {"user_id": hers.actor.user_id, "tenant_id": ELSEWHERE}[whose]
    async with room.database.write() as connection:
        lane = {"key": f"text {ELSEWHERE}", "kind": "text", "tenant_id": ELSEWHERE}
        await connection.execute(insert(LANES).values(free_at_ms=0, **lane))
        for table, key in ((BATCHES, BATCHES.c.delivery_id), (DELIVERIES, DELIVERIES.c.id)):
            await connection.execute(update(table).where(key == his.id).values({whose: other}))
    assert await goes_on(room, hers, his) == [ALL_IS_WELL, STOPPED]
    assert len(room.world.accepted(SMS)) == 1


async def test_batches_of_one_delivery_are_not_each_others(room: Sending) -> None:
    ann, bob = (room.world.named(name).id for name in ("Adele", "Megan"))
    notice = await room.notice([[ann], [bob]])
    async with room.database.write() as connection:
        is_its = RECIPIENTS.c.delivery_id == notice.id
        first = select(RECIPIENTS.c.sealed_people).where(is_its, RECIPIENTS.c.position == 0)
        value = await connection.scalar(first)
        await connection.execute(
            update(RECIPIENTS)
            .where(and_(is_its, RECIPIENTS.c.position == 1))
            .values(sealed_people=value)
        )
    assert await goes_on(room, notice) == [ALL_IS_WELL | STOPPED]


async def test_what_replaces_another_notice_was_told_so_by_herald_alone(room: Sending) -> None:
    notice = await room.notice([[room.world.named("Megan").id]])
    async with room.database.write() as connection:
        await connection.execute(update(DELIVERIES).values(chain_id=DELIVERIES.c.chain_id + 1))
    assert await goes_on(room, notice) == [STOPPED]


@pytest.mark.parametrize("column", [DELIVERIES.c.sealed_request, DELIVERIES.c.sealed_place])
async def test_another_deliverys_words_are_not_shown_to_its_owner(
    room: Sending, column: Any
) -> None:
    hers, his = await two_waiting(room)
    await copy(room, column, hers, his)
    [seen] = await room.ledger.recent(his.actor)
    assert not seen.is_readable
    assert seen.request == {}
    assert (await room.ledger.delivery(hers.actor, hers.id)).request == hers.request


async def test_anothers_draft_does_not_open(room: Sending) -> None:
    drafts = Drafts(room.database, Seal([SECRET], "drafts"))
    ann, bob = Actor("t" * 36, "a" * 36), Actor("t" * 36, "b" * 36)
    for who in (ann, bob):
        await drafts.keep(who, "f.1", Kind.TEXT, {"of": who.user_id})
    async with room.database.write() as connection:
        is_hers = DRAFTS.c.user_id == ann.user_id
        value = await connection.scalar(select(DRAFTS.c.sealed).where(is_hers))
        await connection.execute(update(DRAFTS).where(~is_hers).values(sealed=value))
    assert (await drafts.read(ann, "f.1", Kind.TEXT)).request == {"of": ann.user_id}
    with pytest.raises(Unreadable):
        await drafts.read(bob, "f.1", Kind.TEXT)


async def test_anothers_sign_in_is_nobodys(home: Any) -> None:
    adele = await home.signed_in("Adele", NOTIFY)
    megan = await home.signed_in("Megan", NOTIFY)
    async with home.database.write() as connection:
        is_hers = TOKEN_CACHES.c.user_id == adele.user_id
        row = (await connection.execute(select(TOKEN_CACHES).where(is_hers))).one()
        values = {"sealed": row.sealed, "version": row.version + 1}
        await connection.execute(update(TOKEN_CACHES).where(~is_hers).values(values))
    home.cache._held.clear()
    with pytest.raises(SignInNeeded):
        await home.identity.token(megan, NOTIFY)
    assert (await home.identity.token(adele, NOTIFY)).value


async def test_keys_rotate_binds_what_was_not_bound(room: Sending) -> None:
    hers, his = await two_waiting(room)
    await unbind(room.database, hers)
    steps = [step async for step in Resealing(room.database, [SECRET]).run()]
    assert sum(step.resealed for step in steps) == 4
    assert sum(step.unreadable for step in steps) == 0
    assert [step async for step in Resealing(room.database, [SECRET]).run() if step.resealed] == []
    await copy(room, RECIPIENTS.c.sealed_people, hers, his)
    assert await goes_on(room, hers, his) == [ALL_IS_WELL, STOPPED]


async def unbind(database: Database, delivery: Delivery) -> None:
    """As an early version wrote it."""
    seal = Seal([SECRET], "ledger")
    async with database.write() as connection:
        row = (
            await connection.execute(select(DELIVERIES).where(DELIVERIES.c.id == delivery.id))
        ).one()
        batch = (
            await connection.execute(select(BATCHES).where(BATCHES.c.delivery_id == delivery.id))
        ).one()
        for drawer in (drawers.PLACE, drawers.REQUEST, drawers.CALL):
            value = seal.open_json(row._mapping[drawer.column], drawer.binding(row._mapping))
            await connection.execute(
                update(DELIVERIES)
                .where(DELIVERIES.c.id == delivery.id)
                .values({drawer.column: unbound(value, SECRET, "ledger")})
            )
        is_its = RECIPIENTS.c.delivery_id == delivery.id
        sealed = await connection.scalar(select(RECIPIENTS.c.sealed_people).where(is_its))
        people = seal.open_json(sealed, drawers.PEOPLE.binding(batch._mapping))
        await connection.execute(
            update(RECIPIENTS).where(is_its).values(sealed_people=unbound(people, SECRET, "ledger"))
        )


async def test_people_read_what_became_of_it(stage: Stage, serve: Serve, at_desk: Any) -> None:
    adele: Desk = at_desk("Adele")
    async with serve() as settings:
        await adele.teams.install(adele.person)
        meetings = stage.world.meetings.values()
        mine = next(m.join_url for m in meetings if m.organizer_id == adele.person.id)
        for number in ("(206) 342-8631", "(425) 703-6214"):
            await adele.say("text")
            await adele.press("Review", meeting=mine, phone_0=number)
            await adele.press("text.send")
        database = Database(settings.database_url)
        async with database.write() as connection:
            rows = (await connection.execute(select(DELIVERIES))).all()
            await connection.execute(
                update(DELIVERIES)
                .where(DELIVERIES.c.id == rows[1].id)
                .values(sealed_request=rows[0].sealed_request)
            )
        await database.close()
        await adele.say("history")
        assert "can't be read any more" in adele.shown
        await adele.say(f"status {rows[1].id[:8]}")
        assert "Accepted" in adele.shown
        assert "8631" not in adele.shown
