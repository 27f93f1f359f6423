"""A deploy in the middle of a fan-out: the old process ends, the new one goes on.

And one while PostgreSQL is away, with a text on the wire: what became of it is not forgotten.
"""

import asyncio
from collections.abc import Callable

from sandbox import actions
from sandbox.stage import Stage
from tests.desk import Desk
from tests.postgres import Postgres
from tests.stories.test_replicas import BULK, SMS, House, State, house, lee

__all__ = ["house", "lee"]  # fixtures


async def test_an_old_process_ends_in_peace_and_the_new_one_sends_the_rest_once(
    house: House, lee: Desk, stage: Stage
) -> None:
    old = await house.app()
    await house.until_up()
    async with asyncio.timeout(60):
        while await lee.teams.say(lee.person, "help") != 200:  # it listens a moment later
            await asyncio.sleep(0.1)
    await lee.say("signin")
    new = await house.app()  # Teams is sent to the new one from here on
    await new.until("herald.listening", timeout_s=60)
    stage.world.faults.slow_s = 0.05
    delivery = await house.notice(lee, batches=300)
    await old.until("batch.accepted", count=20, timeout_s=60)
    await old.stop()
    assert await old.ended() == 0
    settled = await house.settled(delivery, timeout_s=60)

    assert settled.batches(State.ACCEPTED) == 300
    posts = house.posts(BULK)
    assert len(posts) == 300
    assert set(posts.values()) == {1}
    assert len(new.logged("batch.accepted")) > 0
    # Nothing had to be judged: what the old one held it finished, or gave back.
    assert new.logged("worker.took_over") == []
    await stage.world.until(lambda: "300" in actions.text_of(lee.card), timeout_s=60)
    await lee.say("history")
    assert "accepted" in lee.shown.lower()


async def test_a_stop_while_postgresql_is_away_waits_and_writes_what_became_of_a_text(
    house: House, stage: Stage, postgres: Postgres, at_desk: Callable[[str], Desk]
) -> None:
    adele = at_desk("Adele")
    old = await house.app()
    await house.until_up()
    async with asyncio.timeout(60):
        while await adele.teams.say(adele.person, "signin") != 200:  # it listens a moment later
            await asyncio.sleep(0.1)
    await adele.teams.settled()
    stage.world.faults.slow_s = 4.0  # Graph takes it, and says so when the database has gone
    text = await house.texts(adele, batches=1)
    async with asyncio.timeout(60):
        while not text.people(State.SENDING):
            text = await house.ledger.any_delivery(text.id) or text
            await asyncio.sleep(0.05)
    await asyncio.to_thread(postgres.stop)
    stage.world.faults.slow_s = 0.0
    stopping = asyncio.create_task(old.stop())
    await stage.world.until(lambda: len(stage.world.accepted(SMS)) == 1, timeout_s=60)
    await old.until("database.unavailable", timeout_s=60)
    assert not stopping.done()
    await asyncio.to_thread(postgres.start)
    await stopping

    assert await old.ended() == 0
    assert (await house.settled(text)).people(State.ACCEPTED) == 1
    new = await house.app()
    await new.until("herald.listening", timeout_s=60)
    assert new.logged("worker.took_over") == []
    assert len(stage.world.accepted(SMS)) == 1
