"""Signing in: the silent exchange first, the link when it doesn't come, consent when it's missing.

An OAuthCard with a token-exchange resource makes every Teams client of the user send
`signin/tokenExchange`; the first of one exchange id does the work, the others are answered alike.
Its id says which command goes on afterwards: `<then>~<scopes>~<random>`.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from botbuilder.schema import Activity, ActivityTypes, Attachment

from bot.delivery.drafts import Once
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
_REMEMBERED = 2048
_SCOPES = {"notify": NOTIFY, "text": TEXT, "meetings": MEETINGS}
_OAUTH_CARD = "application/vnd.microsoft.card.oauth"
_WHAT = {TEXT: "sending appointment texts", NOTIFY: "sending notices", MEETINGS: "your meetings"}

After = Callable[[Turn, str], Awaitable[None]]


@dataclass
class _Exchange:
    """One exchange id: how it ended, for the clients that come later."""

    done: asyncio.Future[tuple[int, dict[str, Any]]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


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
        self._exchanges: OrderedDict[tuple[str, ...], _Exchange] = OrderedDict()
        self._waiting: set[asyncio.Task[None]] = set()
        self._after: After | None = None

    def goes_on_with(self, after: After) -> None:
        """What runs after a sign-in: `after(turn, command name)`."""
        self._after = after

    async def stop(self) -> None:
        """Forget the links that were still to be offered."""
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    # Asking --------------------------------------------------------------------------------------

    async def ask(self, turn: Turn, scopes: tuple[str, ...], *, then: str) -> None:
        """Ask for a sign-in with these permissions; `then` is the command that goes on."""
        link = await self._identity.sign_in_link(turn.actor, scopes, then=then)
        if turn.surface == "channel":
            # Channels have no silent exchange: only the link works there.
            await turn.send(self._link_card("You need to sign in first.", link, then))
            return
        exchange_id = f"{then}~{_name(scopes)}~{secrets.token_urlsafe(12)}"
        sent = await turn.context.send_activity(self._oauth_card(exchange_id, link))
        task = asyncio.create_task(
            self._offer_link(turn, exchange_id, str(sent.id or "") if sent else "", link, then)
        )
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

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
            scopes = _known(error.scopes)
            link = await self._identity.sign_in_link(turn.actor, scopes, then=then)
            await turn.send(self._link_card(error.sentence, link, then))
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

    async def token_exchange(self, turn: Turn) -> tuple[int, dict[str, Any]]:
        """`signin/tokenExchange`: done once per exchange id, answered alike for all.

        Returns the invoke's status and body: 200, or 412 with a reason, on which Teams shows the
        sign-in button.
        """
        exchange_id = str(turn.value.get("id", ""))[:200]
        assertion = turn.value.get("token")
        if not exchange_id or not isinstance(assertion, str) or not assertion:
            return 400, {}
        key = self._key(turn, exchange_id)
        known = self._exchanges.get(key)
        if known is not None:
            return await asyncio.shield(known.done)
        mine = self._exchanges[key] = _Exchange()
        while len(self._exchanges) > _REMEMBERED:
            self._exchanges.popitem(last=False)
        try:
            answer = await self._exchange(turn, exchange_id, assertion)
        except BaseException:
            # The others must not wait for ever, and the next try starts afresh.
            mine.done.set_result((500, {}))
            self._exchanges.pop(key, None)
            raise
        mine.done.set_result(answer)
        return answer

    async def _exchange(
        self, turn: Turn, exchange_id: str, assertion: str
    ) -> tuple[int, dict[str, Any]]:
        body = {"id": exchange_id, "connectionName": CONNECTION}
        then, _, rest = exchange_id.partition("~")
        scopes = _SCOPES.get(rest.partition("~")[0], NOTIFY)
        if not await self._once.first_time("exchange " + " ".join(self._key(turn, exchange_id))):
            return 200, body
        try:
            await self._identity.exchange(turn.actor, assertion, scopes)
        except EntraUnavailable as error:
            await turn.send(_problem(error, then))
            return 412, {**body, "failureDetail": error.sentence}
        except AdminConsentNeeded as error:
            await turn.send(self.admin_card(turn, error, then))
            return 412, {**body, "failureDetail": error.sentence}
        except IdentityError as error:
            log.info("sign_in.exchange_failed", problem=type(error).__name__)
            return 412, {**body, "failureDetail": error.sentence}
        await self._signed_in(turn, then)
        return 200, body

    async def verify_state(self, turn: Turn) -> tuple[int, dict[str, Any]]:
        """`signin/verifyState`: the one-time code that the consent pop-up handed back."""
        code = turn.value.get("state")
        if not isinstance(code, str) or not code:
            return 400, {}
        try:
            then = await self._identity.finish(turn.actor, code)
        except AdminConsentNeeded as error:
            await turn.send(self.admin_card(turn, error, "text"))
            return 200, {}
        except IdentityError as error:
            then = "signin" if isinstance(error, SignInExpired) else ""
            await turn.send(_problem(error, then))
            return 200, {}
        await self._signed_in(turn, then)
        return 200, {}

    async def failure(self, turn: Turn) -> tuple[int, dict[str, Any]]:
        """`signin/failure`: the client could not exchange; the link is offered by the clock."""
        log.info("sign_in.client_failed", code=str(turn.value.get("code", ""))[:60])
        return 200, {}

    async def _signed_in(self, turn: Turn, then: str) -> None:
        if self._after is not None:
            await self._after(turn, then)

    # Commands ------------------------------------------------------------------------------------

    async def sign_in(self, turn: Turn) -> None:
        """`signin`."""
        try:
            await self._identity.token(turn.actor, NOTIFY)
        except SignInNeeded:
            await self.ask(turn, NOTIFY, then="whoami")
            return
        await self.who(turn)

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
        if account is not None:
            view = WhoAmIView(account.name, account.username, tuple(account.scopes))
        await turn.send(payload(who_am_i(view)))

    def _key(self, turn: Turn, exchange_id: str) -> tuple[str, ...]:
        return (*turn.actor, exchange_id)


def _problem(error: HeraldError, then: str) -> dict[str, Any]:
    return payload(note(NoteView("That did not work", error.sentence, "problem", try_again=then)))


def _name(scopes: tuple[str, ...]) -> str:
    return next(name for name, known in _SCOPES.items() if known == scopes)


def _known(scopes: tuple[str, ...]) -> tuple[str, ...]:
    wanted = set(scopes)
    return next((known for known in _SCOPES.values() if wanted & set(known)), NOTIFY)


def _wanted(then: str) -> tuple[str, ...]:
    return TEXT if then == "text" else NOTIFY
