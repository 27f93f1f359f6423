"""Acting in a person's name: single sign-on's token exchanged on behalf of them, kept, renewed.

Source: the Microsoft identity platform's on-behalf-of flow, and authorization code flow where Teams
could not sign the person in silently.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from bot.actor import Actor
from bot.errors import (
    HeraldError,
    SignInNeeded,
    WrongPerson,
)
from bot.identity import challenge
from bot.identity.ahead import Ahead
from bot.identity.bot_token import BotToken
from bot.identity.entra import Entra
from bot.identity.given import Given
from bot.identity.keyring import Account, Token, account
from bot.identity.people import MARGIN_S, People, kept
from bot.identity.permissions import ADMIN_ONLY, MEETINGS, NOTIFY, TEXT
from bot.identity.sign_in import DOWNLOAD, IN_BROWSER, Arrival, PopUp
from bot.identity.token_cache import TokenCache
from bot.settings import Settings

__all__ = ["ADMIN_ONLY", "MEETINGS", "NOTIFY", "TEXT", "Account", "Identity", "Token"]

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Identity:
    """Tokens in people's names, and the bot's own.

    Scopes are short names of delegated Graph permissions (`bot.identity.permissions`). Every person
    has a cache of their own; nothing enters it unless the id token that came with it names them.
    """

    def __init__(self, settings: Settings, cache: TokenCache, *, timeout_s: float = 10.0) -> None:
        self._cache = cache
        self._entra = Entra(settings, timeout_s=timeout_s)
        self._bot_token = BotToken(self._entra.bot_token)
        self._people = People(cache, self._entra)
        self._under_way: set[asyncio.Task[Any]] = set()
        self._tell: Callable[[Actor], Awaitable[None]] | None = None
        self.pop_up = PopUp(settings, cache.sign_ins)
        self.pop_up.asks_for(self._people.challenge)
        self._given = Given()
        self._ahead = Ahead()

    def tells_sign_ins(self, tell: Callable[[Actor], Awaitable[None]]) -> None:
        """Whom to tell of everybody who signed in, wherever that was."""
        self._tell = tell

    async def exchange(self, actor: Actor, assertion: str, scopes: Sequence[str]) -> None:
        """Exchange single sign-on's token (`signin/tokenExchange`) and keep what comes of it.

        Raises:
            ConsentNeeded, AdminConsentNeeded: nobody agreed to these permissions yet.
            WrongPerson: the token is somebody else's; nothing was kept.
            SignInNeeded: Entra wants to see the person.
            EntraUnavailable, NotConfigured: nothing to do with the person.
        """
        await self._to_the_end(self._exchange(actor, assertion, tuple(scopes)))

    async def token(
        self,
        actor: Actor,
        scopes: Sequence[str],
        *,
        min_life_s: float = 0,
        renew: bool = False,
    ) -> Token:
        """A token from the actor's own cache, renewed once when less than `min_life_s` is left.

        One that ends soon is given all the same, and renewed meanwhile (`bot.identity.ahead`).
        `renew` asks for a new one in any case, for when Graph refused the last.

        Raises:
            SignInNeeded, ConsentNeeded, AdminConsentNeeded: the person is needed.
            TokenTooShort: even a new one has less left than `min_life_s`.
            EntraUnavailable, NotConfigured: nothing to do with the person.
        """
        stored = self._cache.recall(actor)
        token = kept(stored, scopes) if stored and not renew else None
        if not token or token.life_s() < max(min_life_s, MARGIN_S):
            getting = self._people.token(actor, tuple(scopes), min_life_s, renew=renew)
            token = await self._to_the_end(getting)
        if self._ahead.is_due(token, actor, tuple(scopes)):
            self._start(self._ahead.renew(token, partial(self._another, actor, tuple(scopes))))
        self._given.note(token, actor, tuple(scopes))
        return token

    async def is_over(self, actor: Actor, scopes: Sequence[str]) -> bool:
        """Whether there is a token for this, but one that has to be renewed before it is used."""
        stored = self._cache.recall(actor) or await self._cache.load(actor)
        token = kept(stored, scopes) if stored else None
        return token is not None and token.life_s() < MARGIN_S

    async def signed_in_since(self, actor: Actor, scopes: Sequence[str], since_s: float) -> bool:
        """Whether a token for this came into the database after `since_s` (seconds since 1970)."""
        stored = await self._cache.load(actor)
        if stored is None or stored.updated_at_ms < since_s * 1000:
            return False
        token = kept(stored, scopes)
        return token is not None and token.life_s() > 0

    async def challenged(self, value: str, claims: str) -> None:
        """Graph refused a token given here and wants to see these claims (base64 JSON).

        The next renewal, of any replica, passes them on; and so does the sign-in, where Entra
        wants to see the person. What is no challenge, or of a token not given here, is ignored.
        """
        given, wanted = self._given.owner(value), challenge.decoded(claims)
        if given and wanted:
            await self._to_the_end(self._people.challenged(given.actor, value, wanted))

    async def instead_of(self, value: str) -> str | None:
        """Another token for one that Graph refused; None for one that was not given here.

        Raises as `token` does.
        """
        given = self._given.owner(value)
        if given is None:
            return None
        actor, scopes = given
        token = await self._to_the_end(self._another(actor, scopes, value))
        self._given.note(token, actor, scopes)
        return token.value

    async def keep_alive(self, actor: Actor, *, older_than_s: float) -> None:
        """Renew a sign-in that nothing has used for so long, so that it outlives a long wait.

        Raises as `token` does.
        """
        stored = await self._cache.load(actor)
        if stored is None or stored.text is None:
            raise SignInNeeded
        if time.time() - stored.updated_at_ms / 1000 < older_than_s:
            return
        known = account(stored.text)
        if known is None or not known.scopes:
            raise SignInNeeded
        await self.token(actor, sorted(known.scopes), renew=True)

    async def sign_out(self, actor: Actor) -> bool:
        """Forget this person. False when nothing was known of them."""
        return await self._people.forget(actor)

    async def who(self, actor: Actor) -> Account | None:
        """Who is signed in, as far as the cache tells; asks nobody."""
        stored = self._cache.recall(actor) or await self._cache.load(actor)
        return account(stored.text) if stored and stored.text else None

    async def sign_in_link(self, actor: Actor, scopes: Sequence[str], *, then: str = "") -> str:
        """The address of the consent pop-up; sealed, and good for ten minutes.

        `then` is a word that `finish` gives back: what goes on afterwards.
        """
        return self.pop_up.link(actor, scopes, then)

    async def dialog_link(self, actor: Actor, scopes: Sequence[str], *, then: str = "") -> str:
        """The address of the page that stands in a dialog and opens the pop-up; as long good.

        The pop-up's code comes with the dialog's `task/submit`, for `finish`.
        """
        return self.pop_up.dialog_link(actor, scopes, then)

    async def finish(self, actor: Actor, one_time_code: str) -> str:
        """Complete a sign-in with the code that `signin/verifyState` carries.

        Returns the `then` of its link.

        Raises:
            SignInExpired: the code is unknown, used or too old.
            WrongPerson: the link was another's, or another person completed it; nothing was kept.
            SignInNeeded, ConsentNeeded, EntraUnavailable, NotConfigured: as in `exchange`.
        """
        return await self._to_the_end(self._finish(actor, one_time_code))

    async def browser_link(self, actor: Actor, scopes: Sequence[str]) -> str:
        """The address of a sign-in that ends in the browser, where Teams has no pop-up for it."""
        return self.pop_up.link(actor, scopes, IN_BROWSER)

    async def complete(self, record: Mapping[str, Any], code: str) -> None:
        """Complete a sign-in of `browser_link`. Raises as `finish` does."""
        await self._to_the_end(self._redeemed(self.pop_up.arrival(record, code)))

    async def download_link(self, actor: Actor, what: str) -> str:
        """The address where this actor, and nobody else, downloads `what` after signing in."""
        return self.pop_up.link(actor, (), f"{DOWNLOAD}{what}")

    async def prove(self, record: Mapping[str, Any], code: str) -> Actor:
        """Who completed a sign-in that was only to show who it is; nothing of it is kept.

        Raises:
            WrongPerson: it was not the actor that the link was made for.
            SignInExpired, EntraUnavailable, NotConfigured: as in `finish`.
        """
        arrival = self.pop_up.arrival(record, code)
        grant = await self._entra.redeem(arrival.actor.tenant_id, arrival.flow)
        if not grant.is_for(arrival.actor):
            raise WrongPerson
        return arrival.actor

    def admin_consent_link(self, actor: Actor, scopes: Sequence[str]) -> str:
        """The address to forward to an administrator of the actor's organization."""
        return self.pop_up.admin_link(actor, scopes)

    async def bot_token(self) -> str:
        """The bot's own token for `BOT_TOKEN_SCOPE`. Raises EntraUnavailable, NotConfigured."""
        return await self._bot_token.get()

    async def renew_bot_token(self) -> str:
        """A new token of the bot's own, for when the last one was refused."""
        return await self._bot_token.renew()

    async def close(self) -> None:
        """Let what is under way end, then stop."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._bot_token.close()
        self._entra.close()

    async def _exchange(self, actor: Actor, assertion: str, scopes: tuple[str, ...]) -> None:
        await self._people.exchange(actor, assertion, scopes)
        await self._told(actor)

    async def _finish(self, actor: Actor, one_time_code: str) -> str:
        arrival = await self.pop_up.fetch(one_time_code)
        if arrival.actor != actor:
            raise WrongPerson
        await self._redeemed(arrival)
        return arrival.then

    async def _redeemed(self, arrival: Arrival) -> None:
        await self._people.redeem(arrival.actor, arrival.flow)
        await self._told(arrival.actor)

    async def _told(self, actor: Actor) -> None:
        if self._tell is None:
            return
        try:
            await self._tell(actor)
        except HeraldError as error:
            # Signed in they are; `signin` tells once more.
            _log.warning("A sign-in was not told: %s", type(error).__name__)

    async def _another(self, actor: Actor, scopes: tuple[str, ...], value: str) -> Token:
        return await self._people.token(actor, scopes, 0, refused=value)

    async def _to_the_end(self, work: Coroutine[Any, Any, _T]) -> _T:
        # A turn that gives up waiting must not lose a refresh token that Entra already gave.
        return await asyncio.shield(self._start(work))

    def _start(self, work: Coroutine[Any, Any, _T]) -> "asyncio.Task[_T]":
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # looked at, even when nobody waits for it any more
