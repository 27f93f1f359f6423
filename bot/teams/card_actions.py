"""What the buttons of cards do: one table from a button's class to what answers it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.delivery.models import Delivery, How, Kind, State, Succession
from bot.errors import StaleButton
from bot.notifications.request import NoticeRequest
from bot.teams.answers import Answer, Say, ShowCard, entered
from bot.teams.deliveries import Deliveries
from bot.teams.notices import Notices
from bot.teams.replies import Replies
from bot.teams.results import Results
from bot.teams.texts import Texts
from bot.teams.turn import Turn
from bot.teams.ways_back import BACK
from bot.words import gettext, marked
from cards import buttons
from cards.buttons import Button, ChangeAndSend, LookAgain, OpenDialog, SignIn, TryAgain
from cards.kept import KeptView, kept

_OLD_CARD = marked("This card is from an earlier time, and its button no longer leads anywhere.")
_OWN = frozenset({"verb", "msteams", "form_id", "draft_id", "delivery_id", "rows", "seen", BACK})

RunCommand = Callable[[Turn, str], Awaitable[None]]
_Answering = Callable[[Turn, Any], Awaitable[Answer]]


class CardActions:
    """Answers `Action.Execute` verbs, their `Action.Submit` fallbacks, and dialogs' submits."""

    def __init__(
        self,
        texts: Texts,
        notices: Notices,
        deliveries: Deliveries,
        results: Results,
        replies: Replies,
    ) -> None:
        self._texts = texts
        self._notices = notices
        self._deliveries = deliveries
        self._replies = replies
        self._run_command: RunCommand | None = None
        self._table: Mapping[type[Button], _Answering] = {
            buttons.OpenText: lambda turn, _button: self._run(turn, "text"),
            buttons.AddAttendee: texts.add_attendee,
            buttons.AllowCalendar: texts.allow_calendar,
            buttons.ReviewText: texts.review,
            buttons.EditText: texts.edit,
            buttons.SendText: texts.send,
            buttons.OpenNotice: lambda turn, _button: self._run(turn, "notify"),
            buttons.ChooseKind: notices.choose_kind,
            buttons.ReviewNotice: notices.review,
            buttons.EditNotice: notices.edit,
            buttons.SendNotice: notices.send,
            LookAgain: self._look,
            buttons.RetryRefused: deliveries.retry,
            buttons.SendSeparately: self._separately,
            buttons.Correct: self._correct,
            buttons.CancelRest: deliveries.cancel,
            buttons.SendNow: deliveries.send_now,
            buttons.ChangeTime: deliveries.change_time,
            buttons.Arrived: deliveries.arrived,
            buttons.SendAgain: deliveries.send_again,
            buttons.SaveResults: results.offer,
            buttons.FollowUp: self._follow_up,
            ChangeAndSend: self._change,
            SignIn: self._command,
            TryAgain: self._command,
            OpenDialog: self._in_place,
            buttons.ShowDetails: self._look,
            # Where there is a dialog it is closed before anybody asks here (`dialogs`).
            buttons.CloseDialog: lambda _turn, _button: _nothing(),
        }

    def runs_commands_with(self, run_command: RunCommand) -> None:
        """How a button that stands for a command is carried out."""
        self._run_command = run_command

    async def answer(self, turn: Turn, verb: object, data: object) -> Answer:
        """Carry out one button. Never raises: what goes wrong is said beside the card."""
        try:
            button = buttons.read(verb, data)
            if button is None:
                return await self._fresh(turn, data)
            return await self._table[type(button)](turn, button)
        except Exception as error:  # noqa: BLE001 - here every error becomes a sentence
            return await self._replies.to_button(turn, error)

    async def _fresh(self, turn: Turn, data: object) -> Answer:
        """A button that nobody knows, of a card from before an upgrade: its delivery as it is now;
        or what was typed, to be copied, and the forms of today."""
        found = data if isinstance(data, Mapping) else {}
        delivery_id = found.get("delivery_id")
        if isinstance(delivery_id, str):
            try:
                return await self._deliveries.look(turn, delivery_id)
            except StaleButton:
                pass
        typed = {name: value for name, value in entered(found).items() if name not in _OWN}
        form = str(found.get("verb", "")).partition(".")[0]
        return ShowCard.of(kept(KeptView(gettext(_OLD_CARD), typed, form, is_old=True)))

    async def _look(self, turn: Turn, button: buttons.DeliveryButton) -> Answer:
        return await self._deliveries.look(turn, button.delivery_id)

    async def _change(self, turn: Turn, button: ChangeAndSend) -> Answer:
        delivery = await self._deliveries.owned(turn, button.delivery_id)
        found = self._deliveries.request_of(delivery)
        waits = delivery.people(State.SCHEDULED, State.HELD) > 0
        how = How.REPLACES if waits else How.REPEATS
        if delivery.kind is Kind.TEXT:
            form = await self._texts.change(turn, delivery, _by(delivery, how))
            return await self._below(turn, form)
        notice = NoticeRequest.from_json(found)
        if delivery.people(State.ACCEPTED, State.UNKNOWN):
            # Some may have it: what is sent now replaces it for them.
            how = How.CORRECTS
        form = await self._notices.change(turn, notice, _by(delivery, how))
        return await self._below(turn, form)

    async def _below(self, turn: Turn, form: Answer) -> Answer:
        """A form that comes of a delivery is a message of its own: the delivery's card stays, and
        goes on being kept up to date. In a dialog there is only one place."""
        if isinstance(form, Say) or not turn.place.activity_id:
            return form
        await turn.send(form.card)
        return Say("")

    async def _correct(self, turn: Turn, button: buttons.Correct) -> Answer:
        delivery = await self._deliveries.owned(turn, button.delivery_id)
        if delivery.kind is not Kind.NOTICE:
            raise StaleButton
        request = NoticeRequest.from_json(self._deliveries.request_of(delivery))
        request = replace(request, leaves_at=None)
        # Those it was cancelled for never had it.
        cancelled = await self._deliveries.people(delivery, State.CANCELLED)
        form = await self._notices.change(
            turn, request, _by(delivery, How.CORRECTS), without=cancelled
        )
        return await self._below(turn, form)

    async def _separately(self, turn: Turn, button: buttons.SendSeparately) -> Answer:
        delivery = await self._deliveries.owned(turn, button.delivery_id)
        self._deliveries.request_of(delivery)
        if delivery.kind is not Kind.TEXT or not delivery.people(State.REFUSED):
            raise StaleButton
        return await self._texts.separately(turn, delivery)

    async def _follow_up(self, turn: Turn, button: buttons.FollowUp) -> Answer:
        delivery = await self._deliveries.owned(turn, button.delivery_id)
        if delivery.kind is not Kind.TEXT:
            raise StaleButton
        self._deliveries.request_of(delivery)
        form = await self._texts.follow_up(turn, delivery, button.message_type)
        return await self._below(turn, form)

    async def _in_place(self, turn: Turn, button: OpenDialog) -> Answer:
        """A client that knows no dialogs sends the button as it is."""
        kept_id = "" if button.kept == buttons.NOTHING_KEPT else f".{button.kept}"
        return await self._run(turn, f"{button.command}{kept_id}")

    async def _command(self, turn: Turn, button: SignIn | TryAgain) -> Answer:
        return await self._run(turn, button.then)

    async def _run(self, turn: Turn, command: str) -> Answer:
        assert self._run_command is not None  # noqa: S101 - wiring joins them
        await self._run_command(turn, command)
        return Say("")


def _by(delivery: Delivery, how: How) -> Succession:
    return Succession(how, delivery.id, delivery.seen_ms)


async def _nothing() -> Answer:
    return Say("")
