"""Each person's tokens: read from the cache, renewed, challenged, and entered, one at a time.

Source: the Microsoft identity platform's on-behalf-of flow and refresh tokens.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar
from weakref import WeakValueDictionary

from bot.actor import Actor
from bot.errors import (
    AdminConsentNeeded,
    ConsentNeeded,
    IdentityError,
    SignInNeeded,
    TokenTooShort,
    WrongPerson,
)
from bot.identity import challenge
from bot.identity.entra import CodeFlow, Entra, Grant
from bot.identity.keyring import Token, longest_token, merge
from bot.identity.permissions import ADMIN_ONLY
from bot.identity.token_cache import Stored, TokenCache

MARGIN_S = 60  # a token with less left is not given: what it is for takes some seconds
_TRIES = 5  # at saving over another replica's write
_SHORT_S = 5.0  # how long 'too short' is believed without asking Entra again

_T = TypeVar("_T")


class People:
    """What Entra gave in people's names.

    Every person has a cache of their own; nothing enters it unless the id token that came with it
    names them. Whatever changes it waits for what is under way for the same person.
    """

    def __init__(self, cache: TokenCache, entra: Entra) -> None:
        self._cache = cache
        self._entra = entra
        self._locks: WeakValueDictionary[Actor, asyncio.Lock] = WeakValueDictionary()

    async def exchange(self, actor: Actor, assertion: str, scopes: tuple[str, ...]) -> None:
        """Exchange single sign-on's token and keep what comes of it."""
        async with self._lock(actor):
            claims = await self.challenge(actor)

            async def ask(some: tuple[str, ...]) -> Grant:
                return await self._entra.on_behalf_of(actor.tenant_id, assertion, some, claims)

            try:
                grant = await _asked(ask, scopes)
            except SignInNeeded as error:
                await self._ask_for(actor, error)
                raise
            await self._enter(actor, grant)

    async def redeem(self, actor: Actor, flow: CodeFlow) -> None:
        """Redeem a sign-in's authorization code and keep what comes of it."""
        async with self._lock(actor):
            await self._enter(actor, await self._entra.redeem(actor.tenant_id, flow))

    async def forget(self, actor: Actor) -> bool:
        """Remove all of this person. False when there was nothing."""
        async with self._lock(actor):
            return await self._cache.forget(actor)

    async def challenge(self, actor: Actor) -> str:
        """The claims challenge that this person's next token has to answer, as JSON, or nothing."""
        stored = await self._cache.load(actor)
        return challenge.of_cache(stored.text) if stored else ""

    async def challenged(self, actor: Actor, value: str, claims: str) -> None:
        """Graph refused this token and wants to see these claims (JSON)."""
        async with self._lock(actor):
            stored = await self._cache.load(actor)
            # Where another one is kept by now, that was answered: the refused one is just late.
            if stored and stored.text and value in stored.text:
                # When another replica wrote it meanwhile, Graph will say so again.
                text = challenge.into_cache(stored.text, claims)
                await self._cache.save(actor, text, over=stored.version)

    async def _ask_for(self, actor: Actor, error: SignInNeeded) -> None:
        """Keep what Entra wants to see, for the sign-in that the person is asked for."""
        if error.claims:
            stored = await self._cache.load(actor)
            text = challenge.into_cache(stored.text if stored else None, error.claims)
            await self._cache.save(actor, text, over=stored.version if stored else None)

    async def token(
        self,
        actor: Actor,
        scopes: tuple[str, ...],
        min_life_s: float,
        *,
        renew: bool = False,
        refused: str = "",
    ) -> Token:
        """A token as the database has it, or renewed: in any case, or instead of a refused one."""
        async with self._lock(actor):
            stored = await self._cache.load(actor)
            if stored is None or stored.text is None:
                raise SignInNeeded
            token = kept(stored, scopes)
            renew = renew or (token is not None and token.value == refused)
            if token and not renew and token.life_s() >= max(min_life_s, MARGIN_S):
                return token
            if token and time.monotonic() < stored.seen.get(("too short", min_life_s), 0.0):
                raise TokenTooShort
            return await self._renewed(actor, stored, scopes, min_life_s)

    async def _renewed(
        self, actor: Actor, stored: Stored, scopes: tuple[str, ...], min_life_s: float
    ) -> Token:
        async def ask(some: tuple[str, ...]) -> str:
            return await self._entra.renew(actor, stored.text or "", some)

        try:
            fresh = await _asked(ask, scopes)
        except SignInNeeded as error:
            await self._ask_for(actor, error)
            raise
        renewed = await self._keep(actor, fresh, stored, is_new=False)
        token = kept(renewed, scopes)
        if token is None:  # Entra gave less than was asked for
            raise ConsentNeeded(scopes)
        if token.life_s() < min_life_s:
            # A worker with a hundred batches must not ask Entra a hundred times.
            renewed.seen["too short", min_life_s] = time.monotonic() + _SHORT_S
            raise TokenTooShort
        return token

    async def _enter(self, actor: Actor, grant: Grant) -> None:
        if not grant.is_for(actor):
            raise WrongPerson
        await self._keep(actor, grant.text, await self._cache.load(actor), is_new=True)

    async def _keep(
        self, actor: Actor, fresh: str, stored: Stored | None, *, is_new: bool
    ) -> Stored:
        for _ in range(_TRIES):
            text = merge(stored.text if stored else None, fresh)
            saved = await self._cache.save(actor, text, over=stored.version if stored else None)
            if saved:
                return saved
            stored = await self._cache.load(actor)
            if stored is None and not is_new:
                raise SignInNeeded("signed out meanwhile")
        raise IdentityError("the cache was written by others all the time")

    def _lock(self, actor: Actor) -> asyncio.Lock:
        lock = self._locks.get(actor)
        if lock is None:
            lock = self._locks[actor] = asyncio.Lock()
        return lock


def kept(stored: Stored, scopes: Sequence[str]) -> Token | None:
    """The token for these permissions in what was read, expired or not."""
    wanted = frozenset(scopes)
    if wanted not in stored.seen:
        stored.seen[wanted] = longest_token(stored.text, wanted) if stored.text else None
    token: Token | None = stored.seen[wanted]
    return token


async def _asked(ask: Callable[[tuple[str, ...]], Awaitable[_T]], scopes: tuple[str, ...]) -> _T:
    """Ask for these scopes; when consent is missing, find out whose.

    Entra does not say which permission it misses. Where those of the administrator turn out to be
    there, the rest are the person's own to give.
    """
    try:
        return await ask(scopes)
    except AdminConsentNeeded as refused:
        for_admins = tuple(scope for scope in scopes if scope in ADMIN_ONLY)
        own = tuple(scope for scope in scopes if scope not in ADMIN_ONLY)
        if not own or not for_admins:
            raise
        detail = str(refused)
    await ask(for_admins)
    raise ConsentNeeded(own, detail)
