"""The messaging extension: forms as dialogs, from the compose box and from a message's menu.

Source: "Define messaging extension action commands" and "Respond to the modal dialog submit
action", Microsoft Teams. Nothing is inserted into the conversation by a dialog: closing it ends it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bot.errors import (
    AdminConsentNeeded,
    ConsentNeeded,
    HeraldError,
    SignInNeeded,
)
from bot.identity.obo import NOTIFY, TEXT, Identity
from bot.notifications.filled import Filled
from bot.teams.about_message import about_message
from bot.teams.answers import ShowCard
from bot.teams.dialogs import Dialogs, Reply, dialog, message, too_slow
from bot.teams.exchanges import ANSWER_S
from bot.teams.extension_sign_in import ExtensionSignIn
from bot.teams.hostile import text
from bot.teams.message_search import MessageSearch
from bot.teams.notices import Notices
from bot.teams.prefilled import Prefilled
from bot.teams.replies import Replies
from bot.teams.sign_in import SignInFlow
from bot.teams.texts import Texts
from bot.teams.turn import Turn
from bot.words import gettext, marked
from cards.elements import payload
from cards.notes import NoteView, note

Answering = Callable[[Turn], Awaitable[Reply]]

_UNKNOWN = marked("This version of Herald doesn't know that command.")
_NO_PREVIEW = marked(
    "Herald shows what it sends before it is sent, and puts nothing into the conversation. Nothing "
    "was sent."
)


@dataclass(frozen=True)
class _Form:
    """A form that a command opens.

    `scopes` are the permissions it needs, `word` is the chat command that opens it empty.
    `first` are the values that it begins with, where it is about something.
    """

    title: str
    opening: Callable[[Turn], Awaitable[ShowCard]]
    scopes: tuple[str, ...]
    word: str
    first: Callable[[Turn], Filled] | None = None


class MessageExtension:
    """`composeExtension/*` invokes."""

    def __init__(
        self,
        identity: Identity,
        texts: Texts,
        notices: Notices,
        dialogs: Dialogs,
        sign_in: SignInFlow,
        search: MessageSearch,
        prefilled: Prefilled,
        replies: Replies,
    ) -> None:
        self._replies = replies
        self._dialogs = dialogs
        self._prefilled = prefilled
        self._admin_card = sign_in.admin_card
        self._sign_in = ExtensionSignIn(identity)
        self._search = search
        self._forms: Mapping[str, _Form] = {
            "textAttendees": _Form(marked("Send an appointment text"), texts.open, TEXT, "text"),
            "notifyTeammates": _Form(marked("Notify teammates"), notices.open, NOTIFY, "notify"),
            "notifyAboutMessage": _Form(
                marked("Notify about this message"),
                lambda turn: notices.open(turn, about_message(turn)),
                NOTIFY,
                "notify",
                about_message,
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
            return 200, message(gettext(_UNKNOWN))
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._sign_in.take(turn, form.scopes)
                card = (await form.opening(turn)).card
        except AdminConsentNeeded as error:
            card = self._admin_card(turn, error, await self._again(turn, form))
        except (SignInNeeded, ConsentNeeded):
            return 200, await self._sign_in.ask(turn, form.scopes)
        except HeraldError as error:
            again = await self._again(turn, form)
            title = gettext("That did not work")
            view = NoteView(title, error.sentence, "problem", try_again=again)
            card = payload(note(view))
        except TimeoutError:
            # A sign-in goes on all the same: the next try finds it.
            card = too_slow(await self._again(turn, form))
        except Exception as error:  # noqa: BLE001 - here every error becomes a sentence
            sentence = (await self._replies.to_button(turn, error)).sentence
            card = payload(note(NoteView(gettext("That did not work"), sentence, "problem")))
        return 200, dialog(card, gettext(form.title))

    async def submit(self, turn: Turn) -> Reply:
        """`composeExtension/submitAction`: a button inside the dialog."""
        if turn.value.get("botMessagePreviewAction"):
            view = NoteView(gettext("There is no preview"), gettext(_NO_PREVIEW))
            return 200, dialog(payload(note(view)), "Herald")
        form = self._forms.get(text(turn.value.get("commandId")))
        title = gettext(form.title) if form else ""
        return await self._dialogs.reply(turn, turn.value.get("data"), title)

    async def _again(self, turn: Turn, form: _Form) -> str:
        """What “Try again” opens: the same form, with what it was about."""
        if form.first is None:
            return form.word
        try:
            kept = await self._prefilled.keep(turn.actor, form.first(turn))
        except HeraldError:
            return form.word
        return f"{form.word}.{kept}" if kept else form.word
