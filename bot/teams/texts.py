"""The appointment text's way through Teams: form, review, submit, receipt."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.appointments import form, send
from bot.appointments.filled import TextFilled
from bot.appointments.phone import last_four
from bot.appointments.request import MESSAGE_TYPES, TextRequest
from bot.appointments.zones import windows_name
from bot.delivery.drafts import Draft, Drafts
from bot.delivery.models import Delivery, How, Kind, NewDelivery, State, Succession
from bot.delivery.schedule import read_when
from bot.errors import IdentityError, StaleButton
from bot.graph.client import Graph
from bot.graph.errors import GraphError
from bot.identity.obo import MEETINGS, TEXT, Identity
from bot.teams.answers import PATIENCE_S, Answer, Say, ShowCard, entered_of, form_again
from bot.teams.deliveries import CHANGED_MEANWHILE, Deliveries
from bot.teams.forms import Forms
from bot.teams.meetings import Meetings
from bot.teams.sent_before import sent_before
from bot.teams.sign_in import SignInFlow
from bot.teams.text_changes import TextChanges
from bot.teams.text_checks import NOT_ORGANIZER, is_as_shown, not_the_one
from bot.teams.text_views import (
    FIRST_ROWS,
    TextCards,
    default_language,
    review_view,
    rows_of,
    values_of,
)
from bot.teams.turn import Turn
from bot.teams.when import TWICE, in_ms, moment
from bot.words import gettext, listed, marked
from cards.buttons import AddAttendee, AllowCalendar, EditText, ReviewText, SendText
from cards.text_form import MAX_ROWS
from cards.text_review import text_review

_EMPTY = TextFilled()
REVIEW_HOLDS_S = 300.0  # an older one is compared with the calendar before it is sent
_TOO_SLOW = marked("Microsoft Graph did not answer in time.")
_STILL_HERE = marked("Nothing was sent; everything you entered is still here.")
_MOVED = marked("The appointment was moved since you looked at this: please check again.")
_PASSED = marked("The time you chose has passed meanwhile. Choose a later one, or “Now”.")
_TWICE = marked(
    "These may have the first text already, and would get another one: {who}. Please ask first."
)
_OVER = (State.ACCEPTED, State.CANCELLED)
_NAMED = 5
_SERIES = marked("Several appointments to come have this link. The time shown is the next one's.")


class Texts:
    """What the commands and buttons of appointment texts do."""

    def __init__(
        self,
        identity: Identity,
        graph: Graph,
        forms: Forms,
        drafts: Drafts,
        deliveries: Deliveries,
        sign_in: SignInFlow,
        changes: TextChanges,
    ) -> None:
        self._identity = identity
        self._meetings = Meetings(identity, graph)
        self._cards = TextCards(self._meetings)
        self._forms = forms
        self._drafts = drafts
        self._deliveries = deliveries
        self._sign_in = sign_in
        self._changes = changes

    async def open(self, turn: Turn, filled: TextFilled = _EMPTY) -> ShowCard:
        """A form, empty or as it is `filled`.

        Raises IdentityError where the texts' own permissions are missing: a form that could not
        be sent would waste its reader's time.
        """
        await self._identity.token(turn.actor, TEXT)
        form_id = self._forms.mint(Kind.TEXT, turn.actor)
        zone = windows_name(turn.place.zone)
        values = {f"zone_{row}": zone or "" for row in range(MAX_ROWS)}
        values |= {"message_type": "confirmation", "language": default_language(turn)}
        values |= {"when": "now"} | filled.values()
        note = " ".join(filled.notes)
        made, _ = await self._cards.form(turn, form_id, FIRST_ROWS, values, {}, note=note)
        return ShowCard.of(made)

    async def add_attendee(self, turn: Turn, button: AddAttendee) -> Answer:
        """The same form with a row more."""
        self._forms.check(button.form_id, Kind.TEXT, turn.actor)
        values = _entered(turn)
        rows = min(button.rows + 1, MAX_ROWS)
        zone = values.get(f"zone_{rows - 2}") or windows_name(turn.place.zone) or ""
        values.setdefault(f"zone_{rows - 1}", zone)
        return await self._form(turn, button.form_id, rows, values)

    async def allow_calendar(self, turn: Turn, button: AllowCalendar) -> Answer:
        """The same form with the meetings listed; or the sign-in that it takes first."""
        self._forms.check(button.form_id, Kind.TEXT, turn.actor)
        values = _entered(turn)
        try:
            await self._meetings.allowed(turn)
        except IdentityError as error:
            await self._sign_in.explain(turn, error, then="", scopes=MEETINGS)
            return Say(error.sentence)
        return await self._form(turn, button.form_id, max(1, button.rows), values)

    async def review(self, turn: Turn, button: ReviewText) -> Answer:
        """What was entered, as it was read; or the form again with what needs another look."""
        self._forms.check(button.form_id, Kind.TEXT, turn.actor)
        values = _entered(turn)
        rows = max(1, min(button.rows, MAX_ROWS))
        entry, errors = form.read(values, rows=rows, own_zone=turn.place.zone)
        leaves, wrong_time = read_when(values, turn.place.zone, datetime.now(UTC))
        if entry is None or wrong_time:
            return await self._form(turn, button.form_id, rows, values, {**errors, **wrong_time})
        try:
            async with asyncio.timeout(PATIENCE_S):
                found = await self._meetings.find(turn, entry.join_link, entry.occurs_at)
        except IdentityError as error:
            await self._sign_in.explain(turn, error, then="", scopes=MEETINGS)
            return await self._form(turn, button.form_id, rows, values, said=error.sentence)
        except (GraphError, TimeoutError) as error:
            what = error.sentence if isinstance(error, GraphError) else gettext(_TOO_SLOW)
            said = f"{what} {gettext(_STILL_HERE)}"
            return await self._form(turn, button.form_id, rows, values, said=said)
        if errors := not_the_one(found, values, leaves.moment):
            return await self._form(turn, button.form_id, rows, values, errors)
        assert found is not None  # noqa: S101 - else there was an error
        request = TextRequest(
            meeting=found.meeting,
            join_link=entry.join_link,
            message_type=entry.message_type,
            language=entry.language,
            attendees=entry.attendees,
            leaves_at=leaves.moment,
            in_calendar=found.in_calendar is True,
            unused=form.unused(values, entry, leaves),
        )
        form_id = await self._unsent(turn, button.form_id)
        kept = await self._drafts.keep(turn.actor, form_id, Kind.TEXT, request.to_json())
        series = [gettext(_SERIES)] if found.others else []
        notes = (*entry.notes, *series, *([gettext(TWICE)] if leaves.twice else []))
        return await self._reviewed(turn, form_id, request, notes, kept)

    async def _reviewed(
        self, turn: Turn, form_id: str, request: TextRequest, notes: tuple[str, ...], draft_id: str
    ) -> ShowCard:
        """The review's card. It warns of those who may have the text that this one repeats."""
        view = review_view(turn, form_id, request, notes, draft_id)
        have_it = await self._deliveries.may_have_it(turn, form_id)
        again = [last_four(each.number) for each in request.attendees if each.number in have_it]
        if again:
            who = listed(again[:_NAMED], besides=len(again) - _NAMED)
            view = replace(view, warnings=(*view.warnings, gettext(_TWICE, who=who)))
        elif said := sent_before(request, await self._deliveries.recent(turn), datetime.now(UTC)):
            view = replace(view, warnings=(*view.warnings, said))
        return ShowCard.of(text_review(view))

    async def again(
        self, turn: Turn, button: AddAttendee | AllowCalendar | ReviewText, said: str
    ) -> ShowCard:
        """The same form with what was entered, and a sentence above it."""
        self._forms.check(button.form_id, Kind.TEXT, turn.actor)
        rows = max(1, min(button.rows, MAX_ROWS))
        made, _ = await self._cards.form(turn, button.form_id, rows, _entered(turn), {}, said=said)
        return ShowCard.of(made)

    async def _unsent(self, turn: Turn, form_id: str) -> str:
        """This form's id; of a form that was sent already, a new one's."""
        if await self._deliveries.submitted(turn, form_id) is None:
            return form_id
        return self._forms.mint(Kind.TEXT, turn.actor)

    async def edit(self, turn: Turn, button: EditText) -> Answer:
        """Back to the form, with everything kept."""
        self._forms.check(button.form_id, Kind.TEXT, turn.actor)
        kept = await self._drafts.read(turn.actor, button.form_id, Kind.TEXT)
        request = TextRequest.from_json(kept.request)
        rows, values = rows_of(request), values_of(turn, request)
        return await self._form(turn, button.form_id, rows, {**values, **request.unused})

    async def send(self, turn: Turn, button: SendText) -> Answer:
        """Into the ledger; the answer is the receipt when Graph is quick, else the progress."""
        self._forms.check(button.form_id, Kind.TEXT, turn.actor)
        draft = await self._deliveries.draft(turn, button.form_id, Kind.TEXT)
        if not isinstance(draft, Draft):
            return draft
        request = TextRequest.from_json(draft.request)
        if draft.id != button.draft_id:
            notes = (gettext(CHANGED_MEANWHILE),)
            return await self._reviewed(turn, button.form_id, request, notes, draft.id)
        if draft.age_s > REVIEW_HOLDS_S and request.leaves_at is None:
            return await self._look_again(turn, button, request)
        return await self._submit(turn, button, request)

    async def _look_again(self, turn: Turn, button: SendText, request: TextRequest) -> Answer:
        """The review is old: has the appointment changed since?"""
        async with asyncio.timeout(PATIENCE_S):
            chosen = request.meeting.starts_at if request.in_calendar else None
            found = await self._meetings.find(turn, request.join_link, chosen)
        if found is None:
            return Say(gettext(NOT_ORGANIZER))
        if is_as_shown(found, request):
            return await self._submit(turn, button, request)
        moved = replace(request, meeting=found.meeting)
        kept = await self._drafts.keep(turn.actor, button.form_id, Kind.TEXT, moved.to_json())
        return await self._reviewed(turn, button.form_id, moved, (gettext(_MOVED),), kept)

    async def _submit(self, turn: Turn, button: SendText, request: TextRequest) -> Answer:
        now = datetime.now(UTC)
        if request.leaves_at and request.leaves_at <= now:
            rows, values = rows_of(request), values_of(turn, request)
            return await self._form(
                turn, button.form_id, rows, values, {"when_time": gettext(_PASSED)}
            )
        wanted = NewDelivery(
            turn.actor,
            button.form_id,
            Kind.TEXT,
            turn.place,
            request.to_json(),
            send.call(request, now, holds_until=now + timedelta(seconds=REVIEW_HOLDS_S)),
            due_at_ms=in_ms(request.leaves_at),
        )
        return await self._deliveries.submit(wanted, send.people(request))

    async def change(self, turn: Turn, delivery: Delivery, succeeds: Succession) -> Answer:
        """A new form with the values of an earlier delivery, whose place it takes.

        It is for those who do not have that one. Raises StaleButton where nobody is left.
        """
        request = TextRequest.from_json(delivery.request)
        waits_or_failed = [state for state in State if state not in _OVER]
        left = {number for number, _ in await self._deliveries.people(delivery, *waits_or_failed)}
        people = tuple(each for each in request.attendees if each.number in left)
        if not people:
            raise StaleButton
        form_id = self._forms.mint(Kind.TEXT, turn.actor, succeeds)
        return await self._filled(turn, form_id, replace(request, attendees=people))

    async def follow_up(self, turn: Turn, delivery: Delivery, message_type: str) -> Answer:
        """A new form for a later text to the same people about the same appointment."""
        if message_type not in MESSAGE_TYPES:
            raise StaleButton
        request = TextRequest.from_json(delivery.request)
        request = await self._changes.now(turn, delivery, request, message_type)
        later = replace(request, message_type=message_type, leaves_at=None)
        return await self._filled(turn, self._forms.mint(Kind.TEXT, turn.actor), later)

    async def separately(self, turn: Turn, delivery: Delivery) -> Answer:
        """Each refused attendee in a request of his or her own, once for each delivery."""
        refused = await self._deliveries.people(delivery, State.REFUSED)
        request = TextRequest.from_json(delivery.request)
        wanted = NewDelivery(
            turn.actor,
            f"each.{delivery.id}",
            Kind.TEXT,
            turn.place,
            delivery.request,
            send.call(replace(request, leaves_at=None), moment(delivery.created_at_ms)),
            succeeds=Succession(How.REPEATS, delivery.id, delivery.seen_ms),
        )
        return await self._deliveries.submit(wanted, ([attendee] for attendee in refused))

    async def _filled(self, turn: Turn, form_id: str, request: TextRequest) -> Answer:
        return await self._form(turn, form_id, rows_of(request), values_of(turn, request))

    async def _form(
        self,
        turn: Turn,
        form_id: str,
        rows: int,
        values: Mapping[str, str],
        errors: Mapping[str, str] | None = None,
        *,
        said: str = "",
    ) -> Answer:
        errors = errors or {}
        made, shown = await self._cards.form(turn, form_id, rows, values, errors, said=said)
        return form_again(made, shown, errors, said)


def _entered(turn: Turn) -> dict[str, str]:
    """The inputs' values; of a pasted invitation only its link is kept."""
    values = entered_of(turn.value)
    if pasted := values.get("join_link", ""):
        values["join_link"] = form.link_in(pasted)
    return values
