"""From a verified activity to what answers it: one table of activity types and invoke names."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import structlog
from botbuilder.core import InvokeResponse, TurnContext
from botbuilder.schema import Activity, ActivityTypes

from bot.errors import HeraldError
from bot.identity.obo import Identity
from bot.settings import Settings
from bot.teams.answers import Answer, Say, ShowCard
from bot.teams.card_actions import CardActions
from bot.teams.commands import Heard, lines, understand
from bot.teams.connector import Connector
from bot.teams.deliveries import Deliveries
from bot.teams.message_extension import MessageExtension
from bot.teams.notices import Notices
from bot.teams.replies import Replies
from bot.teams.results import Results
from bot.teams.sign_in import SignInFlow
from bot.teams.texts import Texts
from bot.teams.turn import CARD_TYPE, NobodyThere, Turn, card_message, read_turn
from cards.elements import payload
from cards.notes import HelpView, NoteView, WelcomeView, help_card, note, welcome

log = structlog.get_logger(__name__)

Reply = tuple[int, dict[str, Any]]

_MESSAGE = "application/vnd.microsoft.activity.message"
_OWN_CHAT = (
    "Forms and what you sent name people and appointments, so they are between you and Herald "
    "alone. Please open your own chat with Herald and type “{word}” there."
)


class StrangeTenant(HeraldError):
    """Herald is not set up for your organization. Your administrator can add it."""


class Handler:
    """The bot: what `CloudAdapter` hands each activity to."""

    def __init__(
        self,
        settings: Settings,
        identity: Identity,
        connector: Connector,
        texts: Texts,
        notices: Notices,
        deliveries: Deliveries,
        results: Results,
        actions: CardActions,
        extension: MessageExtension,
        sign_in: SignInFlow,
        replies: Replies,
    ) -> None:
        self._settings = settings
        self._identity = identity
        self._connector = connector
        self._deliveries = deliveries
        self._results = results
        self._actions = actions
        self._sign_in = sign_in
        self._replies = replies
        self._commands: Mapping[str, Callable[[Turn], Awaitable[None]]] = {
            "text": lambda turn: self._privately(turn, "text", texts.open),
            "notify": lambda turn: self._privately(turn, "notify", notices.open),
            "scheduled": lambda turn: self._privately(turn, "scheduled", deliveries.scheduled),
            "history": lambda turn: self._privately(turn, "history", deliveries.history),
            "status": lambda turn: self._privately(turn, "status", self._status),
            "signin": sign_in.sign_in,
            "signout": sign_in.sign_out,
            "whoami": sign_in.who,
            "help": self._help,
        }
        self._invokes: Mapping[str, Callable[[Turn], Awaitable[Reply]]] = {
            "adaptiveCard/action": self._card_action,
            "signin/tokenExchange": sign_in.token_exchange,
            "signin/verifyState": sign_in.verify_state,
            "signin/failure": sign_in.failure,
            "composeExtension/fetchTask": extension.fetch,
            "composeExtension/submitAction": extension.submit,
            "task/submit": extension.submit,
            "fileConsent/invoke": self._file_consent,
        }
        actions.runs_commands_with(self.run_command)
        sign_in.goes_on_with(self._after_sign_in, deliveries)

    async def on_turn(self, context: TurnContext) -> None:
        """Answer one activity."""
        try:
            turn = read_turn(context)
            self._check_tenant(turn)
        except (NobodyThere, StrangeTenant) as error:
            await self._turn_away(context, error)
            return
        kind = context.activity.type
        if kind == ActivityTypes.message:
            await self._message(turn)
        elif kind == ActivityTypes.invoke:
            await self._invoke(turn)
        elif kind == ActivityTypes.installation_update:
            await self._installation(turn)

    def _check_tenant(self, turn: Turn) -> None:
        tenants = self._settings.tenants
        if tenants and turn.actor.tenant_id not in tenants:
            raise StrangeTenant

    async def _turn_away(self, context: TurnContext, error: HeraldError) -> None:
        log.info("turn.turned_away", problem=type(error).__name__)
        if context.activity.type == ActivityTypes.invoke:
            await _answer(context, 403, {})
        elif context.activity.type == ActivityTypes.message:
            card = payload(note(NoteView("Not available", error.sentence, "problem")))
            await context.send_activity(card_message(card))

    # Messages ------------------------------------------------------------------------------------

    async def _message(self, turn: Turn) -> None:
        if turn.value:
            # Action.Submit, the fallback of clients without Action.Execute.
            await self._show(turn, await self._actions.answer(turn, None, turn.value))
            return
        heard = understand(turn.text)
        if heard.command is None:
            await self._help(turn, heard)
        else:
            await self.run_command(turn, heard.command.name)

    async def run_command(self, turn: Turn, name: str) -> None:
        """Carry out a command; what goes wrong is said in the chat."""
        run = self._commands.get(name)
        if run is None:
            return
        try:
            await run(turn)
        except Exception as error:  # noqa: BLE001 - here every error becomes a sentence
            await self._replies.to_command(turn, error, command=name)

    async def _privately(
        self, turn: Turn, word: str, opening: Callable[[Turn], Awaitable[ShowCard]]
    ) -> None:
        if not turn.is_private:
            sentence = _OWN_CHAT.format(word=word)
            await turn.send(payload(note(NoteView("In your own chat, please", sentence))))
            return
        shown = await opening(turn)
        await turn.send(shown.card)

    async def _status(self, turn: Turn) -> ShowCard:
        typed = understand(turn.text).words.split(" ")[0]
        if not typed:
            return await self._deliveries.history(turn)
        return await self._deliveries.look(turn, typed.lower())

    async def _file_consent(self, turn: Turn) -> Reply:
        try:
            return await self._results.answered(turn)
        except HeraldError as error:
            await self._replies.to_command(turn, error, command="")
            return 200, {}

    async def _help(self, turn: Turn, heard: Heard | None = None) -> None:
        view = HelpView(
            lines(),
            unknown=heard.unknown if heard else "",
            nearest=heard.nearest if heard else "",
        )
        await turn.send(payload(help_card(view)))

    async def _show(self, turn: Turn, answer: Answer) -> None:
        if isinstance(answer, Say):
            if answer.sentence:
                await turn.send(payload(note(NoteView("", answer.sentence))))
            return
        if not turn.place.activity_id:
            await turn.send(answer.card)
            return
        update = card_message(answer.card)
        update.id = turn.place.activity_id
        await turn.context.update_activity(update)

    # Invokes -------------------------------------------------------------------------------------

    async def _invoke(self, turn: Turn) -> None:
        name = str(turn.raw.get("name", ""))
        answering = self._invokes.get(name)
        if answering is None:
            log.info("invoke.unknown", name=name[:60])
            await _answer(turn.context, 501, {})
            return
        status, body = await answering(turn)
        await _answer(turn.context, status, body)

    async def _card_action(self, turn: Turn) -> Reply:
        action = turn.value.get("action")
        action = action if isinstance(action, Mapping) else {}
        data = action.get("data")
        data = data if isinstance(data, Mapping) else {}
        # The inputs of the card are the turn's value, as they are for Action.Submit.
        pressed = replace(turn, value=data)
        answer = await self._actions.answer(pressed, action.get("verb"), data)
        if isinstance(answer, Say):
            sentence = answer.sentence or "The answer is below, in the chat."
            return 200, {"statusCode": 200, "type": _MESSAGE, "value": sentence}
        return 200, {"statusCode": 200, "type": CARD_TYPE, "value": dict(answer.card)}

    # Around --------------------------------------------------------------------------------------

    async def _after_sign_in(self, turn: Turn, then: str) -> None:
        if then in self._commands:
            await self.run_command(turn, then)
            return
        sentence = "You are signed in. Please press the button again."
        await turn.send(payload(note(NoteView("Signed in", sentence, "good"))))

    async def _installation(self, turn: Turn) -> None:
        action = str(turn.raw.get("action", ""))
        if action.startswith("add") and turn.surface == "personal":
            await turn.send(payload(welcome(WelcomeView(turn.name))))
        elif action.startswith("remove") and turn.surface == "personal":
            # Whoever removed the app leaves no sign-in behind.
            await self._identity.sign_out(turn.actor)


async def _answer(context: TurnContext, status: int, body: dict[str, Any]) -> None:
    answer = Activity(
        type=ActivityTypes.invoke_response, value=InvokeResponse(status=status, body=body)
    )
    await context.send_activity(answer)
