"""What is done now and then: sign-ins kept alive for what waits, old records erased."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from bot.actor import Actor
from bot.delivery.drafts import Drafts
from bot.delivery.ledger import Ledger
from bot.errors import ConsentNeeded, HeraldError, SignInNeeded, WrongPerson
from bot.identity.obo import Identity

log = structlog.get_logger(__name__)

_EVERY_S = 3600.0
# Entra's refresh tokens live 90 days from their last use; half a day finds a revoked one early.
_RENEW_AFTER_S = 12 * 3600.0
_DAY_MS = 24 * 3_600_000
_DRAFT_DAYS = 30
_LOST = (SignInNeeded, ConsentNeeded, WrongPerson)

Tell = Callable[[str], Awaitable[None]]


class Keeper:
    """Runs beside the worker. `tell(delivery_id)` is called for what now waits for a sign-in."""

    def __init__(
        self, ledger: Ledger, drafts: Drafts, identity: Identity, tell: Tell, *, retention_days: int
    ) -> None:
        self._ledger = ledger
        self._drafts = drafts
        self._identity = identity
        self._tell = tell
        self._retention_days = retention_days
        self._stopping = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin; the first round comes at once."""
        self._loop = asyncio.create_task(self._run(), name="keeper")

    async def stop(self) -> None:
        """End after what is being done now."""
        self._stopping.set()
        if self._loop is not None:
            await self._loop

    async def _run(self) -> None:
        while not self._stopping.is_set():
            for chore in (self.keep_signed_in, self.erase):
                try:
                    await chore()
                except HeraldError as error:
                    log.warning("keeper.put_off", chore=chore.__name__, problem=str(type(error)))
                except Exception:
                    log.exception("keeper.failed", chore=chore.__name__)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_EVERY_S):
                    await self._stopping.wait()

    async def keep_signed_in(self) -> None:
        """Renew the sign-in of everybody who has something scheduled.

        Whoever can't be renewed is told now, by the card of what waits, and not when it is due.
        """
        for actor in await self._ledger.owners_waiting():
            try:
                await self._keep_one(actor)
            except HeraldError as error:
                # Entra is away: the next round comes long before the sign-in runs out.
                log.warning("keeper.not_renewed", problem=type(error).__name__)
            except Exception:
                # What is wrong with one must not cost the others their sign-ins.
                log.exception("keeper.renewal_failed")

    async def _keep_one(self, actor: Actor) -> None:
        try:
            await self._identity.keep_alive(actor, older_than_s=_RENEW_AFTER_S)
        except _LOST as error:
            for delivery_id in await self._ledger.needs_sign_in(actor, type(error).__name__):
                await self._tell(delivery_id)

    async def erase(self) -> None:
        """Erase what is older than the retention, and drafts that nobody sent."""
        now = self._ledger.clock_ms()
        erased = await self._ledger.erase(before_ms=now - self._retention_days * _DAY_MS)
        days = min(_DRAFT_DAYS, self._retention_days)
        await self._drafts.forget(before_ms=now - days * _DAY_MS)
        if erased:
            log.info("keeper.erased", deliveries=erased)
