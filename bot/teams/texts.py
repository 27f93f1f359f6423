"""The appointment text's way through Teams: form, review, submit, receipt."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from bot.appointments import form, send
from bot.appointments.phone import as_read
from bot.appointments.request import LANGUAGES, MESSAGE_TYPES, Meeting, TextRequest
from bot.appointments.zones import friendly, local_time, offered, windows_name
from bot.delivery.drafts import Draft, Drafts
from bot.delivery.models import Delivery, Kind, NewDelivery, State
from bot.delivery.schedule import offered_days, read_when
from bot.errors import ConsentNeeded, HeraldError, IdentityError, SignInNeeded, StaleButton
from bot.graph.client import Graph
from bot.graph.errors import GraphError
from bot.identity.obo import MEETINGS, TEXT, Identity
from bot.teams.answers import (
    CALENDAR_PATIENCE_S,
    PATIENCE_S,
    SHOWN_AGAIN,
    Answer,
    Say,
    ShowCard,
    entered,
    too_long,
)
from bot.teams.deliveries import CHANGED_MEANWHILE, Deliveries
from bot.teams.forms import REPLACES, Forms
from bot.teams.sign_in import SignInFlow
from bot.teams.turn import Turn
from bot.teams.when import TWICE, in_ms, in_words, when_values
from cards.buttons import AddAttendee, EditText, ReviewText, SendText
from cards.text_form import MAX_ROWS, Choice, TextFormView, text_form
from cards.text_review import ReviewedAttendee, TextReviewView, text_review

log = structlog.get_logger(__name__)

_DAYS_SHOWN = 30
_MEETINGS_SHOWN = 25
_FIRST_ROWS = 2
_MESSAGES = {
    "confirmation": "Confirmation",
    "reschedule": "New time",
    "cancellation": "Cancellation",
    "reminder": "Reminder",
}
REVIEW_HOLDS_S = 300.0  # an older one is compared with the calendar before it is sent
_TOO_SLOW = "Microsoft Graph did not answer in time."
_STARTED = "The appointment has started by then. Choose an earlier time."
_PASSED = "The time you chose has passed meanwhile. Choose a later one, or “Now”."
_LANGUAGE_NAMES = {
    "en-US": "English",
    "es-US": "Spanish (United States)",
    "es-MX": "Spanish (Mexico)",
    "fr-FR": "French",
    "de-DE": "German",
    "pt-BR": "Portuguese (Brazil)",
    "zh-CN": "Chinese (simplified)",
    "ko-KR": "Korean",
    "vi-VN": "Vietnamese",
    "ru-RU": "Russian",
    "ar-SA": "Arabic",
}
_NOT_ORGANIZER = (
    "No appointment of yours has this link. Only its organizer can send texts for it: please "
    "check the link, or ask the organizer."
)


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
    ) -> None:
        self._identity = identity
        self._graph = graph
        self._forms = forms
        self._drafts = drafts
        self._deliveries = deliveries
        self._sign_in = sign_in

    async def open(self, turn: Turn) -> ShowCard:
        """An empty form.

        Raises IdentityError where the texts' own permissions are missing: a form that could not
        be sent would waste its reader's time.
        """
        await self._identity.token(turn.actor, TEXT)
        form_id = self._forms.mint(Kind.TEXT, turn.actor)
        zone = windows_name(turn.place.zone)
        values = {f"zone_{row}": zone or "" for row in range(MAX_ROWS)}
        values |= {"message_type": "confirmation", "language": _default_language(turn)}
        values |= {"when": "now"}
        return await self._form(turn, form_id, _FIRST_ROWS, values)

    async def add_attendee(self, turn: Turn, button: AddAttendee) -> Answer:
        """The same form with a row more."""
        self._forms.check(button.form_id, Kind.TEXT, turn.actor)
        values = entered(turn.value)
        if sentence := too_long(values, SHOWN_AGAIN):
            return Say(sentence)
        rows = min(button.rows + 1, MAX_ROWS)
        zone = values.get(f"zone_{rows - 2}") or windows_name(turn.place.zone) or ""
        values.setdefault(f"zone_{rows - 1}", zone)
        return await self._form(turn, button.form_id, rows, values)

    async def review(self, turn: Turn, button: ReviewText) -> Answer:
        """What was entered, as it was read; or the form again with what needs another look."""
        self._forms.check(button.form_id, Kind.TEXT, turn.actor)
        values = entered(turn.value)
        if sentence := too_long(values, SHOWN_AGAIN):
            return Say(sentence)
        rows = max(1, min(button.rows, MAX_ROWS))
        entry, errors = form.read(values, rows=rows, own_zone=turn.place.zone)
        leaves, wrong_time = read_when(values, turn.place.zone, datetime.now(UTC))
        if entry is None or wrong_time:
            return await self._form(turn, button.form_id, rows, values, {**errors, **wrong_time})
        try:
            async with asyncio.timeout(PATIENCE_S):
                token = await self._identity.token(turn.actor, MEETINGS)
                found = await self._graph.meeting_by_join_url(token.value, entry.join_link)
        except IdentityError as error:
            await self._sign_in.explain(turn, error, then="", scopes=MEETINGS)
            return await self._form(turn, button.form_id, rows, values, note=error.sentence)
        except (GraphError, TimeoutError) as error:
            what = error.sentence if isinstance(error, GraphError) else _TOO_SLOW
            note = f"{what} Nothing was sent; everything you entered is still here."
            return await self._form(turn, button.form_id, rows, values, note=note)
        if found is None:
            field = "join_link" if values.get("join_link", "").strip() else "meeting"
            errors = {field: _NOT_ORGANIZER}
            return await self._form(turn, button.form_id, rows, values, errors)
        if leaves.moment and found.start and leaves.moment >= found.start:
            errors = {"when_time": _STARTED}
            return await self._form(turn, button.form_id, rows, values, errors)
        request = TextRequest(
            meeting=Meeting(found.id, found.subject or "Appointment", found.start),
            join_link=entry.join_link,
            message_type=entry.message_type,
            language=entry.language,
            attendees=entry.attendees,
            leaves_at=leaves.moment,
            in_calendar=not values.get("join_link", "").strip(),
        )
        form_id = await self._unsent(turn, button.form_id)
        kept = await self._drafts.keep(turn.actor, form_id, Kind.TEXT, request.to_json())
        notes = (*entry.notes, *([TWICE] if leaves.twice else []))
        return ShowCard.of(text_review(_review(turn, form_id, request, notes, kept)))

    async def again(self, turn: Turn, button: AddAttendee | ReviewText, note: str) -> ShowCard:
        """The same form with what was entered, and a sentence above it."""
        self._forms.check(button.form_id, Kind.TEXT, turn.actor)
        rows = max(1, min(button.rows, MAX_ROWS))
        return await self._form(turn, button.form_id, rows, entered(turn.value), note=note)

    async def _unsent(self, turn: Turn, form_id: str) -> str:
        """This form's id; of a form that was sent already, a new one's."""
        if await self._deliveries.submitted(turn, form_id) is None:
            return form_id
        return self._forms.mint(Kind.TEXT, turn.actor)

    async def edit(self, turn: Turn, button: EditText) -> Answer:
        """Back to the form, with everything kept."""
        self._forms.check(button.form_id, Kind.TEXT, turn.actor)
        kept = await self._drafts.read(turn.actor, button.form_id, Kind.TEXT)
        return await self._filled(turn, button.form_id, TextRequest.from_json(kept.request))

    async def send(self, turn: Turn, button: SendText) -> Answer:
        """Into the ledger; the answer is the receipt when Graph is quick, else the progress."""
        self._forms.check(button.form_id, Kind.TEXT, turn.actor)
        draft = await self._deliveries.draft(turn, button.form_id, Kind.TEXT)
        if not isinstance(draft, Draft):
            return draft
        request = TextRequest.from_json(draft.request)
        if draft.id != button.draft_id:
            notes = (CHANGED_MEANWHILE,)
            return ShowCard.of(text_review(_review(turn, button.form_id, request, notes, draft.id)))
        if draft.age_s > REVIEW_HOLDS_S and request.leaves_at is None:
            return await self._look_again(turn, button, request)
        return await self._submit(turn, button, request)

    async def _look_again(self, turn: Turn, button: SendText, request: TextRequest) -> Answer:
        """The review is old: has the appointment changed since?"""
        async with asyncio.timeout(PATIENCE_S):
            token = await self._identity.token(turn.actor, MEETINGS)
            found = await self._graph.meeting_by_join_url(token.value, request.join_link)
        if found is None:
            return Say(_NOT_ORGANIZER)
        if found.start == request.meeting.starts_at:
            return await self._submit(turn, button, request)
        moved = replace(request, meeting=replace(request.meeting, starts_at=found.start))
        kept = await self._drafts.keep(turn.actor, button.form_id, Kind.TEXT, moved.to_json())
        notes = ("The appointment was moved since you looked at this: please check again.",)
        return ShowCard.of(text_review(_review(turn, button.form_id, moved, notes, kept)))

    async def _submit(self, turn: Turn, button: SendText, request: TextRequest) -> Answer:
        if request.leaves_at and request.leaves_at <= datetime.now(UTC):
            rows = _rows(request)
            errors = {"when_time": _PASSED}
            return await self._form(turn, button.form_id, rows, _values(turn, request), errors)
        wanted = NewDelivery(
            turn.actor,
            button.form_id,
            Kind.TEXT,
            turn.place,
            request.to_json(),
            send.call(request),
            due_at_ms=in_ms(request.leaves_at),
        )
        return await self._deliveries.submit(turn, wanted, send.people(request))

    async def change(self, turn: Turn, request: TextRequest, *, replaces: str = "") -> Answer:
        """A new form with every value of an earlier delivery, or of one that still waits."""
        why = REPLACES if replaces else ""
        form_id = self._forms.mint(Kind.TEXT, turn.actor, why=why, delivery_id=replaces)
        return await self._filled(turn, form_id, request)

    async def follow_up(self, turn: Turn, request: TextRequest, message_type: str) -> Answer:
        """A new form for a later text to the same people about the same appointment."""
        if message_type not in MESSAGE_TYPES:
            raise StaleButton
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
            send.call(replace(request, leaves_at=None)),
        )
        return await self._deliveries.submit(turn, wanted, ([attendee] for attendee in refused))

    async def _filled(self, turn: Turn, form_id: str, request: TextRequest) -> ShowCard:
        return await self._form(turn, form_id, _rows(request), _values(turn, request))

    async def _form(
        self,
        turn: Turn,
        form_id: str,
        rows: int,
        values: Mapping[str, str],
        errors: Mapping[str, str] | None = None,
        *,
        note: str = "",
    ) -> ShowCard:
        meetings, why_not = await self._meetings(turn)
        earliest, latest = offered_days(turn.place.zone, datetime.now(UTC))
        return ShowCard.of(
            text_form(
                TextFormView(
                    form_id=form_id,
                    rows=rows,
                    meetings=meetings,
                    zones=tuple(
                        Choice(zone.name, zone.windows) for zone in offered(turn.place.zone)
                    ),
                    languages=tuple(Choice(_LANGUAGE_NAMES[tag], tag) for tag in LANGUAGES),
                    values=_in_the_list(values, meetings),
                    errors=errors or {},
                    note=note or why_not,
                    zone_name=friendly(turn.place.zone),
                    earliest=earliest,
                    latest=latest,
                )
            )
        )

    async def _meetings(self, turn: Turn) -> tuple[tuple[Choice, ...], str]:
        """The user's own online meetings, or none and a sentence that says why."""
        start = datetime.now(UTC) - timedelta(days=1)
        try:
            async with asyncio.timeout(CALENDAR_PATIENCE_S):
                token = await self._identity.token(turn.actor, MEETINGS)
                events = await self._graph.upcoming_meetings(
                    token.value, start, start + timedelta(days=_DAYS_SHOWN), turn.place.zone
                )
        except (SignInNeeded, ConsentNeeded):
            return (), (
                "Herald may not read your calendar, so please paste the appointment's join link."
            )
        except (HeraldError, TimeoutError) as error:
            log.warning("texts.calendar_unreadable", problem=type(error).__name__)
            return (), (
                "Your calendar can't be read just now, so please paste the appointment's join link."
            )
        own = [event for event in events if event.is_organizer and event.join_url]
        if not own:
            return (), (
                f"You organize no online appointment in the next {_DAYS_SHOWN} days; "
                "you can paste a join link."
            )
        choices = [
            Choice(
                f"{local_time(event.start, turn.place.zone)} · {event.subject}"
                + (" (cancelled)" if event.is_cancelled else ""),
                event.join_url,
            )
            for event in own[:_MEETINGS_SHOWN]
        ]
        return tuple(choices), ""


def _in_the_list(values: Mapping[str, str], meetings: tuple[Choice, ...]) -> Mapping[str, str]:
    # A link that stands in the list is shown as chosen there; any other one as pasted.
    listed = {choice.value for choice in meetings}
    chosen = values.get("meeting", "")
    if chosen and chosen not in listed:
        return {**values, "meeting": "", "join_link": values.get("join_link") or chosen}
    return values


def _rows(request: TextRequest) -> int:
    return max(_FIRST_ROWS, min(len(request.attendees), MAX_ROWS))


def _values(turn: Turn, request: TextRequest) -> dict[str, str]:
    values = when_values(request.leaves_at, turn.place.zone) | {
        "meeting": request.join_link,
        "message_type": request.message_type,
        "language": request.language,
    }
    for row, attendee in enumerate(request.attendees[:MAX_ROWS]):
        values |= {f"phone_{row}": as_read(attendee.number), f"zone_{row}": attendee.zone}
    rest = [
        f"{as_read(attendee.number)}, {attendee.zone}" for attendee in request.attendees[MAX_ROWS:]
    ]
    return values | {"attendee_list": "\n".join(rest)}


def _default_language(turn: Turn) -> str:
    # Patients' language is the form's choice; the user's own is only the first guess.
    return next((tag for tag in LANGUAGES if tag == turn.place.locale), LANGUAGES[0])


def _review(
    turn: Turn, form_id: str, request: TextRequest, notes: tuple[str, ...], draft_id: str
) -> TextReviewView:
    starts_at = request.meeting.starts_at
    zone = turn.place.zone
    return TextReviewView(
        form_id=form_id,
        message_type=_MESSAGES[request.message_type],
        subject=request.meeting.subject,
        when=f"{local_time(starts_at, zone)}, {friendly(zone)}" if starts_at else "",
        language=_LANGUAGE_NAMES[request.language],
        attendees=tuple(
            ReviewedAttendee(
                number=as_read(attendee.number),
                zone=friendly(attendee.zone),
                local_time=local_time(starts_at, attendee.zone) if starts_at else "",
            )
            for attendee in request.attendees
        ),
        notes=notes,
        draft_id=draft_id,
        leaves=in_words(request.leaves_at, zone),
    )
