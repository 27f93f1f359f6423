"""What a search puts into a conversation: how a delivery or an appointment stood, for everyone.

Whoever is in that conversation reads it: no attendee, and of an appointment text neither whom nor
what it is about. A notice's own words stand there, as its author wrote them, with phone numbers cut
to their last four digits. The details open for their owner alone.
"""

from dataclasses import dataclass

from bot.words import gettext, pgettext, written
from cards.blocks import aside, banner, facts, heading, people, quoted
from cards.buttons import NOTHING_KEPT, OpenDialog, ShowDetails
from cards.delivery_view import DeliveryState
from cards.delivery_words import HEADLINES, for_others, named
from cards.elements import AdaptiveCard, card, opens_dialog, plain, run, spoken

_PREVIEW = "application/vnd.microsoft.card.thumbnail"
_NO_TAGS = str.maketrans("<>", "‹›")


@dataclass(frozen=True)
class DeliveryInsertView:
    """A delivery for everyone. `words` are what a notice says in the feeds; a text has none."""

    delivery_id: str
    title: str  # "Confirmation text", "Notification"
    state: DeliveryState
    total: int  # people
    accepted: int
    as_of: str  # when it was so, in the owner's zone
    leaves_at: str = ""
    words: str = ""
    preview: str = ""
    is_for_a_group: bool = False  # whose number nobody knows


@dataclass(frozen=True)
class AppointmentInsertView:
    """An appointment for everyone: when it is, and nothing of what it is about."""

    when: str
    as_of: str
    is_cancelled: bool = False


def delivery_insert(view: DeliveryInsertView) -> AdaptiveCard:
    """How many people, and what is known. A button opens the rest for its owner."""
    tone, symbol, _ = HEADLINES[view.state]
    words = for_others(view.state, named(view.state))
    as_of = gettext("As of {when}.", when=plain(view.as_of, 80))
    details = gettext("Only the person who sent it sees the details.")
    said = [quoted(run(view.words))] if view.words else []
    more = [quoted(run(view.preview))] if view.preview and view.preview != view.words else []
    return card(
        [
            heading(plain(view.title, 80)),
            banner(tone, symbol, words),
            *said,
            *more,
            *facts(
                [
                    (gettext("For"), _whom(view)),
                    (gettext("Accepted"), _accepted(view)),
                    (gettext("Leaves"), view.leaves_at),
                ]
            ),
            aside(f"{as_of} {details}"),
        ],
        [opens_dialog(gettext("Show the details"), ShowDetails(view.delivery_id))],
        summary=gettext(
            "{title}: {state}, as of {when}.", title=view.title, state=words, when=view.as_of
        ),
    )


def _whom(view: DeliveryInsertView) -> str:
    if view.is_for_a_group:
        return gettext("Everyone of a chat, channel or team")
    return people(view.total)


def _accepted(view: DeliveryInsertView) -> str:
    if view.total < 2 or view.is_for_a_group:
        return ""
    of, number = written(view.total), written(view.accepted)
    return gettext("{number} of {total}", number=number, total=of)


def appointment_insert(view: AppointmentInsertView) -> AdaptiveCard:
    """When it is. A button opens a form for texting the people of one's own appointments."""
    state = gettext("In the calendar")
    if view.is_cancelled:
        state = pgettext("appointment", "Cancelled")
    as_of = gettext("As of {when}.", when=plain(view.as_of, 80))
    organizer = gettext("Only its organizer can text its people.")
    return card(
        [
            heading(gettext("Virtual appointment")),
            *facts([(gettext("When"), view.when), (gettext("State"), state)]),
            aside(f"{as_of} {organizer}"),
        ],
        [opens_dialog(gettext("Text an appointment"), OpenDialog("text", NOTHING_KEPT))],
        summary=gettext("A virtual appointment, {when}. {state}.", when=view.when, state=state),
    )


def preview(title: str, *lines: str) -> dict[str, object]:
    """One result as the list shows it, to the person who searches alone.

    Teams reads these words as a little HTML: there are no tags in them.
    """
    shown = [spoken(line.translate(_NO_TAGS), 160) for line in lines if line]
    content = {"title": spoken(title.translate(_NO_TAGS), 100), "text": " · ".join(shown)}
    return {"contentType": _PREVIEW, "content": content}
