"""The compose box: the two forms as dialogs, signed in by the ways that work there."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.errors import AdminConsentNeeded, ConsentNeeded, HeraldError, SignInNeeded
from bot.identity.obo import NOTIFY, TEXT, Identity
from bot.teams.answers import ShowCard, for_dialog
from bot.teams.card_actions import CardActions
from bot.teams.dialogs import Dialogs, too_slow
from bot.teams.exchanges import ANSWER_S
from bot.teams.notices import Notices
from bot.teams.sign_in import SignInFlow
from bot.teams.texts import Texts
from bot.teams.turn import CARD_TYPE, Turn
from cards.elements import payload
from cards.notes import NoteView, note

Reply = tuple[int, dict[str, Any]]
_Opening = Callable[[Turn], Awaitable[ShowCard]]

_TITLES = {"textAttendees": "Send an appointment text", "notifyTeammates": "Notify teammates"}


class MessageExtension:
    """`composeExtension/*` invokes."""

    def __init__(
        self,
        identity: Identity,
        texts: Texts,
        notices: Notices,
        actions: CardActions,
        sign_in: SignInFlow,
    ) -> None:
        self._identity = identity
        self._dialogs = Dialogs(texts, notices, actions)
        self._sign_in = sign_in
        # How a form is opened, the permissions it needs, and the command that does the same.
        self._forms: Mapping[str, tuple[_Opening, tuple[str, ...], str]] = {
            "textAttendees": (texts.open, TEXT, "text"),
            "notifyTeammates": (notices.open, NOTIFY, "notify"),
        }

    async def fetch(self, turn: Turn) -> Reply:
        """`composeExtension/fetchTask`: the form as a dialog, or a sign-in and the same again."""
        command = str(turn.value.get("commandId", ""))
        if command not in self._forms:
            return 200, _message("This version of Herald doesn't know that command.")
        opening, scopes, word = self._forms[command]
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._take_sign_in(turn, scopes)
                card = (await opening(turn)).card
        except AdminConsentNeeded as error:
            card = self._sign_in.admin_card(turn, error, word)
        except (SignInNeeded, ConsentNeeded):
            return 200, await self._auth(turn, scopes)
        except HeraldError as error:
            problem = NoteView("That did not work", error.sentence, "problem", try_again=word)
            card = payload(note(problem))
        except TimeoutError:
            # A sign-in goes on all the same: the next try finds it.
            card = too_slow(word)
        return 200, _dialog(card, _TITLES[command])

    async def _take_sign_in(self, turn: Turn, scopes: tuple[str, ...]) -> None:
        # Teams sends the same invoke again with the silent token, or with the pop-up's code.
        authentication = turn.value.get("authentication")
        if isinstance(authentication, Mapping) and isinstance(authentication.get("token"), str):
            await self._identity.exchange(turn.actor, authentication["token"], scopes)
        elif isinstance(turn.value.get("state"), str) and turn.value["state"]:
            await self._identity.finish(turn.actor, turn.value["state"])

    async def _auth(self, turn: Turn, scopes: tuple[str, ...]) -> dict[str, Any]:
        # Silent first; when the invoke has come back with something and it still won't do, the
        # pop-up.
        tried = "authentication" in turn.value or "state" in turn.value
        link = await self._identity.sign_in_link(turn.actor, scopes, then="")
        action = {"type": "openUrl", "value": link, "title": "Sign in"}
        kind = "auth" if tried else "silentAuth"
        return {"composeExtension": {"type": kind, "suggestedActions": {"actions": [action]}}}

    async def submit(self, turn: Turn) -> Reply:
        """`composeExtension/submitAction` and `task/submit`: a button inside the dialog."""
        return 200, _dialog(await self._dialogs.answer(turn, turn.value.get("data")), "Herald")


def _dialog(card: Mapping[str, Any], title: str) -> dict[str, Any]:
    attachment = {"contentType": CARD_TYPE, "content": for_dialog(card)}
    value = {"title": title, "height": "large", "width": "medium", "card": attachment}
    return {"task": {"type": "continue", "value": value}}


def _message(sentence: str) -> dict[str, Any]:
    return {"task": {"type": "message", "value": sentence}}
