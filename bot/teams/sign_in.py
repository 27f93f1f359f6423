"""Signing in: the silent exchange first, the link when it doesn't come, consent when it's missing.

Teams waits five seconds for an answer. What takes longer goes on after it, and is finished when the
app stops.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
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
from bot.settings import Settings
from bot.teams.commands import named
from bot.teams.connector import Connector
from bot.teams.exchanges import (
    CONNECTION,
    SCOPES,
    Background,
    Exchanges,
    Outcome,
    Reply,
)
from bot.teams.turn import Turn, card_message
from bot.words import gettext, marked
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

_A_CODE = re.compile(r"[A-Za-z_]{1,40}")

PATIENCE_S = 5.0  # then the link is offered: clients can fail silently
_OAUTH_CARD = "application/vnd.microsoft.card.oauth"
_WHAT = {
    TEXT: marked("sending appointment texts"),
    NOTIFY: marked("sending notices"),
    MEETINGS: marked("your meetings"),
}

_FORGOTTEN = marked(
    "Herald has forgotten your sign-in. What still waits to be sent waits until you sign in again."
)
_WAS_NOT_IN = marked("You were not signed in.")
_IN_PRIVATE = marked("As whom, and what you allowed, is shown to you alone: write “{command}”.")
_NEEDED = {Kind.TEXT: (TEXT, MEETINGS), Kind.NOTICE: (NOTIFY,), Kind.GROUP: (NOTIFY,)}

After = Callable[[Turn, str], Awaitable[None]]


class Waiting(Protocol):
    """What waits for its owner to sign in."""

    async def wake(self, actor: Actor) -> None:
        """It goes on."""

    async def kinds_waiting(self, actor: Actor) -> Iterable[Kind]:
        """The kinds of deliveries that wait for it."""


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
        self._background = Background()
        self._exchanges = Exchanges(settings.secrets, identity, once, self._background)
        self._offering: set[asyncio.Task[None]] = set()
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
        await asyncio.gather(*self._offering, return_exceptions=True)
        await self._background.stop()

    # Asking --------------------------------------------------------------------------------------

    async def ask(self, turn: Turn, scopes: tuple[str, ...], *, then: str) -> None:
        """Ask for a sign-in with these permissions; `then` is the command that goes on."""
        if turn.in_dialog or turn.signed_in:
            # Dialogs have no silent exchange; and one that did not help is not asked for again and
            # again.
            await self._send_link(turn, gettext("You need to sign in first."), scopes, then)
            return
        link = await self._identity.sign_in_link(turn.actor, scopes, then=then)
        if turn.surface == "channel":
            # There Teams exchanges nothing silently: without a resource it shows the button.
            await turn.context.send_activity(_oauth_card(link))
            return
        exchange_id = self._exchanges.new_id(turn.actor, scopes, then)
        resource = {"id": exchange_id, "uri": self._settings.sso_resource}
        sent = await turn.context.send_activity(_oauth_card(link, tokenExchangeResource=resource))
        task = asyncio.create_task(
            self._offer_link(turn, exchange_id, str(sent.id or "") if sent else "", link, then)
        )
        self._offering.add(task)
        task.add_done_callback(self._offering.discard)

    async def _offer_link(
        self, turn: Turn, exchange_id: str, activity_id: str, link: str, then: str
    ) -> None:
        await asyncio.sleep(PATIENCE_S)
        if self._exchanges.has_begun(turn.actor, exchange_id):
            return
        card = self._link_card(gettext("Teams did not sign you in by itself."), link, then)
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
                    what=gettext(_WHAT[scopes]) if scopes in _WHAT else gettext("this"),
                    permission=", ".join(error.scopes),
                    link=self._identity.admin_consent_link(turn.actor, scopes),
                    then=then,
                )
            )
        )

    # What Teams sends back -----------------------------------------------------------------------

    async def token_exchange(self, turn: Turn) -> Reply:
        """`signin/tokenExchange`: the invoke's status and body."""
        exchange_id = turn.value.get("id")
        assertion = turn.value.get("token")
        if not isinstance(exchange_id, str) or not isinstance(assertion, str):
            return 400, {}
        if not exchange_id or not assertion:
            return 400, {}

        async def say(outcome: Outcome) -> None:
            await self._after_exchange(turn, outcome)

        return await self._exchanges.answer(turn.actor, exchange_id, assertion, say)

    async def _after_exchange(self, turn: Turn, outcome: Outcome) -> None:
        error = outcome.error
        if error is None:
            await self._signed_in(turn, outcome.then)
        elif isinstance(error, AdminConsentNeeded):
            await turn.send(self.admin_card(turn, error, outcome.then))
        elif isinstance(error, EntraUnavailable) or not isinstance(error, IdentityError):
            await turn.send(_problem(error, outcome.then))
        # For all else Teams shows the sign-in button.

    async def verify_state(self, turn: Turn) -> Reply:
        """`signin/verifyState`: the one-time code that the consent pop-up handed back."""
        code = turn.value.get("state")
        if not isinstance(code, str) or not code:
            return 400, {}
        # What takes longer is said in the chat.
        ending = self._background.start(self._verified(turn, code))
        await asyncio.wait({ending}, timeout=turn.left_s())
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
        # Teams' codes are words such as `resourcematchfailed`; what is none may be anything.
        code = str(turn.value.get("code", ""))
        log.info("sign_in.client_failed", code=code if _A_CODE.fullmatch(code) else "?")
        return 200, {}

    async def _signed_in(self, turn: Turn, then: str) -> None:
        if self._after is not None:
            await self._after(replace(turn, signed_in=True, began=time.monotonic()), then)

    # Commands ------------------------------------------------------------------------------------

    async def sign_in(self, turn: Turn) -> None:
        """`signin`: with all that is needed by what waits for it; and that goes on."""
        for scopes in await self.needed(turn.actor):
            try:
                await self._identity.token(turn.actor, scopes)
            except SignInNeeded:
                await self.ask(turn, scopes, then="signin")
                return
        await self.wake(turn.actor)
        await self.who(turn)

    async def wake(self, actor: Actor) -> None:
        """What waited for this actor's sign-in goes on."""
        if self._waiting is not None:
            await self._waiting.wake(actor)

    def new_exchange(self, actor: Actor, scopes: tuple[str, ...]) -> str:
        """An id for an exchange that a card's button asks for."""
        return self._exchanges.new_id(actor, scopes, "signin")

    def exchange_scopes(self, actor: Actor, exchange_id: str) -> tuple[str, ...] | None:
        """What it asked for, or None where it was not made for this actor."""
        return self._exchanges.scopes_of(actor, exchange_id)

    async def needed(self, actor: Actor) -> list[tuple[str, ...]]:
        """The permissions that what waits for the actor needs, or else those of a notice."""
        kinds = await self._waiting.kinds_waiting(actor) if self._waiting is not None else ()
        return [scopes for kind in kinds for scopes in _NEEDED[kind]] or [NOTIFY]

    async def sign_out(self, turn: Turn) -> None:
        """`signout`."""
        was_in = await self._identity.sign_out(turn.actor)
        sentence = gettext(_FORGOTTEN if was_in else _WAS_NOT_IN)
        await turn.send(payload(note(NoteView(gettext("Signed out"), sentence))))

    async def who(self, turn: Turn) -> None:
        """`whoami`."""
        account = await self._identity.who(turn.actor)
        if account is not None and not turn.is_private:
            sentence = gettext(_IN_PRIVATE, command=named("whoami").word)
            view = NoteView(gettext("You are signed in"), sentence, "good")
            await turn.send(payload(note(view)))
            return
        shown = WhoAmIView("", "", ())
        if account is not None:
            shown = WhoAmIView(account.name, account.username, tuple(account.scopes))
        await turn.send(payload(who_am_i(shown)))


def _oauth_card(link: str, **more: Any) -> Activity:
    content = {
        "text": gettext("Sign in, so that Herald can act in your name."),
        "connectionName": CONNECTION,
        "buttons": [{"type": "signin", "title": gettext("Sign in"), "value": link}],
        **more,
    }
    card = Attachment(content_type=_OAUTH_CARD, content=content)
    return Activity(type=ActivityTypes.message, attachments=[card])


def _problem(error: HeraldError, then: str) -> dict[str, Any]:
    title = gettext("That did not work")
    return payload(note(NoteView(title, error.sentence, "problem", try_again=then)))


def _known(scopes: tuple[str, ...]) -> tuple[str, ...]:
    wanted = set(scopes)
    return next((known for known in SCOPES.values() if wanted & set(known)), NOTIFY)


def _wanted(then: str) -> tuple[str, ...]:
    return TEXT if then.partition(".")[0] == "text" else NOTIFY
