"""`python -m bot keys …`: a key is changed, nobody is signed out, and nothing is lost."""

import json
import re
from collections.abc import Callable

from bot.settings import Settings
from sandbox.stage import Stage
from tests.admin.shell import Ran, bot, process
from tests.admin.test_deliveries import in_an_hour, texted
from tests.conftest import Serve
from tests.desk import Desk

NEW = "the-new-key-of-the-clinic-0123456789"


async def test_with_one_key_the_next_is_made_and_where_it_goes_is_said(stage: Stage) -> None:
    ran = await bot(stage.environment(), "keys", "rotate")
    assert ran.code == 0
    [key] = re.findall(r"^([\w-]{43})$", ran.out, re.MULTILINE)
    assert f"SECRET_KEYS={key}," in ran.out
    assert (await bot(stage.environment(), "keys", "new")).out.strip() != key


async def test_what_is_stored_moves_to_the_new_key_while_the_app_works(
    stage: Stage,
    serve: Serve,
    database_url: str,
    at_desk: Callable[[str], Desk],
) -> None:
    adele = at_desk("Adele")
    before = stage.environment(DATABASE_URL=database_url)
    old = before["SECRET_KEYS"]
    both = {**before, "SECRET_KEYS": f"{NEW},{old}"}
    only_new = {**before, "SECRET_KEYS": NEW}

    async def keys(environment: dict[str, str], command: str, *more: str) -> Ran:
        return await bot(environment, "keys", command, *more)

    async with serve(DATABASE_URL=database_url):
        await texted(adele, **in_an_hour(adele))
    exchanges = len(stage.entra.requests)

    counted = await keys(both, "check", "--json")
    assert counted.code == 0, counted.err
    assert json.loads(counted.out)["under_older_keys"] >= 4
    dropped_too_early = await keys(only_new, "check")
    assert dropped_too_early.code == 1
    assert "sealed with a key that is not in SECRET_KEYS" in dropped_too_early.err

    async with serve(DATABASE_URL=database_url, SECRET_KEYS=both["SECRET_KEYS"]):
        rotated = await process(both, "keys", "rotate")
        assert rotated.code == 0, rotated.err
        assert "nobody was signed out" in rotated.out
        assert json.loads((await keys(both, "check", "--json")).out)["under_older_keys"] == 0

    async with serve(DATABASE_URL=database_url, SECRET_KEYS=NEW):
        await adele.say("whoami")
        assert "Adele" in adele.shown
        await adele.say("scheduled")
        assert "8631" in adele.shown or "Scheduled" in adele.shown
        assert (await keys(only_new, "check")).code == 0
    grants = [request.grant for request in stage.entra.requests[exchanges:]]
    assert "on_behalf_of" not in grants
    assert "authorization_code" not in grants


async def test_a_database_that_is_away_is_said_in_a_sentence(
    stage: Stage, herald: Settings
) -> None:
    environment = stage.environment(
        DATABASE_URL="postgresql+asyncpg://herald:secret@127.0.0.1:9/herald",
        SECRET_KEYS=f"{NEW},{NEW}2",
    )
    ran = await bot(environment, "keys", "rotate")
    assert ran.code == 2
    assert "can't be opened" in ran.err
    assert "secret" not in ran.err
