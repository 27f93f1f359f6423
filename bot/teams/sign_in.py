"""Signing in: the silent exchange first, the link when it doesn't come, consent when it's missing.

An OAuthCard with a token-exchange resource makes every Teams client that shows it send
`signin/tokenExchange`; the first of one exchange id does the work, the others are answered alike.
The id says which command goes on afterwards, and for whom it was made, since in a group chat the
others' clients send one, too: `<then>~<scopes>~<random>~<signature over these and the actor>`.

Teams waits five seconds for an answer. What takes longer goes on after it, and is ended or
finished when the app stops.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import structlog
from botbuilder.schema import Activity, ActivityTypes, Attachment

from bot.actor import Actor
from bot.delivery.drafts import Once
from bot.delivery.models import Kind
from bot.errors import (
    AdminConsentNeeded,
    ConsentNeeded,
    EntraUnavailable,
    HeraldError,
    IdentityError,
    SignInExpired,
    SignInNeeded,
)
from bot.identity.obo import MEETINGS, NOTIFY, TEXT, Identity
from bot.sealing import Stamp
from bot.settings import Settings
from bot.teams.connector import Connector
from bot.teams.turn import Turn, card_message
from cards.elements import payload
from cards.notes import (
    AdminConsentView,
    NoteView,
    SignInView,
    WhoAmIView,
    admin_consent,
    note,
    sign_in,
    who_am_i,
)

log = structlog.get_logger(__name__)

CONNECTION = "herald"
PATIENCE_S = 5.0  # then the link is offered: clients can fail silently
ANSWER_S = 4.0  # of the five seconds that Teams waits for an invoke's answer
_STOP_S = 10.0  # what goes on after its answer is given so long to end
_FAILED_S = 30.0  # so long a failed exchange is answered alike; then it is tried again
_REMEMBERED = 2048
_SCOPES = {"notify": NOTIFY, "text": TEXT, "meetings": MEETINGS}
_OAUTH_CARD = "application/vnd.microsoft.card.oauth"
_WHAT = {TEXT: "sending appointment texts", NOTIFY: "sending notices", MEETINGS: "your meetings"}

_IN_YOUR_CHAT = (
    "As whom, and what you allowed, is shown in your own chat with Herald: type “whoami” there."
)
_NEEDED = {Kind.TEXT: (TEXT, MEETINGS), Kind.NOTICE: (NOTIFY,)}

After = Callable[[Turn, str], Awaitable[None]]
Reply = tuple[int, dict[str, Any]]


class Waiting(Protocol):
    """What waits for its owner to sign in."""

    async def wake(self, actor: Actor) -> None:
        """It goes on."""

    async def kinds_waiting(self, actor: Actor) -> Iterable[Kind]:
        """The kinds of deliveries that wait for it."""


@dataclass
class _Exchange:
    """One exchange id: its work, what goes on after it, and until when a failure stands."""

    work: "asyncio.Task[Reply] | None" = None
    after: "asyncio.Task[None] | None" = None
    failed_until: float = 0.0


class SignInFlow:
    """Everything about signing in that is said in Teams."""

    def __init__(
        self,
        settings: Settings,
        identity: Identity,
        connector: Connector,
        once: Once,
    ) -> None:
        self._settings = settings
        self._identity = identity
        self._connector = connector
        self._once = once
        self._stamp = Stamp(settings.secrets, "exchange")
        self._exchanges: OrderedDict[tuple[str, ...], _Exchange] = OrderedDict()
        self._offering: set[asyncio.Task[None]] = set()
        self._going_on: set[asyncio.Task[Any]] = set()
        self._after: After | None = None
        self._waiting: Waiting | None = None

    def goes_on_with(self, after: After, waiting: Waiting) -> None:
        """What runs after a sign-in: `after(turn, command name)`; and what waits for one."""
        self._after = after
        self._waiting = waiting
        self._identity.tells_sign_ins(waiting.wake)

    async def stop(self) -> None:
        """Forget the links that were still to be offered; finish what goes on."""
        for task in self._offering:
            task.cancel()
        if self._going_on:
            _, late = await asyncio.wait(self._going_on, timeout=_STOP_S)
            for task in late:
                task.cancel()
        await asyncio.gather(*self._offering, *self._going_on, return_exceptions=True)

    def _go_on(self, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Do this to the end, whoever has stopped waiting for it."""
        task = asyncio.create_task(work)
        self._going_on.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self._going_on.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, HeraldError):
            log.warning("sign_in.not_said", problem=type(error).__name__)
        elif error is not None:
            log.error("sign_in.failed", exc_info=error)

    # Asking --------------------------------------------------------------------------------------

    async def ask(self, turn: Turn, scopes: tuple[str, ...], *, then: str) -> None:
        """Ask for a sign-in with these permissions; `then` is the command that goes on."""
        if turn.surface == "channel" or turn.in_dialog or turn.signed_in:
            # Channels and dialogs have no silent exchange; and one that did not help is not
            # asked for again and again.
            await self._send_link(turn, "You need to sign in first.", scopes, then)
            return
        link = await self._identity.sign_in_link(turn.actor, scopes, then=then)
        exchange_id = self._exchange_id(turn.actor, scopes, then)
        sent = await turn.context.send_activity(self._oauth_card(exchange_id, link))
        task = asyncio.create_task(
            self._offer_link(turn, exchange_id, str(sent.id or "") if sent else "", link, then)
        )
        self._offering.add(task)
        task.add_done_callback(self._offering.discard)

    def _exchange_id(self, actor: Actor, scopes: tuple[str, ...], then: str) -> str:
        words = (then, _name(scopes), secrets.token_urlsafe(12))
        return "~".join((*words, self._stamp.sign(*words, *actor)))

    def _asked(self, actor: Actor, exchange_id: str) -> bool:
        """Whether this exchange was asked of this actor."""
        words = exchange_id.split("~")
        return len(words) == 4 and self._stamp.is_ours(words[3], *words[:3], *actor)

    def _oauth_card(self, exchange_id: str, link: str) -> Activity:
        return Activity(
            type=ActivityTypes.message,
            attachments=[
                Attachment(
                    content_type=_OAUTH_CARD,
                    content={
                        "text": "Sign in, so that Herald can act in your name.",
                        "connectionName": CONNECTION,
                        "tokenExchangeResource": {
                            "id": exchange_id,
                            "uri": self._settings.sso_resource,
                        },
                        "buttons": [{"type": "signin", "title": "Sign in", "value": link}],
                    },
                )
            ],
        )

    async def _offer_link(
        self, turn: Turn, exchange_id: str, activity_id: str, link: str, then: str
    ) -> None:
        await asyncio.sleep(PATIENCE_S)
        if self._key(turn, exchange_id) in self._exchanges:
            return
        card = self._link_card("Teams did not sign you in by itself.", link, then)
        place = turn.place
        message = card_message(card).serialize()
        try:
            if activity_id:
                await self._connector.update(
                    place.service_url, place.conversation_id, activity_id, message
                )
            else:
                await self._connector.send(place.service_url, place.conversation_id, message)
        except HeraldError as error:
            log.warning("sign_in.link_not_offered", problem=type(error).__name__)

    async def _send_link(self, turn: Turn, why: str, scopes: tuple[str, ...], then: str) -> None:
        if turn.in_dialog:
            # A dialog has no pop-up of Teams: the page itself ends the sign-in.
            link = await self._identity.browser_link(turn.actor, scopes)
            view = SignInView(why=why, link=link, then=then, in_browser=True)
            await turn.send(payload(sign_in(view)))
            return
        link = await self._identity.sign_in_link(turn.actor, scopes, then=then)
        await turn.send(self._link_card(why, link, then))

    def _link_card(self, why: str, link: str, then: str) -> dict[str, Any]:
        return payload(sign_in(SignInView(why=why, link=link, then=then)))

    # Errors that are about who is asking ---------------------------------------------------------

    async def explain(
        self, turn: Turn, error: IdentityError, *, then: str, scopes: tuple[str, ...] = ()
    ) -> None:
        """Answer an identity error with what its reader can do about it.

        `scopes` are what a sign-in should ask for; by default those of the command `then`.
        """
        if isinstance(error, AdminConsentNeeded):
            await turn.send(self.admin_card(turn, error, then))
        elif isinstance(error, ConsentNeeded):
            await self._send_link(turn, error.sentence, _known(error.scopes), then)
        elif isinstance(error, SignInNeeded):
            await self.ask(turn, scopes or _wanted(then), then=then)
        else:
            await turn.send(_problem(error, then))

    def admin_card(self, turn: Turn, error: AdminConsentNeeded, then: str) -> dict[str, Any]:
        """What only an administrator can approve, with the link to forward."""
        scopes = _known(error.scopes)
        return payload(
            admin_consent(
                AdminConsentView(
                    what=_WHAT.get(scopes, "this"),
                    permission=", ".join(error.scopes),
                    link=self._identity.admin_consent_link(turn.actor, scopes),
                    then=then,
                )
            )
        )

    # What Teams sends back -----------------------------------------------------------------------

    async def token_exchange(self, turn: Turn) -> Reply:
        """`signin/tokenExchange`: done once per exchange id, answered alike for all.

        Returns the invoke's status and body: 200, or 412 with a reason, on which Teams shows the
        sign-in button. An exchange that takes too long goes on after its 412.
        """
        exchange_id = str(turn.value.get("id", ""))
        assertion = turn.value.get("token")
        if not exchange_id or not isinstance(assertion, str) or not assertion:
            return 400, {}
        if not self._asked(turn.actor, exchange_id):
            # Somebody else's client shows the card, too: nobody asked this person.
            return 200, _body(exchange_id[:200])
        clock = asyncio.get_running_loop().time
        ends_at = clock() + ANSWER_S
        exchange = self._exchanges.get(self._key(turn, exchange_id))
        if exchange is None or 0 < exchange.failed_until < clock():
            exchange = self._begin(turn, exchange_id, assertion)
        assert exchange.work is not None  # noqa: S101 - `_begin` sets it
        done, _ = await asyncio.wait({exchange.work}, timeout=max(0, ends_at - clock()))
        if not done:
            return 412, _body(exchange_id, EntraUnavailable().sentence)
        status, body = exchange.work.result()
        if exchange.after is not None:
            await asyncio.wait({exchange.after}, timeout=max(0, ends_at - clock()))
        return status, body

    def _begin(self, turn: Turn, exchange_id: str, assertion: str) -> _Exchange:
        exchange = self._exchanges[self._key(turn, exchange_id)] = _Exchange()
        exchange.work = self._go_on(self._exchange(turn, exchange_id, assertion, exchange))
        while len(self._exchanges) > _REMEMBERED:
            self._exchanges.popitem(last=False)
        return exchange

    async def _exchange(
        self, turn: Turn, exchange_id: str, assertion: str, exchange: _Exchange
    ) -> Reply:
        then, name, *_ = exchange_id.split("~")
        key = "exchange " + " ".join(self._key(turn, exchange_id))
        # Until it is known how it ended: what breaks off in the middle is not done either.
        exchange.failed_until = asyncio.get_running_loop().time() + _FAILED_S
        try:
            if not await self._once.seen(key):
                await self._identity.exchange(turn.actor, assertion, _SCOPES[name])
                # Only now: what failed may be tried again, also after a restart.
                if await self._once.first_time(key):
                    exchange.after = self._go_on(self._signed_in(turn, then))
        except AdminConsentNeeded as error:
            exchange.after = self._go_on(turn.send(self.admin_card(turn, error, then)))
            return 412, _body(exchange_id, error.sentence)
        except HeraldError as error:
            log.info("sign_in.exchange_failed", problem=type(error).__name__)
            if isinstance(error, EntraUnavailable) or not isinstance(error, IdentityError):
                exchange.after = self._go_on(turn.send(_problem(error, then)))
            return 412, _body(exchange_id, error.sentence)
        exchange.failed_until = 0.0
        return 200, _body(exchange_id)

    async def verify_state(self, turn: Turn) -> Reply:
        """`signin/verifyState`: the one-time code that the consent pop-up handed back."""
        code = turn.value.get("state")
        if not isinstance(code, str) or not code:
            return 400, {}
        await asyncio.wait({self._go_on(self._verified(turn, code))}, timeout=ANSWER_S)
        return 200, {}

    async def _verified(self, turn: Turn, code: str) -> None:
        try:
            then = await self._identity.finish(turn.actor, code)
        except AdminConsentNeeded as error:
            await turn.send(self.admin_card(turn, error, "text"))
        except HeraldError as error:
            again = "signin" if isinstance(error, SignInExpired) else ""
            await turn.send(_problem(error, again))
        else:
            await self._signed_in(turn, then)

    async def failure(self, turn: Turn) -> Reply:
        """`signin/failure`: the client could not exchange; the link is offered by the clock."""
        log.info("sign_in.client_failed", code=str(turn.value.get("code", ""))[:60])
        return 200, {}

    async def _signed_in(self, turn: Turn, then: str) -> None:
        if self._after is not None:
            await self._after(replace(turn, signed_in=True), then)

    # Commands ------------------------------------------------------------------------------------

    async def sign_in(self, turn: Turn) -> None:
        """`signin`: with all that is needed by what waits for it; and that goes on."""
        for scopes in await self._needed(turn.actor):
            try:
                await self._identity.token(turn.actor, scopes)
            except SignInNeeded:
                await self.ask(turn, scopes, then="signin")
                return
        if self._waiting is not None:
            await self._waiting.wake(turn.actor)
        await self.who(turn)

    async def _needed(self, actor: Actor) -> list[tuple[str, ...]]:
        kinds = await self._waiting.kinds_waiting(actor) if self._waiting is not None else ()
        return [scopes for kind in kinds for scopes in _NEEDED[kind]] or [NOTIFY]

    async def sign_out(self, turn: Turn) -> None:
        """`signout`."""
        was_in = await self._identity.sign_out(turn.actor)
        sentence = (
            "Herald has forgotten your sign-in. What still waits to be sent waits until you sign "
            "in again."
            if was_in
            else "You were not signed in."
        )
        await turn.send(payload(note(NoteView("Signed out", sentence))))

    async def who(self, turn: Turn) -> None:
        """`whoami`."""
        account = await self._identity.who(turn.actor)
        view = WhoAmIView("", "", ())
        if account is not None and not turn.is_private:
            await turn.send(payload(note(NoteView("You are signed in", _IN_YOUR_CHAT, "good"))))
            return
        if account is not None:
            view = WhoAmIView(account.name, account.username, tuple(account.scopes))
        await turn.send(payload(who_am_i(view)))

    def _key(self, turn: Turn, exchange_id: str) -> tuple[str, ...]:
        return (*turn.actor, exchange_id)


def _body(exchange_id: str, failure: str = "") -> dict[str, Any]:
    body = {"id": exchange_id, "connectionName": CONNECTION}
    return {**body, "failureDetail": failure} if failure else body


def _problem(error: HeraldError, then: str) -> dict[str, Any]:
    return payload(note(NoteView("That did not work", error.sentence, "problem", try_again=then)))


def _name(scopes: tuple[str, ...]) -> str:
    return next(name for name, known in _SCOPES.items() if known == scopes)


def _known(scopes: tuple[str, ...]) -> tuple[str, ...]:
    wanted = set(scopes)
    return next((known for known in _SCOPES.values() if wanted & set(known)), NOTIFY)


def _wanted(then: str) -> tuple[str, ...]:
    return TEXT if then == "text" else NOTIFY
