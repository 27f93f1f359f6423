import asyncio
from collections.abc import Callable

import jwt
import pytest

from bot.errors import EntraUnavailable
from bot.identity.bot_token import BotToken
from tests.bot.identity.conftest import Home


class Fetch:
    """Gives tokens that live as long as it is told, or fails."""

    def __init__(self, *lives: float | Exception) -> None:
        self.lives = list(lives)
        self.count = 0

    async def __call__(self) -> tuple[str, float]:
        await asyncio.sleep(0)
        self.count += 1
        life = self.lives.pop(0)
        if isinstance(life, Exception):
            raise life
        return f"token {self.count}", life


async def test_the_token_is_for_the_channel_and_fetched_once(home: Home) -> None:
    tokens = await asyncio.gather(*(home.identity.bot_token() for _ in range(30)))
    assert len(set(tokens)) == 1
    claims = jwt.decode(tokens[0], options={"verify_signature": False})
    assert claims["aud"] == "https://api.botframework.com"
    assert claims["appid"] == home.world.app_id
    [request] = home.entra.requests
    assert request.grant == "client_credentials"
    assert request.path.startswith(f"/{home.world.tenant_id}/")


async def test_a_multi_tenant_bot_asks_the_bot_frameworks_tenant(
    home: Home, another: Callable[..., Home]
) -> None:
    changed = home.settings.model_copy(update={"microsoft_app_type": "MultiTenant"})
    assert await another(changed).identity.bot_token()
    assert home.entra.requests[-1].path.startswith("/botframework.com/")


async def test_an_ageing_token_serves_while_its_successor_is_fetched() -> None:
    fetch = Fetch(10 * 60, 3600)
    token = BotToken(fetch)
    assert await token.get() == "token 1"
    token._not_before = 0
    assert await token.get() == "token 1"
    for _ in range(5):
        await asyncio.sleep(0)
    assert await token.get() == "token 2"
    assert await token.get() == "token 2"
    assert fetch.count == 2


async def test_the_background_pauses_between_attempts() -> None:
    fetch = Fetch(10 * 60, EntraUnavailable(), 3600)
    token = BotToken(fetch)
    for _ in range(10):
        assert await token.get() == "token 1"
        await asyncio.sleep(0)
    assert fetch.count == 1
    token._not_before = 0
    for _ in range(10):
        assert await token.get() == "token 1"
        await asyncio.sleep(0)
    assert fetch.count == 2


async def test_a_nearly_expired_token_serves_while_entra_is_away() -> None:
    token = BotToken(Fetch(2 * 60, EntraUnavailable(), 3600))
    assert await token.get() == "token 1"
    assert await token.get() == "token 1"
    assert await token.get() == "token 3"


async def test_a_refused_token_is_renewed_on_demand(home: Home) -> None:
    old = await home.identity.bot_token()
    new = await home.identity.renew_bot_token()
    assert new != old
    assert await home.identity.bot_token() == new


async def test_without_a_token_an_outage_is_told_and_then_over() -> None:
    token = BotToken(Fetch(EntraUnavailable(), 3600))
    with pytest.raises(EntraUnavailable):
        await token.get()
    assert await token.get() == "token 2"


async def test_closing_ends_what_runs() -> None:
    started = asyncio.Event()

    async def never() -> tuple[str, float]:
        started.set()
        await asyncio.Event().wait()
        raise AssertionError

    token = BotToken(never)
    waiting = asyncio.create_task(token.get())
    await started.wait()
    await token.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
