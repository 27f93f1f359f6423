"""Cards in channels and group chats: what their buttons do, for whoever presses.

Others read there. An `Action.Execute` is answered with a card that Teams shows to the one who
pressed, in the card's place; nothing is posted. Forms and details open in dialogs. Where a client
sends `Action.Submit` instead, the answer would be for everybody, so it is a button to a dialog.
"""

from collections.abc import Mapping
from typing import Any

from bot.delivery.lanes import Rates
from bot.delivery.ledger import Ledger
from bot.delivery.models import Kind
from bot.errors import HeraldError, StaleButton
from bot.teams import shared_views
from bot.teams.commands import named
from bot.teams.login_requests import LoginRequests
from bot.teams.openers import NOT_YOURS, RunCommand, doors, is_opener, opener_of
from bot.teams.turn import CARD_TYPE, Turn
from bot.words import gettext, marked
from cards import buttons
from cards.buttons import (
    Button,
    DeliveryButton,
    LookAgain,
    OpenDialog,
    ShowDetails,
    SignIn,
    TryAgain,
)
from cards.elements import payload
from cards.notes import NoteView, note
from cards.opener import Door, OpenerView, opener

Reply = tuple[int, dict[str, Any]]

_MESSAGE = "application/vnd.microsoft.activity.message"
_OLD = marked("This card is from an earlier time. These buttons are of today.")
_IN_A_DIALOG = marked("It opens in a dialog, for you alone.")
_NO_DIALOGS = marked(
    "This Teams client can't open dialogs. Open your own chat with Herald and write “{command}”."
)


class Threads:
    """Answers the buttons of cards that others read, too."""

    def __init__(self, ledger: Ledger, rates: Mapping[Kind, Rates], login: LoginRequests) -> None:
        self._ledger = ledger
        self._rates = rates
        self._login = login
        self._run_command: RunCommand | None = None

    def runs_commands_with(self, run_command: RunCommand) -> None:
        """How a button that stands for a command is carried out."""
        self._run_command = run_command

    async def execute(
        self, turn: Turn, verb: object, data: object, told: Mapping[str, Any]
    ) -> Reply:
        """`Action.Execute`; `told` is the invoke's value. An automatic refresh does nothing."""
        button = buttons.read(verb, data)
        try:
            if isinstance(button, LookAgain):
                return _card(await self._looked(turn, button))
            if told.get("trigger") == "automatic":
                return _say("")
            if isinstance(button, SignIn | TryAgain) and not is_opener(button.then):
                answer = await self._login.answer(turn, told)
                return (200, dict(answer)) if "statusCode" in answer else _card(answer)
        except StaleButton:
            return _say(gettext(NOT_YOURS))
        except HeraldError as error:
            return _say(error.sentence)
        return _card(_fresh(button))

    async def submitted(self, turn: Turn, data: object) -> None:
        """`Action.Submit`, as a message."""
        button = buttons.read(None, data)
        if isinstance(button, SignIn | TryAgain):
            assert self._run_command is not None  # noqa: S101 - wiring joins them
            await self._run_command(turn, button.then)
        elif isinstance(button, OpenDialog | ShowDetails):
            word = button.command if isinstance(button, OpenDialog) else "history"
            word = word if is_opener(word) else "help"
            sentence = gettext(_NO_DIALOGS, command=named(word).word)
            view = NoteView(gettext("In your own chat, please"), sentence)
            await turn.send(payload(note(view)))
        else:
            await turn.send(_fresh(button))

    async def _looked(self, turn: Turn, button: LookAgain) -> Mapping[str, Any]:
        """The owner's own view of a delivery. Raises StaleButton for anybody else."""
        delivery = await self._ledger.delivery(turn.actor, button.delivery_id)
        return shared_views.for_owner(delivery, self._rates)


def _fresh(button: Button | None) -> Mapping[str, Any]:
    """What the button would show, behind one that opens it as a dialog."""
    if isinstance(button, SignIn | TryAgain):
        return opener_of(button.then)
    if isinstance(button, DeliveryButton):
        door = Door(gettext("Show details"), ShowDetails(button.delivery_id))
        return payload(opener(OpenerView(gettext("Delivery"), gettext(_IN_A_DIALOG), (door,))))
    form = button.verb.partition(".")[0] if button else ""
    if form in {"text", "notice"}:
        own = doors("text" if form == "text" else "notify")
        return payload(opener(OpenerView(gettext("Your own form"), gettext(_IN_A_DIALOG), own)))
    own = doors("text", "notify", "history")
    return payload(opener(OpenerView(gettext("An old card"), gettext(_OLD), own)))


def _card(card: Mapping[str, Any]) -> Reply:
    return 200, {"statusCode": 200, "type": CARD_TYPE, "value": dict(card)}


def _say(sentence: str) -> Reply:
    return 200, {"statusCode": 200, "type": _MESSAGE, "value": sentence}
