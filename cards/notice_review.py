"""A notification as it was read, before it is sent."""

from dataclasses import dataclass

from bot.words import gettext, listed
from cards.blocks import aside, bullets, facts, heading, people, section, sentence
from cards.buttons import EditNotice, SendNotice
from cards.elements import (
    AdaptiveCard,
    Element,
    card,
    clean,
    container,
    execute,
    fitted,
    rich_text,
    run,
)
from cards.plain import plain
from cards.when import departure, please_check, send_title, unused


@dataclass(frozen=True)
class NoticeReviewView:
    """What will be sent to whom, and who is left out and why."""

    form_id: str
    sender: str  # the actor's name, as the feed shows it
    text: str  # the template, filled in, as the feed shows it
    preview: str
    topic: str  # where it leads, in words
    link: str
    recipients: tuple[str, ...]  # names or addresses, at most 20 of them
    recipient_count: int
    left_out: tuple[str, ...] = ()  # sentences: "You: nobody can notify himself or herself."
    estimate: str = ""  # "About 3 seconds" at Graph's rate
    draft_id: str = "draft"
    notes: tuple[str, ...] = ()
    leaves: str = ""  # "Tue, Dec 1, 9:00 AM, Pacific time"; empty for now
    everyone: str = ""  # "everyone in Care team", who are reached at once and not counted
    unused: tuple[str, ...] = ()  # sentences: what was filled in, but does not count


def notice_review(view: NoticeReviewView) -> AdaptiveCard:
    """The notice as a feed shows it, who gets it, and the button that sends it."""
    return fitted(lambda room: _card(view, 1 + int(14 * room)))


def _card(view: NoticeReviewView, at_most: int) -> AdaptiveCard:
    whom = clean(view.everyone, 120) or people(view.recipient_count)
    told = gettext("{text}, to {whom}.", text=view.text, whom=whom)
    send = SendNotice(view.form_id, view.draft_id)
    return card(
        [
            heading(gettext("Is everything right?")),
            aside(gettext("This is what they read in their activity feeds:")),
            _feed(view),
            *facts(
                [
                    (gettext("Leads to"), view.topic),
                    (gettext("Link"), view.link),
                    (gettext("Takes"), view.estimate),
                ]
            ),
            section(gettext("Goes to {whom}", whom=plain(whom, 120))),
            *([sentence(_named(view), limit=2_000)] if view.recipients else []),
            *_left_out(view.left_out, at_most),
            *bullets(view.notes, at_most=6),
            *departure(view.leaves, gettext("It can't be taken back once it is sent.")),
            *unused(view.unused),
        ],
        [
            execute(send_title(view.leaves, whom), send, main=True),
            execute(gettext("Change something"), EditNotice(view.form_id)),
        ],
        summary=f"{told} {please_check(view.leaves)}",
    )


def _feed(view: NoticeReviewView) -> Element:
    words = [rich_text(*_told(view))]
    if view.preview:
        words.append(rich_text(run(view.preview, isSubtle=True), spacing="small"))
    return container(*words, style="emphasis", spacing="small")


def _told(view: NoticeReviewView) -> list[Element]:
    """The words of the feed; the sender's name, where they begin with it, stands out."""
    if view.sender and view.text.startswith(view.sender):
        return [run(view.sender, weight="bolder"), run(view.text[len(view.sender) :])]
    return [run(view.text)]


def _named(view: NoticeReviewView) -> str:
    names = [clean(name, 80) for name in view.recipients]
    return listed(names, besides=view.recipient_count - len(names))


def _left_out(left_out: tuple[str, ...], at_most: int) -> list[Element]:
    if not left_out:
        return []
    return [section(gettext("Left out")), *bullets(left_out, at_most=at_most)]
