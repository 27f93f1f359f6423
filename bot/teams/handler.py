"""From a verified activity to what answers it: one table of activity types, one of invoke names."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import structlog
from botbuilder.core import InvokeResponse, TurnContext
from botbuilder.schema import Activity, ActivityTypes

from bot.errors import HeraldError
from bot.settings import Settings
from bot.teams.adapter import RAW
from bot.teams.answers import Answer, Say
from bot.teams.belated import Belated
from bot.teams.card_actions import CardActions
from bot.teams.chat import Chat
from bot.teams.lifecycle import Lifecycle
from bot.teams.message_extension import MessageExtension
from bot.teams.openers import Openers
from bot.teams.replies import Replies
from bot.teams.results import Results
from bot.teams.sign_in import SignInFlow
from bot.teams.threads import Threads
from bot.teams.turn import CARD_TYPE, NobodyNamed, Turn, card_message, locale_of, read_turn
from bot.teams.typeahead import Typeahead
from bot.words import gettext, speaking
from cards.buttons import read
from cards.elements import payload
from cards.notes import NoteView, note

log = structlog.get_logger(__name__)

_A_NAME = re.compile(r"[A-Za-z]{1,30}(/[A-Za-z]{1,30}){0,2}")  # what is none may be anything

Reply = tuple[int, dict[str, Any] | None]

_MESSAGE = "application/vnd.microsoft.activity.message"
_EDITED = "editMessage"


class StrangeTenant(HeraldError):
    """Herald is not set up for your organization. Your administrator can add it."""


class Handler:
    """The bot: what `CloudAdapter` hands each activity to.

    An activity of a kind that nobody knows is taken, and nothing happens; an invoke that nobody
    knows is answered 501.
    """

    def __init__(
        self,
        settings: Settings,
        chat: Chat,
        actions: CardActions,
        threads: Threads,
        openers: Openers,
        lifecycle: Lifecycle,
        extension: MessageExtension,
        typeahead: Typeahead,
        belated: Belated,
        sign_in: SignInFlow,
        results: Results,
        replies: Replies,
    ) -> None:
        self._settings = settings
        self._chat = chat
        self._actions = actions
        self._threads = threads
        self._belated = belated
        self._results = results
        self._replies = replies
        self._activities: Mapping[str, Callable[[Turn], Awaitable[None]]] = {
            ActivityTypes.message: self._message,
            ActivityTypes.message_update: self._edited,
            ActivityTypes.invoke: self._invoke,
            ActivityTypes.installation_update: lifecycle.installation,
            ActivityTypes.conversation_update: lifecycle.conversation,
        }
        self._invokes: Mapping[str, Callable[[Turn], Awaitable[Reply]]] = {
            "adaptiveCard/action": self._card_action,
            "signin/tokenExchange": sign_in.token_exchange,
            "signin/verifyState": sign_in.verify_state,
            "signin/failure": sign_in.failure,
            **extension.invokes(),
            "task/fetch": openers.fetch,
            "task/submit": openers.submit,
            "fileConsent/invoke": self._file_consent,
            "application/search": typeahead.search,
        }

    async def on_turn(self, context: TurnContext) -> None:
        """Answer one activity, and all that comes of it, in the language of its client."""
        with speaking(locale_of(context.turn_state[RAW])):
            await self._turn(context)

    async def _turn(self, context: TurnContext) -> None:
        try:
            turn = read_turn(context)
            self._check_tenant(turn)
        except (NobodyNamed, StrangeTenant) as error:
            await self._turn_away(context, error)
            return
        answering = self._activities.get(context.activity.type)
        if answering is not None:
            await answering(turn)

    def _check_tenant(self, turn: Turn) -> None:
        tenants = self._settings.tenants
        if tenants and turn.actor.tenant_id not in tenants:
            raise StrangeTenant

    async def _turn_away(self, context: TurnContext, error: HeraldError) -> None:
        log.info("turn.turned_away", problem=type(error).__name__)
        if context.activity.type == ActivityTypes.invoke:
            await _answer(context, 403, {})
        elif context.activity.type == ActivityTypes.message:
            card = payload(note(NoteView(gettext("Not available"), error.sentence, "problem")))
            await context.send_activity(card_message(card))

    # Messages ------------------------------------------------------------------------------------

    async def _message(self, turn: Turn) -> None:
        if not turn.value:
            await self._chat.message(turn)
        # Else Action.Submit, the fallback of clients without Action.Execute.
        elif turn.is_private:
            await self._show(turn, await self._actions.answer(turn, None, turn.value))
        else:
            await self._threads.submitted(turn, turn.value)

    async def _edited(self, turn: Turn) -> None:
        data = turn.raw.get("channelData")
        if isinstance(data, Mapping) and data.get("eventType") == _EDITED:
            await self._chat.edited(turn)

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
            log.info("invoke.unknown", name=name if _A_NAME.fullmatch(name) else "?")
            await _answer(turn.context, 501, {})
            return
        status, body = await answering(turn)
        await _answer(turn.context, status, body)

    async def _card_action(self, turn: Turn) -> Reply:
        told = turn.value
        action = told.get("action")
        action = action if isinstance(action, Mapping) else {}
        data = action.get("data")
        data = data if isinstance(data, Mapping) else {}
        # The inputs of the card are the turn's value, as they are for Action.Submit.
        pressed, verb = replace(turn, value=data), action.get("verb")
        if not turn.is_private:
            return await self._threads.execute(pressed, verb, data, told)
        if told.get("trigger") == "automatic":
            # No card of one's own chat asks to be drawn anew, and a refresh never acts.
            return 200, {"statusCode": 200, "type": _MESSAGE, "value": ""}
        answering = self._actions.answer(pressed, verb, data)
        answer = await self._belated.answer(pressed, read(verb, data), answering)
        if isinstance(answer, Say):
            sentence = answer.sentence or gettext("The answer is below, in the chat.")
            return 200, {"statusCode": 200, "type": _MESSAGE, "value": sentence}
        return 200, {"statusCode": 200, "type": CARD_TYPE, "value": dict(answer.card)}

    async def _file_consent(self, turn: Turn) -> Reply:
        # Where the file is, or why it is not, is said in the chat.
        return await self._belated.reply(turn, self._consented(turn), (200, {}))

    async def _consented(self, turn: Turn) -> Reply:
        try:
            return await self._results.answered(turn)
        except HeraldError as error:
            await self._replies.to_command(turn, error, command="")
            return 200, {}


async def _answer(context: TurnContext, status: int, body: dict[str, Any] | None) -> None:
    answer = Activity(
        type=ActivityTypes.invoke_response, value=InvokeResponse(status=status, body=body)
    )
    await context.send_activity(answer)
