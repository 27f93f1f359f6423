"""From a submit to the ledger and back to a card; and what a delivery's own buttons do."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.actor import Actor
from bot.appointments.form import too_late
from bot.appointments.request import TextRequest
from bot.delivery.drafts import Draft, Drafts
from bot.delivery.lanes import Rates
from bot.delivery.ledger import Ledger
from bot.delivery.models import Delivery, Kind, NewDelivery, State
from bot.delivery.schedule import read_moment
from bot.delivery.worker import Worker
from bot.errors import StaleButton
from bot.teams.answers import Answer, Say, ShowCard, entered
from bot.teams.delivery_views import delivery_row, delivery_view
from bot.teams.forms import succession
from bot.teams.held_texts import HeldTexts
from bot.teams.text_changes import ChangeSeen, TextChanges
from bot.teams.turn import Turn
from bot.teams.when import in_ms
from bot.words import gettext, marked
from cards.buttons import ChangeTime, Decision, DeliveryButton
from cards.delivery import delivery_card
from cards.delivery_list import DeliveryListView, delivery_list

_DIGITS = 16  # of a time in milliseconds, and of what a database takes
FIRST_RESULTS_S = 0.6  # a small send answers with its receipt; the rest goes on in the ledger
CHANGED_MEANWHILE = marked("This was reviewed again since: please check it once more.")
_TOO_LATE = marked("Nothing of it waits any more, so nothing was changed.")


class Deliveries:
    """Submits to the ledger and shows what it knows, to the owner alone."""

    def __init__(
        self,
        ledger: Ledger,
        drafts: Drafts,
        worker: Worker,
        rates: Mapping[Kind, Rates],
        changes: TextChanges,
        held: HeldTexts,
    ) -> None:
        self._ledger = ledger
        self._drafts = drafts
        self._worker = worker
        self._rates = rates
        self._changes = changes
        self._held = held
        self._answered: Callable[[Delivery], None] | None = None

    def tells_answers(self, answered: Callable[[Delivery], None]) -> None:
        """Whom to tell what is shown of a delivery: its card may be drawn at the same time."""
        self._answered = answered

    async def submitted(self, turn: Turn, form_id: str) -> ShowCard | None:
        """The first delivery of a form that was submitted before."""
        delivery = await self._ledger.by_form(turn.actor, form_id)
        return self._show(delivery, repeated=True) if delivery else None

    async def draft(self, turn: Turn, form_id: str, kind: Kind) -> Draft | ShowCard:
        """What the form's newest review showed; or, where it was submitted, its first delivery.

        Raises StaleButton when there is neither.
        """
        first = await self.submitted(turn, form_id)
        if first is not None:
            return first
        try:
            return await self._drafts.read(turn.actor, form_id, kind)
        except StaleButton:
            # Another press took it between the two looks.
            first = await self.submitted(turn, form_id)
            if first is None:
                raise
            return first

    async def submit(self, wanted: NewDelivery, people: Iterable[Sequence[Any]]) -> Answer:
        """Record it, wait a moment for a first result, and show what is known.

        A form that takes an earlier delivery's place ends that one; where it is too late for
        that, nothing is sent.
        """
        wanted = replace(wanted, succeeds=wanted.succeeds or succession(wanted.form_id))
        delivery, is_new = await self._ledger.submit(wanted, people)
        if is_new:
            delivery = await self._worker.first_results(
                delivery, timeout_s=FIRST_RESULTS_S, is_fresh=True
            )
        return self._show(delivery, repeated=not is_new)

    async def _first_results(self, delivery: Delivery) -> ShowCard:
        return self._show(await self._worker.first_results(delivery, timeout_s=FIRST_RESULTS_S))

    async def look(self, turn: Turn, delivery_id: str) -> ShowCard:
        """The delivery as the ledger knows it now, and whether its appointment has changed since.

        Raises StaleButton.
        """
        delivery = await self._ledger.delivery(turn.actor, delivery_id)
        seen = await self._changes.seen(turn, [delivery])
        return self._show(delivery, changed=seen.get(delivery.id))

    async def recent(self, turn: Turn) -> list[Delivery]:
        """The actor's newest deliveries."""
        return await self._ledger.recent(turn.actor)

    async def owned(self, turn: Turn, delivery_id: str) -> Delivery:
        """The actor's own delivery. Raises StaleButton."""
        return await self._ledger.delivery(turn.actor, delivery_id)

    async def people(self, delivery: Delivery, *states: State) -> list[Any]:
        """The people of the batches in these states, in order."""
        found = await self._ledger.people(delivery.id, *states)
        return [person for _, some in found for person in some]

    async def may_have_it(self, turn: Turn, form_id: str) -> set[str]:
        """The numbers that have, or may have, the text whose place this form's takes."""
        first = succession(form_id)
        if first is None:
            return set()
        delivery = await self._ledger.delivery(turn.actor, first.delivery_id)
        return {number for number, _ in await self.people(delivery, State.ACCEPTED, State.UNKNOWN)}

    async def wake(self, actor: Actor) -> None:
        """The actor signed in: what waited for that goes on."""
        if await self._ledger.wake(actor):
            self._worker.nudge()

    async def kinds_waiting(self, actor: Actor) -> list[Kind]:
        """The kinds of the actor's deliveries that wait for a sign-in."""
        return await self._ledger.kinds_waiting(actor)

    # Lists ---------------------------------------------------------------------------------------

    async def scheduled(self, turn: Turn) -> ShowCard:
        """What still waits, the next first."""
        found = await self._ledger.recent(turn.actor, waiting=True)
        return self._listed(
            gettext("Scheduled and waiting"), found, gettext("Nothing of yours waits to be sent.")
        )

    async def history(self, turn: Turn) -> ShowCard:
        """The newest deliveries."""
        found = await self._ledger.recent(turn.actor)
        seen = await self._changes.seen(turn, found)
        notes = {key: change.sentence for key, change in seen.items()}
        title, empty = gettext("What you sent"), gettext("You have not sent anything yet.")
        return self._listed(title, found, empty, notes)

    def _listed(
        self,
        title: str,
        found: list[Delivery],
        empty: str,
        notes: Mapping[str, str] | None = None,
    ) -> ShowCard:
        notes = notes or {}
        rows = tuple(
            replace(delivery_row(delivery), note=notes.get(delivery.id, "")) for delivery in found
        )
        listed = delivery_list(DeliveryListView(title, rows, empty))
        return ShowCard.of(listed, is_last=True)

    # What an owner decides -----------------------------------------------------------------------

    async def cancel(self, turn: Turn, button: DeliveryButton) -> Answer:
        """Cancel what has not left; the card says what had."""
        delivery = await self._ledger.delivery(turn.actor, button.delivery_id)
        await self._ledger.cancel(delivery)
        return await self.look(turn, delivery.id)

    async def retry(self, turn: Turn, button: Decision) -> Answer:
        """Queue again what was refused; of a notification also what nobody can tell of."""
        delivery = await self._ledger.delivery(turn.actor, button.delivery_id)
        seen_ms = _seen(button)
        await self._ledger.retry(delivery, seen_ms=seen_ms)
        if delivery.kind is Kind.NOTICE:
            await self._ledger.send_again(delivery, seen_ms=seen_ms)
        return await self._first_results(delivery)

    async def arrived(self, turn: Turn, button: Decision) -> Answer:
        """The owner says that an unknown text arrived."""
        delivery = await self._ledger.delivery(turn.actor, button.delivery_id)
        await self._ledger.arrived(delivery, seen_ms=_seen(button))
        return await self.look(turn, delivery.id)

    async def send_again(self, turn: Turn, button: Decision) -> Answer:
        """The owner wants an unknown text sent again."""
        delivery = await self._ledger.delivery(turn.actor, button.delivery_id)
        await self._ledger.send_again(delivery, seen_ms=_seen(button))
        return await self._first_results(delivery)

    async def send_now(self, turn: Turn, button: DeliveryButton) -> Answer:
        """Send what is scheduled or held without waiting."""
        delivery = await self._ledger.delivery(turn.actor, button.delivery_id)
        renewal = await self._held.renewed(turn, delivery)
        if not await self._ledger.send_now(delivery, renewal):
            return Say(gettext(_TOO_LATE))
        return await self._first_results(delivery)

    async def change_time(self, turn: Turn, button: ChangeTime) -> Answer:
        """Another time for what is scheduled or held."""
        delivery = await self._ledger.delivery(turn.actor, button.delivery_id)
        values = entered(turn.value)
        now = datetime.now(UTC)
        leaves, errors = read_moment(values, turn.place.zone, now)
        renewal = None if errors else await self._held.renewed(turn, delivery)
        request = renewal.request if renewal else delivery.request
        if delivery.kind is Kind.TEXT and request and not errors:
            meeting = TextRequest.from_json(request).meeting
            errors = too_late(meeting, leaves.moment, now)
        due_at_ms = in_ms(leaves.moment)
        if errors or due_at_ms is None:
            return self._show(delivery, values=values, errors=errors)
        if not await self._ledger.change_time(delivery, due_at_ms, renewal):
            return Say(gettext(_TOO_LATE))
        self._worker.nudge()
        return await self.look(turn, delivery.id)

    def request_of(self, delivery: Delivery) -> dict[str, Any]:
        """What the form asked for. Raises StaleButton once it was erased."""
        if not delivery.request:
            raise StaleButton
        return delivery.request

    def _show(
        self,
        delivery: Delivery,
        *,
        repeated: bool = False,
        values: Mapping[str, str] | None = None,
        errors: Mapping[str, str] | None = None,
        changed: ChangeSeen | None = None,
    ) -> ShowCard:
        if self._answered is not None:
            self._answered(delivery)
        view = delivery_view(delivery, self._rates, repeated=repeated)
        if errors:
            view = replace(view, values=values or {}, errors=errors)
        if changed:
            view = replace(view, changed=changed.sentence, change_tells=changed.message_type)
        return ShowCard.of(delivery_card(view), is_last=True)


def _seen(button: Decision) -> int:
    return int(button.seen) if button.seen.isdecimal() and len(button.seen) <= _DIGITS else 0
