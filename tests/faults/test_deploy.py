"""A deploy in the middle of a fan-out: the old process ends, the new one goes on."""

import asyncio

from sandbox import actions
from sandbox.stage import Stage
from tests.desk import Desk
from tests.stories.test_replicas import BULK, House, State, house, lee

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
