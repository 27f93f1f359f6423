"""Dialogs that open from a card: `task/fetch`, and the small cards whose buttons ask for them.

In a channel or group chat a command is answered with such a card. What opens is made for whoever
pressed: each has a form of his or her own, and lists show what is one's own. A dialog cannot sign
in silently; where a sign-in is missing it shows a page that does, and goes on with its code.

Source: "Use dialogs in Microsoft Teams bots".
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.errors import (
    AdminConsentNeeded,
    ConsentNeeded,
    SignInNeeded,
    StaleButton,
)
from bot.identity.obo import NOTIFY, TEXT, Identity
from bot.teams.answers import ShowCard
from bot.teams.dialog_titles import TITLES
from bot.teams.dialogs import Dialogs, Reply, dialog, message, page, too_slow
from bot.teams.exchanges import ANSWER_S
from bot.teams.hostile import text
from bot.teams.notices import Notices
from bot.teams.prefilled import Prefilled
from bot.teams.replies import Replies
from bot.teams.sign_in import SignInFlow
from bot.teams.texts import Texts
from bot.teams.turn import Turn
from bot.teams.ways_back import leading_back
from bot.words import gettext, marked
from cards import buttons
from cards.buttons import NOTHING_KEPT, OpenDialog, ShowDetails
from cards.elements import payload
from cards.kept import KeptView
from cards.kept import kept as kept_card
from cards.opener import Door, OpenerView, opener

RunCommand = Callable[[Turn, str], Awaitable[None]]

_SENTENCES = {
    "text": marked(
        "Tell the people of an appointment by SMS that it is confirmed, moved or cancelled."
    ),
    "notify": marked("Put a notice into the activity feeds of teammates."),
    "scheduled": marked(
        "What waits to be sent names people, so each of you sees only his or her own."
    ),
    "history": marked("What was sent names people, so each of you sees only his or her own."),
    "status": marked("A delivery names people, so only the one who sent it can see it."),
    "whoami": marked("Herald acts for each of you separately."),
}
_BUTTONS = {
    "text": marked("Fill in the form"),
    "notify": marked("Fill in the form"),
    "scheduled": marked("Show mine"),
    "history": marked("Show mine"),
    "status": marked("Show it to me"),
    "whoami": marked("Show mine"),
}
_DOORS = {
    "text": marked("Text an appointment"),
    "notify": marked("Notify teammates"),
}
_OWN_FORM = marked("The form opens for you alone; everybody who presses gets his or her own.")
_FILLED = marked("It opens filled in for the one who asked; for everybody else it is empty.")
NOT_YOURS = marked("Only the person who sent this can see its details.")
_OLD = marked("Its button no longer leads anywhere. These are of today.")
_SIGN_IN = marked("Sign in")
_SCOPES = {"text": TEXT, "notify": NOTIFY}


def doors(*commands: str) -> tuple[Door, ...]:
    """Buttons that open what these commands show, each empty and for whoever presses."""
    return tuple(
        Door(gettext(_DOORS.get(name, _BUTTONS[name])), OpenDialog(name, NOTHING_KEPT))
        for name in commands
    )


def is_opener(then: str) -> bool:
    """Whether a command has something to show to one person alone."""
    return then.partition(".")[0] in TITLES


def opener_of(then: str, asked_by: str = "") -> dict[str, Any]:
    """The small card of a command: its name, or its name and the id of what was said with it.

    `asked_by` is the name of who said something with it.
    """
    command, _, kept = then.partition(".")
    sentence = gettext(_SENTENCES[command])
    if command in _SCOPES:
        sentence = f"{sentence} {gettext(_FILLED if kept else _OWN_FORM)}"
    door = Door(gettext(_BUTTONS[command]), OpenDialog(command, kept or NOTHING_KEPT))
    named = asked_by if kept and command in _SCOPES else ""
    return payload(opener(OpenerView(gettext(TITLES[command]), sentence, (door,), named)))


class Openers:
    """Answers what the buttons of small cards ask for."""

    def __init__(
        self,
        identity: Identity,
        texts: Texts,
        notices: Notices,
        prefilled: Prefilled,
        dialogs: Dialogs,
        sign_in: SignInFlow,
        replies: Replies,
    ) -> None:
        self._replies = replies
        self._identity = identity
        self._texts = texts
        self._notices = notices
        self._prefilled = prefilled
        self._dialogs = dialogs
        self._sign_in = sign_in
        self._run_command: RunCommand | None = None

    def runs_commands_with(self, run_command: RunCommand) -> None:
        """How a command that has no form is carried out."""
        self._run_command = run_command

    async def fetch(self, turn: Turn) -> Reply:
        """`task/fetch`: what the pressed button opens."""
        button = buttons.read(None, turn.value.get("data"))
        if isinstance(button, ShowDetails):
            return await self._details(turn, button)
        if not isinstance(button, OpenDialog) or button.command not in TITLES:
            old = kept_card(KeptView(gettext(_OLD), is_old=True))
            return 200, dialog(payload(old), "Herald")
        kept = "" if button.kept == NOTHING_KEPT else f".{button.kept}"
        return await self._opened(turn.for_dialog(), f"{button.command}{kept}", _soon())

    async def submit(self, turn: Turn) -> Reply:
        """`task/submit`: a button inside a dialog, or the code that the sign-in page hands on."""
        data = turn.value.get("data")
        if isinstance(data, Mapping) and "verb" not in data and text(data.get("code")):
            return await self._signed_in(turn.for_dialog(), data["code"])
        return await self._dialogs.reply(turn, data)

    async def _details(self, turn: Turn, button: ShowDetails) -> Reply:
        answer = await self._dialogs.look(turn, button.delivery_id)
        title = TITLES["status"]
        if isinstance(answer, ShowCard):
            return 200, dialog(answer.card, gettext(title))
        is_strange = answer.because is StaleButton
        return 200, message(gettext(NOT_YOURS) if is_strange else answer.sentence)

    async def _opened(self, turn: Turn, then: str, until: float) -> Reply:
        """What a command shows, or what keeps it from that. `until` is by the loop's clock."""
        command, _, kept = then.partition(".")
        title = gettext(TITLES[command])
        try:
            async with asyncio.timeout_at(until):
                card = await self._card(turn, command, kept)
        except AdminConsentNeeded as error:
            card = self._sign_in.admin_card(turn, error, then)
        except (SignInNeeded, ConsentNeeded):
            return 200, await self._sign_in_page(turn, then)
        except TimeoutError:
            card = too_slow(then)
        except Exception as error:  # noqa: BLE001 - here every error becomes a card
            card = self._replies.card(error, then=then)
        return 200, dialog(card, title)

    async def _card(self, turn: Turn, command: str, kept: str) -> Mapping[str, Any]:
        if command == "text":
            for_text = await self._prefilled.read_text(turn.actor, kept)
            return (await self._texts.open(turn, for_text)).card
        if command == "notify":
            for_notice = await self._prefilled.read_notice(turn.actor, kept)
            return (await self._notices.open(turn, for_notice)).card
        assert self._run_command is not None  # noqa: S101 - wiring joins them
        await self._run_command(turn, f"{command}.{kept}" if kept else command)
        return leading_back(turn.shown[-1], command)

    async def _sign_in_page(self, turn: Turn, then: str) -> dict[str, Any]:
        scopes = _SCOPES.get(then.partition(".")[0], NOTIFY)
        link = await self._identity.dialog_link(turn.actor, scopes, then=then)
        return page(link, await self._identity.browser_link(turn.actor, scopes))

    async def _signed_in(self, turn: Turn, code: str) -> Reply:
        """The sign-in page's code: redeem it, and go on with what it was for."""
        until, title = _soon(), gettext(_SIGN_IN)
        try:
            async with asyncio.timeout_at(until):
                then = await self._identity.finish(turn.actor, code)
        except AdminConsentNeeded as error:
            return 200, dialog(self._sign_in.admin_card(turn, error, "text"), title)
        except TimeoutError:
            return 200, dialog(too_slow(""), title)
        except Exception as error:  # noqa: BLE001 - the same
            return 200, dialog(self._replies.card(error, then=""), title)
        if then.partition(".")[0] not in TITLES:
            return 200, message(gettext("You are signed in."))
        return await self._opened(turn, then, until)


def _soon() -> float:
    return asyncio.get_running_loop().time() + ANSWER_S
