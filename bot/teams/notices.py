"""The notification's way through Teams: form, review, submit, receipt."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote

from bot.delivery.drafts import Draft, Drafts
from bot.delivery.models import Kind, NewDelivery
from bot.delivery.schedule import read_when
from bot.errors import IdentityError
from bot.graph.client import Graph
from bot.graph.errors import GraphError
from bot.identity.obo import NOTIFY, Identity
from bot.notifications import form, send
from bot.notifications.activity_types import ActivityType
from bot.notifications.audience import resolve
from bot.notifications.directory import Directory
from bot.notifications.filled import Filled
from bot.notifications.form import NoticeEntry, ids_in
from bot.notifications.kept import Kept, KeptForms
from bot.notifications.request import NoticeRequest, Topic
from bot.settings import Settings
from bot.teams.answers import (
    PATIENCE_S,
    Answer,
    Say,
    ShowCard,
    entered,
    form_again,
    too_long,
)
from bot.teams.deliveries import CHANGED_MEANWHILE, Deliveries
from bot.teams.forms import Forms
from bot.teams.notice_views import NoticeCards, review_view
from bot.teams.sign_in import SignInFlow
from bot.teams.turn import Turn
from bot.teams.when import in_ms
from cards.buttons import ChooseKind, EditNotice, ReviewNotice, SendNotice
from cards.fields import cut
from cards.notice_review import notice_review

KEEP = "keep"  # the value of `keep_audience` for those chosen before
_INPUTS = frozenset({"activity_type", "topic", "topic_title", "topic_link", "preview"})
_INPUTS |= {"recipients", "recipient_list", "keep_audience", "when", "when_date", "when_time"}
_EMPTY = Filled()
_TOO_SLOW = "Microsoft Graph did not answer in time."
_GO_ON = "The people found so far are remembered: press “Review” once more."
_NOBODY_BEFORE = "Who was chosen before is not kept any more. Choose people again."
_PASSED = "The time you chose has passed meanwhile. Choose a later one, or “Now”."
_NO_CATALOGUE = (
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
    ) -> None:
        self._settings = settings
        self._kinds = kinds
        self._identity = identity
        self._graph = graph
        self._forms = forms
        self._drafts = drafts
        self._deliveries = deliveries
        self._sign_in = sign_in
        self._directory = Directory(graph)
        self._cards = NoticeCards(kinds, identity, self._directory)
        self._kept = KeptForms(drafts)
        self._catalogue_ids: dict[str, str] = {}  # by tenant; the id changes only with an upload

    async def open(self, turn: Turn, filled: Filled = _EMPTY) -> ShowCard:
        """A form, empty or as it is `filled`.

        Raises IdentityError where the permissions are missing.
        """
        await self._identity.token(turn.actor, NOTIFY)
        form_id = self._forms.mint(Kind.NOTICE, turn.actor)
        values = {"activity_type": self._kinds[0].type, "topic": "chat", "when": "now"}
        values |= filled.values()
        note = " ".join(filled.notes)
        made = await self._cards.form(turn, form_id, values, {}, note, Kept(), filled.recipients)
        if cut(made, values):
            kept = Kept(filled.recipients)
            await self._kept.keep(turn.actor, form_id, kept)
            values |= {"keep_audience": KEEP, "recipients": ""}
            made = await self._cards.form(turn, form_id, values, {}, note, kept)
        return ShowCard.of(made)

    async def choose_kind(self, turn: Turn, button: ChooseKind) -> Answer:
        """The same form with the inputs of the chosen kind."""
        self._forms.check(button.form_id, Kind.NOTICE, turn.actor)
        values = _entered(turn)
        if sentence := too_long(values):
            return Say(sentence)
        kept = await self._kept.read(turn.actor, button.form_id)
        if filled := self._parameters(values):
            # The other kind's inputs leave the card; they come back with their kind.
            kept = kept.evolve(parameters=filled)
            await self._kept.keep(turn.actor, button.form_id, kept)
        return await self._form(turn, button.form_id, {**kept.parameters, **values}, kept=kept)

    def _parameters(self, values: Mapping[str, str]) -> dict[str, str]:
        known = {f"param_{name}" for kind in self._kinds for name in kind.parameters}
        return {name: value for name, value in values.items() if name in known and value}

    async def review(self, turn: Turn, button: ReviewNotice) -> Answer:
        """What was entered, as it was read; or the form again with what needs another look."""
        self._forms.check(button.form_id, Kind.NOTICE, turn.actor)
        values = _entered(turn)
        if sentence := too_long(values):
            return Say(sentence)
        kept = await self._kept.read(turn.actor, button.form_id)
        keeps = values.get("keep_audience") == KEEP
        before = kept.audience if keeps else ()
        if keeps and not before:
            return await self._again(
                turn, button.form_id, values, {"recipients": _NOBODY_BEFORE}, kept=kept
            )
        entry, errors = form.read(values, self._kinds, before=len(before))
        leaves, wrong_time = read_when(values, turn.place.zone, datetime.now(UTC))
        if entry is None or wrong_time:
            errors = {**errors, **wrong_time}
            return await self._again(turn, button.form_id, values, errors, kept=kept)
        try:
            async with asyncio.timeout(PATIENCE_S):
                token = await self._identity.token(turn.actor, NOTIFY)
                audience = await resolve(self._directory, turn.actor, token.value, entry, before)
                catalogue_id = await self._catalogue_id(turn, token.value)
        except IdentityError as error:
            await self._sign_in.explain(turn, error, then="", scopes=NOTIFY)
            note = error.sentence
            return await self._again(turn, button.form_id, values, note=note, kept=kept)
        except GraphError as error:
            note = f"{error.sentence} Everything you entered is still here."
            return await self._again(turn, button.form_id, values, note=note, kept=kept)
        except TimeoutError:
            note = f"{_TOO_SLOW} {_GO_ON}"
            return await self._again(turn, button.form_id, values, note=note, kept=kept)
        errors = dict(audience.errors)
        if entry.topic == "app" and not catalogue_id:
            errors["topic"] = _NO_CATALOGUE
        if errors:
            return await self._again(turn, button.form_id, values, errors, kept=kept)
        request = NoticeRequest(
            activity_type=entry.kind.type,
            parameters=entry.parameters,
            topic=self._topic(entry, catalogue_id),
            preview=entry.preview,
            recipients=audience.recipients,
            text=entry.kind.filled(entry.parameters, actor=turn.name or "You"),
            left_out=audience.left_out,
            catalogue_id=catalogue_id,
            leaves_at=leaves.moment,
            values=self._inputs({**kept.parameters, **values}),
        )
        form_id = button.form_id
        if await self._deliveries.submitted(turn, form_id) is not None:
            # An old view of a form that was sent: what is reviewed now is another notice.
            form_id = self._forms.mint(Kind.NOTICE, turn.actor)
        draft_id = await self._drafts.keep(turn.actor, form_id, Kind.NOTICE, request.to_json())
        return self._reviewed(turn, form_id, request, draft_id)

    def _reviewed(
        self, turn: Turn, form_id: str, request: NoticeRequest, draft_id: str, note: str = ""
    ) -> ShowCard:
        view = review_view(turn, form_id, request, self._settings.notice_rate)
        notes = (note,) if note else ()
        return ShowCard.of(notice_review(replace(view, draft_id=draft_id, notes=notes)))

    async def again(self, turn: Turn, button: ChooseKind | ReviewNotice, note: str) -> ShowCard:
        """The same form with what was entered, and a sentence above it."""
        self._forms.check(button.form_id, Kind.NOTICE, turn.actor)
        kept = await self._kept.read(turn.actor, button.form_id)
        made = await self._cards.form(turn, button.form_id, _entered(turn), {}, note, kept)
        return ShowCard.of(made)

    async def edit(self, turn: Turn, button: EditNotice) -> Answer:
        """Back to the form, with everything kept."""
        self._forms.check(button.form_id, Kind.NOTICE, turn.actor)
        kept = await self._drafts.read(turn.actor, button.form_id, Kind.NOTICE)
        request = NoticeRequest.from_json(kept.request)
        return await self._filled(turn, button.form_id, request)

    async def send(self, turn: Turn, button: SendNotice) -> Answer:
        """Into the ledger; the answer is the receipt when Graph is quick, else the progress."""
        self._forms.check(button.form_id, Kind.NOTICE, turn.actor)
        draft = await self._deliveries.draft(turn, button.form_id, Kind.NOTICE)
        if not isinstance(draft, Draft):
            return draft
        request = NoticeRequest.from_json(draft.request)
        if draft.id != button.draft_id:
            return self._reviewed(turn, button.form_id, request, draft.id, CHANGED_MEANWHILE)
        if request.leaves_at and request.leaves_at <= datetime.now(UTC):
            return await self._again(turn, button.form_id, request.values, {"when_time": _PASSED})
        wanted = NewDelivery(
            turn.actor,
            button.form_id,
            Kind.NOTICE,
            turn.place,
            request.to_json(),
            send.call(request),
            due_at_ms=in_ms(request.leaves_at),
        )
        return await self._deliveries.submit(turn, wanted, send.people(request))

    async def change(
        self, turn: Turn, request: NoticeRequest, *, why: str = "", delivery_id: str = ""
    ) -> Answer:
        """A new form with every value of an earlier delivery.

        `why` says whether what it sends replaces, or corrects, the delivery of that id.
        """
        form_id = self._forms.mint(Kind.NOTICE, turn.actor, why=why, delivery_id=delivery_id)
        return await self._filled(turn, form_id, request)

    async def _filled(self, turn: Turn, form_id: str, request: NoticeRequest) -> Answer:
        """The form of a request; an audience too long for its card is kept, and told of."""
        kept = await self._kept.read(turn.actor, form_id)
        kept = kept.evolve(parameters=self._parameters(request.values))
        if kept.parameters:
            await self._kept.keep(turn.actor, form_id, kept)
        values = request.values
        if values.get("keep_audience") != KEEP:
            made = await self._cards.form(turn, form_id, values, {}, "", Kept(), request.recipients)
            if not cut(made, values):
                return ShowCard.of(made)
        kept = kept.evolve(audience=request.recipients)
        await self._kept.keep(turn.actor, form_id, kept)
        values = {**values, "keep_audience": KEEP, "recipients": "", "recipient_list": ""}
        return await self._form(turn, form_id, values, kept=kept)

    async def _again(
        self,
        turn: Turn,
        form_id: str,
        values: Mapping[str, str],
        errors: Mapping[str, str] | None = None,
        *,
        note: str = "",
        kept: Kept | None = None,
    ) -> Answer:
        """The same form with what is wrong; beside it where it is too long to be drawn again."""
        kept = kept or await self._kept.read(turn.actor, form_id)
        return await self._form(turn, form_id, values, errors, note=note, kept=kept)

    async def _form(
        self,
        turn: Turn,
        form_id: str,
        values: Mapping[str, str],
        errors: Mapping[str, str] | None = None,
        *,
        note: str = "",
        kept: Kept,
    ) -> Answer:
        made = await self._cards.form(turn, form_id, values, errors or {}, note, kept)
        return form_again(made, values, errors or {}, note)

    async def _catalogue_id(self, turn: Turn, token: str) -> str:
        """The app's id in this tenant's catalogue, or nothing where it can't be found."""
        if self._settings.teams_catalog_app_id:
            return self._settings.teams_catalog_app_id
        tenant = turn.actor.tenant_id
        if tenant not in self._catalogue_ids:
            found = await self._graph.catalogue_id(token, self._settings.teams_app_id)
            if not found:
                return ""
            self._catalogue_ids[tenant] = found
        return self._catalogue_ids[tenant]

    def _inputs(self, values: Mapping[str, str]) -> dict[str, str]:
        # Only the form's own inputs: the verb and whatever else came along are not values.
        own = {name: value for name, value in values.items() if name in _INPUTS}
        if own.get("keep_audience") != KEEP:
            own.pop("keep_audience", None)
        return own | self._parameters(values)

    def _topic(self, entry: NoticeEntry, catalogue_id: str) -> Topic:
        if entry.topic == "app":
            # The address is Microsoft's, whatever GRAPH_URL says: it is a name, not a place.
            entity = f"https://graph.microsoft.com/v1.0/appCatalogs/teamsApps/{catalogue_id}"
            return Topic("app", "entityUrl", entity)
        title = entry.topic_title or entry.kind.description
        if entry.topic == "link":
            return Topic("link", "text", title, entry.topic_link)
        bot = quote(f"28:{self._settings.microsoft_app_id}")
        return Topic("chat", "text", title, f"https://teams.microsoft.com/l/chat/0/0?users={bot}")


def _entered(turn: Turn) -> dict[str, str]:
    """The inputs' values; ids of people as they are kept."""
    values = entered(turn.value)
    if picked := values.get("recipients", ""):
        values["recipients"] = ",".join(ids_in(picked))
    return values
