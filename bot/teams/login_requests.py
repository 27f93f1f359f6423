"""Signing in from a card's button where others read along: the button's answer is a login request.

Teams then signs its user in and sends the same invoke again: with `authentication`, single
sign-on's token, or, after its pop-up, with `state`, the code of the pop-up's last page. Nothing is
posted, and nobody but the one who pressed sees any of it.

Source: "Universal Actions for Adaptive Cards", responses 200, 401 and 412; "Enable SSO for your
Adaptive Cards Universal Actions".
"""

from collections.abc import Mapping
from typing import Any

from bot.errors import (
    AdminConsentNeeded,
    ConsentNeeded,
    SignInExpired,
    SignInNeeded,
    WrongPerson,
)
from bot.identity.obo import Identity
from bot.settings import Settings
from bot.teams.exchanges import CONNECTION
from bot.teams.sign_in import SignInFlow
from bot.teams.turn import Turn
from bot.words import gettext, marked
from cards.elements import payload
from cards.notes import NoteView, note

Answer = dict[str, Any]

_LOGIN = "application/vnd.microsoft.activity.loginRequest"
_FAILED = "application/vnd.microsoft.error.preconditionFailed"
_BAD_CODE = "application/vnd.microsoft.error.incorrectAuthCode"
_WHY = marked("Sign in, so that Herald can act in your name.")


class LoginRequests:
    """Answers a "Sign in" button in place."""

    def __init__(self, settings: Settings, identity: Identity, flow: SignInFlow) -> None:
        self._settings = settings
        self._identity = identity
        self._flow = flow

    async def answer(self, turn: Turn, told: Mapping[str, Any]) -> Answer | Mapping[str, Any]:
        """A login request, a failure for Teams to act on, or the card that says one is signed in.

        `told` is the invoke's value, with what Teams brought.
        """
        try:
            await self._take(turn, told)
        except AdminConsentNeeded as error:
            return self._flow.admin_card(turn, error, "")
        except SignInExpired as error:
            return _error(401, _BAD_CODE, error.sentence)
        except (SignInNeeded, ConsentNeeded) as error:
            # On this Teams shows the sign-in button.
            return _error(412, _FAILED, error.sentence)
        except WrongPerson as error:
            return payload(
                note(NoteView(gettext("You are not signed in"), error.sentence, "problem"))
            )
        for scopes in await self._flow.needed(turn.actor):
            try:
                await self._identity.token(turn.actor, scopes)
            except AdminConsentNeeded as error:
                return self._flow.admin_card(turn, error, "")
            except (SignInNeeded, ConsentNeeded):
                return await self._login_request(turn, scopes)
        await self._flow.wake(turn.actor)
        sentence = gettext("Herald can act in your name. What waited for it goes on.")
        return payload(note(NoteView(gettext("You are signed in"), sentence, "good")))

    async def _take(self, turn: Turn, told: Mapping[str, Any]) -> None:
        authentication, code = told.get("authentication"), told.get("state")
        if isinstance(authentication, Mapping):
            token, exchange_id = authentication.get("token"), authentication.get("id")
            if not isinstance(token, str) or not token or not isinstance(exchange_id, str):
                raise SignInNeeded
            scopes = self._flow.exchange_scopes(turn.actor, exchange_id)
            if scopes is None:
                raise SignInNeeded
            await self._identity.exchange(turn.actor, token, scopes)
        elif isinstance(code, str) and code:
            await self._identity.finish(turn.actor, code)

    async def _login_request(self, turn: Turn, scopes: tuple[str, ...]) -> Answer:
        exchange_id = self._flow.new_exchange(turn.actor, scopes)
        link = await self._identity.sign_in_link(turn.actor, scopes, then="")
        title = gettext("Sign in")
        value = {
            "text": gettext(_WHY),
            "connectionName": CONNECTION,
            "tokenExchangeResource": {"id": exchange_id, "uri": self._settings.sso_resource},
            "buttons": [{"type": "signin", "title": title, "text": title, "value": link}],
        }
        return {"statusCode": 401, "type": _LOGIN, "value": value}


def _error(status: int, kind: str, sentence: str) -> Answer:
    return {"statusCode": status, "type": kind, "value": {"code": str(status), "message": sentence}}
