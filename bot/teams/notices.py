"""The notification's way through Teams: form, review, submit, receipt."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.delivery.drafts import Draft, Drafts
from bot.delivery.models import Kind, NewDelivery, Succession
from bot.delivery.schedule import Leaves, read_when
from bot.errors import IdentityError
from bot.graph.client import Graph
from bot.graph.errors import GraphError
from bot.identity.obo import NOTIFY, Identity
from bot.notifications import form, send
from bot.notifications.activity_types import ActivityType
from bot.notifications.audience import Audience, NobodyToNotify, NotAMember
from bot.notifications.directory import Directory
from bot.notifications.filled import Filled
from bot.notifications.form import EACH, PEOPLE, NoticeEntry
from bot.notifications.kept import Kept, KeptForms
from bot.notifications.pasted import which_of
from bot.notifications.request import NoticeRequest, Recipient
from bot.settings import Settings
from bot.teams.answers import PATIENCE_S, Answer, ShowCard, entered_of, form_again
from bot.teams.audiences import Audiences, groups_here
from bot.teams.connector_errors import ConnectorError, ConversationGone
from bot.teams.deliveries import CHANGED_MEANWHILE, Deliveries
from bot.teams.forms import Forms
from bot.teams.notice_views import KEEP, Drawing, NoticeCards, inputs_of, review_view
from bot.teams.rosters import Rosters
from bot.teams.sign_in import SignInFlow
from bot.teams.topics import Topics
from bot.teams.turn import Turn
from bot.teams.when import in_ms
from bot.words import gettext, marked
from cards.buttons import ChooseKind, EditNotice, ReviewNotice, SendNotice
from cards.fields import cut
from cards.notice_review import notice_review

_EMPTY = Filled()
_TOO_SLOW = marked("Microsoft did not answer in time.")
_GO_ON = marked("The people found so far are remembered: press “Review” once more.")
_STILL_HERE = marked("Everything you entered is still here.")
_CHOOSE_PEOPLE = marked("Choose people, or paste their addresses or names.")
_NOBODY_BEFORE = marked("Who was chosen before is not kept any more. Choose people again.")
_PASSED = marked("The time you chose has passed meanwhile. Choose a later one, or “Now”.")
_NO_CATALOGUE = marked(
    "Herald is not in your organization's app catalogue, so a notice can't lead there. "
    "Choose this chat or a Teams link."
)


class Notices:
    """What the commands and buttons of notifications do."""

    def __init__(
        self,
        settings: Settings,
        kinds: tuple[ActivityType, ...],
        identity: Identity,
        graph: Graph,
        forms: Forms,
        drafts: Drafts,
        deliveries: Deliveries,
        sign_in: SignInFlow,
        rosters: Rosters,
    ) -> None:
        self._settings = settings
        self._kinds = kinds
        self._identity = identity
        self._forms = forms
        self._drafts = drafts
        self._deliveries = deliveries
        self._sign_in = sign_in
        directory = Directory(graph)
        self._audiences = Audiences(directory, rosters, settings.audience_limit)
        self._cards = NoticeCards(kinds, identity, directory)
        self._kept = KeptForms(drafts)
        self._topics = Topics(settings, graph)

    async def open(self, turn: Turn, filled: Filled = _EMPTY) -> ShowCard:
        """A form, empty or as it is `filled`.

        Raises IdentityError where the permissions are missing.
        """
        await self._identity.token(turn.actor, NOTIFY)
        form_id = self._forms.mint(Kind.NOTICE, turn.actor)
        values = {"activity_type": self._kinds[0].type, "topic": "chat", "when": "now"}
        values |= filled.values()
        drawing = Drawing(form_id, values, note=" ".join(filled.notes), known=filled.recipients)
        made = await self._cards.form(turn, drawing)
        if cut(made, values):
            kept = Kept(filled.recipients)
            await self._kept.keep(turn.actor, form_id, kept)
            values |= {"keep_audience": KEEP, "recipients": ""}
            made = await self._cards.form(turn, replace(drawing, kept=kept))
        return ShowCard.of(made)

    async def choose_kind(self, turn: Turn, button: ChooseKind) -> Answer:
        """The same form with the inputs of the chosen kind."""
        self._forms.check(button.form_id, Kind.NOTICE, turn.actor)
        values = _entered(turn)
        kept = await self._kept.read(turn.actor, button.form_id)
        if filled := self._parameters(values):
            # The other kind's inputs leave the card; they come back with their kind.
            kept = kept.evolve(parameters=filled)
            await self._kept.keep(turn.actor, button.form_id, kept)
        values = {**kept.parameters, **values}
        return await self._form(turn, Drawing(button.form_id, values, kept=kept))

    def _parameters(self, values: Mapping[str, str]) -> dict[str, str]:
        known = {f"param_{name}" for kind in self._kinds for name in kind.parameters}
        return {name: value for name, value in values.items() if name in known and value}

    # The review ----------------------------------------------------------------------------------

    async def review(self, turn: Turn, button: ReviewNotice) -> Answer:
        """What was entered, as it was read; or the form again with what needs another look."""
        self._forms.check(button.form_id, Kind.NOTICE, turn.actor)
        values = _entered(turn)
        kept = await self._kept.read(turn.actor, button.form_id)
        again = Drawing(button.form_id, values, kept=kept)
        keeps = values.get("keep_audience") == KEEP
        before = kept.audience if keeps else ()
        if keeps and not before:
            return await self._form(turn, again.wrong({"recipients": gettext(_NOBODY_BEFORE)}))
        entry, errors = form.read(
            values, self._kinds, before=len(before), groups=groups_here(turn, kept)
        )
        leaves, wrong_time = read_when(values, turn.place.zone, datetime.now(UTC))
        if entry is None or wrong_time:
            return await self._form(turn, again.wrong({**errors, **wrong_time}))
        found = await self._looked_up(turn, entry, before, again)
        if isinstance(found, Drawing):
            return await self._form(turn, found)
        audience, catalogue_id = found
        errors = dict(audience.errors)
        if entry.topic == "app" and not catalogue_id:
            errors["topic"] = gettext(_NO_CATALOGUE)
        if errors:
            return await self._form(turn, replace(again.wrong(errors), which=audience.which))
        request = self._request(turn, entry, audience, catalogue_id, leaves, again)
        return await self._keep(turn, button.form_id, request)

    async def _looked_up(
        self, turn: Turn, entry: NoticeEntry, before: tuple[Recipient, ...], again: Drawing
    ) -> tuple[Audience, str] | Drawing:
        """Who is meant, and the app's catalogue id; or how the form is drawn again."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                token = await self._identity.token(turn.actor, NOTIFY)
                return await asyncio.gather(
                    self._audiences.resolve(turn, token.value, entry, before),
                    self._topics.catalogue_id(turn.actor, token.value),
                )
        except IdentityError as error:
            await self._sign_in.explain(turn, error, then="", scopes=NOTIFY)
            return replace(again, said=error.sentence)
        except (ConversationGone, NotAMember, NobodyToNotify) as error:
            values = {**again.values, "audience": PEOPLE}
            sentence = f"{error.sentence} {gettext(_CHOOSE_PEOPLE)}"
            return replace(again, values=values, errors={"audience": sentence})
        except (GraphError, ConnectorError) as error:
            return replace(again, said=f"{error.sentence} {gettext(_STILL_HERE)}")
        except TimeoutError:
            return replace(again, said=f"{gettext(_TOO_SLOW)} {gettext(_GO_ON)}")

    def _request(
        self,
        turn: Turn,
        entry: NoticeEntry,
        audience: Audience,
        catalogue_id: str,
        leaves: Leaves,
        again: Drawing,
    ) -> NoticeRequest:
        values = {**again.kept.parameters, **again.values}
        return NoticeRequest(
            activity_type=entry.kind.type,
            parameters=entry.parameters,
            topic=self._topics.of(entry, catalogue_id),
            preview=entry.preview,
            recipients=audience.recipients,
            text=entry.kind.filled(entry.parameters, actor=turn.name or gettext("You")),
            left_out=audience.left_out,
            catalogue_id=catalogue_id,
            leaves_at=leaves.moment,
            values=inputs_of(values) | self._parameters(values),
            group=audience.group,
            at_once=audience.at_once,
        )

    async def _keep(self, turn: Turn, form_id: str, request: NoticeRequest) -> ShowCard:
        if await self._deliveries.submitted(turn, form_id) is not None:
            # An old view of a form that was sent: what is reviewed now is another notice.
            form_id = self._forms.mint(Kind.NOTICE, turn.actor)
        draft_id = await self._drafts.keep(turn.actor, form_id, Kind.NOTICE, request.to_json())
        return self._reviewed(turn, form_id, request, draft_id)

    def _reviewed(
        self, turn: Turn, form_id: str, request: NoticeRequest, draft_id: str, note: str = ""
    ) -> ShowCard:
        view = review_view(turn, form_id, request, self._settings.notice_rate)
        notes = (note, *view.notes) if note else view.notes
        return ShowCard.of(notice_review(replace(view, draft_id=draft_id, notes=notes)))

    async def again(self, turn: Turn, button: ChooseKind | ReviewNotice, said: str) -> ShowCard:
        """The same form with what was entered, and a sentence above it."""
        self._forms.check(button.form_id, Kind.NOTICE, turn.actor)
        kept = await self._kept.read(turn.actor, button.form_id)
        drawing = Drawing(button.form_id, _entered(turn), said=said, kept=kept)
        return ShowCard.of(await self._cards.form(turn, drawing))

    async def edit(self, turn: Turn, button: EditNotice) -> Answer:
        """Back to the form, with everything kept."""
        self._forms.check(button.form_id, Kind.NOTICE, turn.actor)
        kept = await self._drafts.read(turn.actor, button.form_id, Kind.NOTICE)
        request = NoticeRequest.from_json(kept.request)
        return await self._filled(turn, button.form_id, request)

    # Sending -------------------------------------------------------------------------------------

    async def send(self, turn: Turn, button: SendNotice) -> Answer:
        """Into the ledger; the answer is the receipt when Graph is quick, else the progress."""
        self._forms.check(button.form_id, Kind.NOTICE, turn.actor)
        draft = await self._deliveries.draft(turn, button.form_id, Kind.NOTICE)
        if not isinstance(draft, Draft):
            return draft
        request = NoticeRequest.from_json(draft.request)
        if draft.id != button.draft_id:
            note = gettext(CHANGED_MEANWHILE)
            return self._reviewed(turn, button.form_id, request, draft.id, note)
        if request.leaves_at and request.leaves_at <= datetime.now(UTC):
            kept = await self._kept.read(turn.actor, button.form_id)
            again = Drawing(
                button.form_id, request.values, {"when_time": gettext(_PASSED)}, kept=kept
            )
            return await self._form(turn, again)
        wanted = NewDelivery(
            turn.actor,
            button.form_id,
            Kind.NOTICE,
            turn.place,
            request.to_json(),
            send.call(request),
            due_at_ms=in_ms(request.leaves_at),
            lane=send.lane(request),
        )
        return await self._deliveries.submit(wanted, send.people(request))

    async def change(
        self,
        turn: Turn,
        request: NoticeRequest,
        succeeds: Succession,
        *,
        without: Sequence[Any] = (),
    ) -> Answer:
        """A new form with every value of an earlier delivery, whose place it takes: for just the
        same people, `without` some of them."""
        form_id = self._forms.mint(Kind.NOTICE, turn.actor, succeeds)
        gone = {one for one in without if isinstance(one, str)}  # a group at once is no person
        rest = tuple(person for person in request.recipients if person.id not in gone)
        some_left_out = len(rest) < len(request.recipients)
        request = replace(request, recipients=rest)
        if some_left_out or (request.group and not request.at_once):
            # Whoever joined since is no part of this: the members of then are people now.
            values = {**request.values, "audience": PEOPLE, "way": EACH, "keep_audience": KEEP}
            request = replace(request, values=values)
        return await self._filled(turn, form_id, request)

    async def _filled(self, turn: Turn, form_id: str, request: NoticeRequest) -> Answer:
        """The form of a request; an audience too long for its card is kept, and told of."""
        kept = await self._kept.read(turn.actor, form_id)
        kept = replace(
            kept.evolve(parameters=self._parameters(request.values)), group=request.group
        )
        if kept.parameters or kept.group:
            await self._kept.keep(turn.actor, form_id, kept)
        values = request.values
        if values.get("keep_audience") != KEEP:
            drawing = Drawing(form_id, values, kept=replace(kept, audience=()))
            made = await self._cards.form(turn, replace(drawing, known=request.recipients))
            if not cut(made, values):
                return ShowCard.of(made)
        kept = kept.evolve(audience=request.recipients)
        await self._kept.keep(turn.actor, form_id, kept)
        values = {**values, "keep_audience": KEEP, "recipients": "", "recipient_list": ""}
        if not request.at_once:
            values["audience"] = PEOPLE
        return await self._form(turn, Drawing(form_id, values, kept=kept))

    async def _form(self, turn: Turn, drawing: Drawing) -> Answer:
        """The form with what is wrong; beside it where it is too long to be drawn again."""
        made = await self._cards.form(turn, drawing)
        return form_again(made, drawing.values, drawing.errors, drawing.said)


def _entered(turn: Turn) -> dict[str, str]:
    """The inputs' values: ids of people as they are kept, and whom a name was said to mean."""
    values = which_of(entered_of(turn.value))
    if picked := values.get("recipients", ""):
        values["recipients"] = ",".join(form.ids_in(picked))
    return values
