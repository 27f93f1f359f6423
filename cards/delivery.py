"""One delivery as the ledger knows it: its schedule, its progress, and at last its receipt."""

from bot.words import gettext, listed
from cards.blocks import (
    and_more,
    aside,
    banner,
    bullets,
    facts,
    for_support,
    heading,
    section,
    sentence,
)
from cards.buttons import ChangeTime
from cards.delivery_actions import actions
from cards.delivery_counts import counts
from cards.delivery_view import DeliveryState, DeliveryView, Problem
from cards.delivery_words import account, called, headline
from cards.elements import (
    ActionSet,
    AdaptiveCard,
    Element,
    card,
    container,
    execute,
    fitted,
    plain,
    rich_text,
    run,
)
from cards.fields import Fields
from cards.when import day_and_time

__all__ = ["DeliveryState", "DeliveryView", "Problem", "delivery_card"]


def delivery_card(view: DeliveryView) -> AdaptiveCard:
    """What is known, in a second: the state in words first, then how many, then the rest."""
    return fitted(lambda room: _card(view, room))


def _card(view: DeliveryView, room: float) -> AdaptiveCard:
    tone, symbol, words = headline(view)
    return card(
        [
            heading(plain(view.title, 80)),
            banner(tone, symbol, words, sentence(account(view))),
            *_changed(view),
            *counts(view),
            *_cancelled(view.cancelled_note),
            *facts(
                [
                    (gettext("About"), view.about),
                    (gettext("To"), _whom(view)),
                    (gettext("Sent"), view.sent_at),
                    (gettext("Still to go"), view.estimate if view.waiting else ""),
                    (gettext("Corrects"), called(view.corrects) if view.corrects else ""),
                    (
                        gettext("Followed by"),
                        called(view.followed_by) if view.followed_by else "",
                    ),
                ]
            ),
            *_problems(view, 1 + int(7 * room)),
            *_decisions(view),
            *_left_out(view.left_out, 1 + int(14 * room)),
            *_another_time(view, Fields(view.values, view.errors, room)),
            aside(called(plain(view.short_id, 20))),
        ],
        actions(view),
        summary=f"{view.title}: {words}. {account(view)}",
    )


def _whom(view: DeliveryView) -> str:
    if not view.people:
        return view.whom(view.total)
    return listed(view.people, besides=view.total - len(view.people))


def _cancelled(note: str) -> list[Element]:
    if not note:
        return []
    return [container(rich_text(run(f"🚫 {note}", limit=600)), style="emphasis", spacing="small")]


def _changed(view: DeliveryView) -> list[Element]:
    if not view.changed:
        return []
    told = gettext("What people were told is no longer right.")
    return [banner("warning", "⚠️", gettext("It has changed"), sentence(f"{view.changed} {told}"))]


def _problems(view: DeliveryView, at_most: int) -> list[Element]:
    if not view.problems:
        return []
    rest = len(view.problems) - at_most
    why = gettext("Why it waits") if view.state == "held" else gettext("What went wrong")
    return [
        section(why),
        *(_problem(problem) for problem in view.problems[:at_most]),
        *([aside(and_more(rest))] if rest > 0 else []),
    ]


def _problem(problem: Problem) -> Element:
    lines = [rich_text(run(problem.what, weight="bolder"))]
    if problem.who:
        lines.append(rich_text(run(problem.who), spacing="small"))
    if problem.advice:
        lines.append(rich_text(run(f"→ {problem.advice}"), spacing="small"))
    if problem.reference:
        reference = run(for_support(problem.reference), size="small", isSubtle=True)
        lines.append(rich_text(reference, spacing="small"))
    return container(*lines, style="emphasis", spacing="small")


def _left_out(left_out: tuple[str, ...], at_most: int) -> list[Element]:
    if not left_out:
        return []
    return [section(gettext("Left out")), *bullets(left_out, at_most=at_most)]


def _decisions(view: DeliveryView) -> list[Element]:
    """What the less obvious buttons do."""
    lines: list[str] = []
    if view.is_shared:
        seen = gettext("Only you see this. For all others it has no names and no words.")
        return [aside(seen)]
    if view.can_decide:
        arrived = gettext("If they have it, press “It arrived”.")
        twice = gettext("If not, or if you can't ask, “Send again” may give them the text twice.")
        lines.append(arrived if view.followed_by else f"{arrived} {twice}")
    if view.can_separate:
        lines.append(
            gettext("“Send to each separately”: then one number can't stop it for the others.")
        )
    if not lines:
        return []
    return [section(gettext("What you can do")), *(sentence(line) for line in lines)]


def _another_time(view: DeliveryView, fields: Fields) -> list[Element]:
    """On the card itself: in a dialog there is no card that unfolds."""
    if not view.can_change_time or view.is_shared:
        return []
    change = execute(gettext("Change the time"), ChangeTime(view.delivery_id), inputs=True)
    return [
        section(gettext("Another time")),
        day_and_time(fields, view.zone_name, view.earliest, view.latest),
        *fields.closing(),
        ActionSet(actions=[change]),
    ]
