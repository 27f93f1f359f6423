"""The messaging extension: forms as dialogs, from the compose box and from a message's menu.

Source: "Define messaging extension action commands" and "Respond to the modal dialog submit
action", Microsoft Teams. Nothing is inserted into the conversation by a dialog: closing it ends it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import (
    AdminConsentNeeded,
    ConsentNeeded,
    EntraUnavailable,
    HeraldError,
    SignInNeeded,
)
from bot.identity.obo import NOTIFY, TEXT, Identity
from bot.teams.about_message import about_message
from bot.teams.answers import ShowCard, for_dialog
from bot.teams.card_actions import CardActions
from bot.teams.dialogs import Dialogs, too_slow
from bot.teams.exchanges import ANSWER_S
from bot.teams.extension_sign_in import ExtensionSignIn
from bot.teams.hostile import text
from bot.teams.message_search import MessageSearch
from bot.teams.notices import Notices
from bot.teams.sign_in import SignInFlow
from bot.teams.texts import Texts
from bot.teams.turn import CARD_TYPE, Turn
from cards.elements import payload
from cards.notes import NoteView, note

Reply = tuple[int, dict[str, Any]]
Answering = Callable[[Turn], Awaitable[Reply]]

_UNKNOWN = "This version of Herald doesn't know that command."
_NO_PREVIEW = (
    "Herald shows what it sends before it is sent, and puts nothing into the conversation. Nothing "
    "was sent."
)
_FROM_THE_MENU = "Close this, and choose it in the message's menu again."


@dataclass(frozen=True)
class _Form:
    """A form that a command opens.

    `scopes` are the permissions it needs, `word` is the chat command that opens it empty; none
    where an empty one would lose what the command was used on.
    """

    title: str
    opening: Callable[[Turn], Awaitable[ShowCard]]
    scopes: tuple[str, ...]
    word: str = ""


class MessageExtension:
    """`composeExtension/*` invokes."""

    def __init__(
        self,
        identity: Identity,
        texts: Texts,
        notices: Notices,
        actions: CardActions,
        sign_in: SignInFlow,
        search: MessageSearch | None = None,
    ) -> None:
        self._dialogs = Dialogs(texts, notices, actions)
        self._admin_card = sign_in.admin_card
        self._sign_in = ExtensionSignIn(identity)
        self._search = search or MessageSearch()
        self._forms: Mapping[str, _Form] = {
            "textAttendees": _Form("Send an appointment text", texts.open, TEXT, "text"),
            "notifyTeammates": _Form("Notify teammates", notices.open, NOTIFY, "notify"),
            "notifyAboutMessage": _Form(
                "Notify about this message",
                lambda turn: notices.open(turn, about_message(turn)),
                NOTIFY,
            ),
        }

    def invokes(self) -> Mapping[str, Answering]:
        """What answers each invoke of the extension, by its name."""
        return {
            "composeExtension/fetchTask": self.fetch,
            "composeExtension/submitAction": self.submit,
            **self._search.invokes(),
        }

    async def fetch(self, turn: Turn) -> Reply:
        """`composeExtension/fetchTask`: the form as a dialog, or a sign-in and the same again."""
        form = self._forms.get(text(turn.value.get("commandId")))
        if form is None:
            return 200, _message(_UNKNOWN)
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._sign_in.take(turn, form.scopes)
                card = (await form.opening(turn)).card
        except AdminConsentNeeded as error:
            card = self._admin_card(turn, error, form.word)
        except (SignInNeeded, ConsentNeeded):
            return 200, await self._sign_in.ask(turn, form.scopes)
        except HeraldError as error:
            card = _problem(error.sentence, form)
        except TimeoutError:
            # A sign-in goes on all the same: the next try finds it.
            card = too_slow(form.word) if form.word else _problem(EntraUnavailable().sentence, form)
        return 200, _dialog(card, form.title)

    async def submit(self, turn: Turn) -> Reply:
        """`composeExtension/submitAction` and `task/submit`: a button inside the dialog."""
        if turn.value.get("botMessagePreviewAction"):
            card = payload(note(NoteView("There is no preview", _NO_PREVIEW)))
            return 200, _dialog(card, "Herald")
        return 200, _dialog(await self._dialogs.answer(turn, turn.value.get("data")), "Herald")


def _problem(sentence: str, form: _Form) -> dict[str, Any]:
    advice = "" if form.word else _FROM_THE_MENU
    view = NoteView("That did not work", sentence, "problem", advice, try_again=form.word)
    return payload(note(view))


def _dialog(card: Mapping[str, Any], title: str) -> dict[str, Any]:
    attachment = {"contentType": CARD_TYPE, "content": for_dialog(card)}
    value = {"title": title, "height": "large", "width": "medium", "card": attachment}
    return {"task": {"type": "continue", "value": value}}


def _message(sentence: str) -> dict[str, Any]:
    return {"task": {"type": "message", "value": sentence}}
