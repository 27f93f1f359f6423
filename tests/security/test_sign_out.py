"""Signing out: nothing of a sign-in stays, wherever it was."""

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from bot.errors import SignInNeeded
from bot.identity.obo import NOTIFY, TEXT
from sandbox.stage import Stage
from tests.desk import Desk
from tests.stories.test_schedules import later, meeting_of

SMS = "sendVirtualAppointmentSms"


def rows(stage: Stage, person_id: str) -> int:
    with sqlite3.connect(stage.state_dir / "herald.sqlite3") as database:
        found = database.execute(
            "SELECT count(*) FROM token_caches WHERE user_id = ?", (person_id,)
        ).fetchone()
    database.close()
    return int(found[0])


@pytest.mark.parametrize("way", ["the command", "removing the app"])
async def test_no_row_of_it_stays_and_what_waits_asks_for_a_new_one(
    adele: Desk, stage: Stage, way: str
) -> None:
    await adele.say("text")
    values = {"meeting": meeting_of(adele).join_url, "phone_0": "(206) 342-8631"}
    await adele.press("Review", **values, **later(adele, hours=1))
    await adele.press("text.send")
    assert rows(stage, adele.person.id) == 1
    if way == "the command":
        await adele.say("signout")
    else:
        await adele.teams.uninstall(adele.person)
    assert rows(stage, adele.person.id) == 0
    asked = len(stage.entra.requests)
    stage.world.faults.exchange_mute = True
    if way == "the command":
        await adele.say("scheduled")
        await adele.press("delivery.look")
        await adele.press("delivery.now")
        await stage.world.until(lambda: "sign in" in adele.shown.lower())
    assert stage.world.accepted(SMS) == []
    assert len(stage.entra.requests) == asked


async def test_a_replica_that_has_a_token_in_memory_gives_it_no_more(
    home: Any, another: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.identity.token_cache._FRESH_S", 0.0)
    actor = await home.signed_in("Adele", (*NOTIFY, *TEXT))
    other = another()
    token = await other.identity.token(actor, TEXT)
    await home.identity.sign_out(actor)
    for identity in (home.identity, other.identity):
        with pytest.raises(SignInNeeded):
            await identity.token(actor, TEXT)
        with pytest.raises(SignInNeeded):
            await other.identity.instead_of(token.value)
        assert await identity.who(actor) is None
