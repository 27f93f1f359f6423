"""Buttons inside dialogs: whatever they come to is a card, for a sentence would close the dialog.

A dialog stands in a conversation that others read, or where the bot may not be: nothing is posted
there. What is sent meanwhile (a link to sign in, say) stands in the dialog, above the form.

Source of the answers' shapes: "Task/fetch and task/submit responses", Microsoft Teams.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from bot.errors import EntraUnavailable, HeraldError
from bot.teams.answers import LONGEST_VALUE, Answer, Say, ShowCard, entered, for_dialog
from bot.teams.card_actions import CardActions
from bot.teams.dialog_titles import title_of
from bot.teams.exchanges import ANSWER_S
from bot.teams.notices import Notices
from bot.teams.renewals import Renewals
from bot.teams.texts import Texts
from bot.teams.turn import CARD_TYPE, Turn
from bot.teams.ways_back import BACK, back_button, back_of, leading_back
from bot.words import gettext, marked
from cards import buttons
from cards.buttons import Button, CloseDialog, LookAgain
from cards.elements import payload
from cards.kept import KeptView, kept
from cards.notes import NoteView, note
from cards.plain import kept as as_kept

Card = Mapping[str, Any]
Reply = tuple[int, dict[str, Any] | None]

_MOST_BUTTONS = 6  # Teams drops further ones
_IN_THE_THREAD = marked(
    "You can close this. How far it is stands below the command, without names."
)
_AGAIN_S = 2.0  # for drawing a form again
_OPENS = (buttons.TryAgain, buttons.SignIn, buttons.OpenText, buttons.OpenNotice)
_OF_TEXTS = (buttons.AddAttendee, buttons.AllowCalendar, buttons.ReviewText)
_TEXT_FORM = (buttons.AddAttendee, buttons.AllowCalendar, buttons.ReviewText)
_BACK: Mapping[type[Button], type[buttons.FormButton]] = {
    buttons.SendText: buttons.EditText,
    buttons.SendNotice: buttons.EditNotice,
}


class Dialogs:
    """Answers a dialog's buttons with what stands in the dialog next."""

    def __init__(
        self, texts: Texts, notices: Notices, actions: CardActions, renewals: Renewals
    ) -> None:
        self._renewals = renewals
        self._texts = texts
        self._notices = notices
        self._actions = actions

    async def reply(self, turn: Turn, data: object, title: str = "") -> Reply:
        """The invoke's answer: what stands in the dialog next, or nothing, which closes it.

        Without a `title` it is called by what the pressed button is about.
        """
        button = buttons.read(None, data)
        if isinstance(button, CloseDialog):
            return 200, None
        return 200, dialog(await self.answer(turn, data), title or title_of(button))

    async def look(self, turn: Turn, delivery_id: str) -> Answer:
        """A delivery of the actor's, as a dialog's card; or why not."""
        look = LookAgain(delivery_id).pack()
        answer = await self._actions.answer(turn.for_dialog(look), None, look)
        return ShowCard(_closing(answer.card)) if isinstance(answer, ShowCard) else answer

    async def answer(self, turn: Turn, data: object) -> Card:
        """The card that takes the place of the one whose button was pressed."""
        turn = turn.for_dialog(data)
        button = buttons.read(None, data)
        if isinstance(button, _OPENS):
            return await self._opened(turn, button)
        renewed = await self._renewals.sentence(turn, button)
        answer = Say(renewed) if renewed else await self._actions.answer(turn, None, data)
        if isinstance(answer, ShowCard):
            card = answer.card
            if answer.is_last:
                sent = isinstance(button, buttons.SendText | buttons.SendNotice)
                said = gettext(_IN_THE_THREAD) if sent and turn.place.is_shared else ""
                card = _closing(card, said, back_of(data))
            return _above(turn.shown, card)
        if turn.shown and not answer.sentence:
            return turn.shown[-1]
        # What was sent has the sentence already.
        sentence = "" if turn.shown else answer.sentence or gettext("Done.")
        below = await self._again(turn, button, sentence)
        if below is not None and (back := back_of(data)):
            below = _closing(below, back=back)
        if below is not None:
            return _above(turn.shown, below)
        return _above(turn.shown, self._kept(turn, button, answer))

    async def _opened(self, turn: Turn, button: Button) -> Card:
        """A command's answer, such as an empty form, in Teams' five seconds."""
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await self._actions.answer(turn, None, button.pack())
        except TimeoutError:
            return too_slow(getattr(button, "then", ""))
        if isinstance(answer, ShowCard):
            return answer.card
        if turn.shown:
            return leading_back(turn.shown[-1], getattr(button, "then", ""))
        return payload(note(NoteView("", answer.sentence or gettext("Done."))))

    async def _again(self, turn: Turn, button: Button | None, sentence: str) -> Card | None:
        """The card whose button it was, with the sentence above; None if that would lose values."""
        try:
            async with asyncio.timeout(_AGAIN_S):
                if isinstance(button, _OF_TEXTS):
                    form = await self._texts.again(turn, button, sentence)
                elif isinstance(button, buttons.ChooseKind | buttons.ReviewNotice):
                    form = await self._notices.again(turn, button, sentence)
                else:
                    return await self._before(turn, button, sentence)
        except (HeraldError, TimeoutError):
            return None
        return form.card if _holds(form.card, _values(turn, button)) else None

    async def _before(self, turn: Turn, button: Button | None, sentence: str) -> Card | None:
        """What nothing was typed into: the form of a review, the card of a delivery."""
        if isinstance(button, buttons.DeliveryButton):
            earlier: Button = buttons.LookAgain(button.delivery_id)
        elif isinstance(button, buttons.SendText | buttons.SendNotice):
            earlier = _BACK[type(button)](button.form_id)
        else:
            return None
        quiet = replace(turn, shown=[])
        answer = await self._actions.answer(quiet, None, earlier.pack())
        if isinstance(answer, Say):
            return None
        said = [payload(note(NoteView("", sentence)))] if sentence else []
        return _above(said, answer.card)

    def _kept(self, turn: Turn, button: Button | None, answer: Say) -> Card:
        form = button.verb.partition(".")[0] if button else ""
        return payload(kept(KeptView(answer.sentence, _values(turn, button), form)))


def dialog(card: Card, title: str) -> dict[str, Any]:
    """An invoke's answer that shows a card in the dialog."""
    attachment = {"contentType": CARD_TYPE, "content": for_dialog(card)}
    value = {"title": title, "height": "large", "width": "medium", "card": attachment}
    return {"task": {"type": "continue", "value": value}}


def page(address: str, elsewhere: str) -> dict[str, Any]:
    """An invoke's answer that shows a page of ours; `elsewhere` is opened where dialogs can't."""
    value = {"title": gettext("Sign in"), "height": "medium", "width": "medium", "url": address}
    return {"task": {"type": "continue", "value": {**value, "fallbackUrl": elsewhere}}}


def message(sentence: str) -> dict[str, Any]:
    """An invoke's answer that closes the dialog, or opens none, with a sentence."""
    return {"task": {"type": "message", "value": sentence}}


def too_slow(then: str) -> Card:
    """Entra or Graph did not answer while the dialog waited; `then` is what is tried again."""
    sentence = EntraUnavailable().sentence
    title = gettext("That took too long")
    return payload(note(NoteView(title, sentence, "problem", try_again=then)))


def _values(turn: Turn, button: Button | None) -> dict[str, str]:
    """What was typed: all that the card's own data did not bring along."""
    own = {"verb", "msteams", BACK, *(f.name for f in fields(button or Button))}
    return {name: value for name, value in entered(turn.value).items() if name not in own}


def _holds(card: Card, values: Mapping[str, str]) -> bool:
    """Whether every input of the card that was filled in still holds all of its value."""
    return all(_is_whole(part, values.get(part["id"], "")) for part in _inputs(card))


def _is_whole(part: Mapping[str, Any], value: str) -> bool:
    shows = str(part.get("value", ""))
    if part["type"] == "Input.Text":
        return shows == as_kept(value, LONGEST_VALUE)[0]
    return not part.get("isMultiSelect") or set(value.split(",")) <= {"", *shows.split(",")}


def _inputs(found: Any) -> "list[dict[str, Any]]":
    if isinstance(found, list):
        return [part for item in found for part in _inputs(item)]
    if not isinstance(found, Mapping):
        return []
    if str(found.get("type", "")).startswith("Input.") and "id" in found:
        return [dict(found)]
    return [part for name in ("body", "items", "columns") for part in _inputs(found.get(name))]


def _closing(card: Card, said: str = "", back: str = "") -> Card:
    """The same card with a sentence at its end, and a last button that closes the dialog.

    `back` is the command of the list that it was opened from: before the last a button leads there.
    """
    card = leading_back(card, back)
    body, actions = list(card["body"]), list(card.get("actions") or [])
    close = {
        "type": "Action.Submit",
        "title": gettext("Close"),
        "data": CloseDialog().pack(),
        "associatedInputs": "none",
    }
    if said:
        body.append({"type": "TextBlock", "text": said, "wrap": True, "isSubtle": True})
    last = [back_button(back), close] if back else [close]
    if len(actions) + len(last) <= _MOST_BUTTONS:
        return {**card, "body": body, "actions": [*actions, *last]}
    return {**card, "body": [*body, {"type": "ActionSet", "actions": last}]}


def _above(cards: Sequence[Card], below: Card) -> Card:
    """One card of several: those above with their buttons, then the one below with its own."""
    parts: list[Any] = []
    for card in cards:
        actions = card.get("actions") or []
        buttons_of_it = [{"type": "ActionSet", "actions": actions}] if actions else []
        parts += [{"type": "Container", "items": [*card["body"], *buttons_of_it]}]
    return {**below, "body": [*parts, *below["body"]]}
