"""One delivery as the ledger knows it: its progress, and at last its receipt."""

from cards.blocks import Tone, aside, banner, bullets, facts, heading, people, section, sentence
from cards.buttons import ChangeAndSend, LookAgain, SignIn
from cards.delivery_view import DeliveryState, DeliveryView, Problem
from cards.elements import (
    AdaptiveCard,
    Element,
    card,
    column,
    columns,
    container,
    execute,
    fitted,
    plain,
    rich_text,
    run,
    text_block,
)

__all__ = ["DeliveryState", "DeliveryView", "Problem", "delivery_card"]

_HEADLINES: dict[DeliveryState, tuple[Tone, str, str]] = {
    "scheduled": ("accent", "🕒", "Scheduled"),
    "waiting": ("accent", "⏳", "Being sent"),
    "accepted": ("good", "✅", "Accepted by Microsoft"),
    "refused": ("attention", "❌", "Not accepted"),
    "unknown": ("warning", "❓", "Nobody can tell whether it was sent"),
    "mixed": ("warning", "⚠️", "Accepted in part"),
    "needs_sign_in": ("warning", "🔑", "Waiting until you sign in"),
    "held": ("warning", "⏸️", "Waiting for your decision"),
    "cancelled": ("emphasis", "🚫", "Cancelled"),
}
_OPEN = frozenset({"waiting", "unknown", "mixed", "needs_sign_in", "held", "scheduled"})


def delivery_card(view: DeliveryView) -> AdaptiveCard:
    """What is known, in a second: the state in words first, then how many, then the rest."""
    return fitted(lambda room: _card(view, room))


def _card(view: DeliveryView, room: float) -> AdaptiveCard:
    tone, symbol, words = _HEADLINES[view.state]
    return card(
        [
            heading(plain(view.title, 80)),
            banner(tone, symbol, words, sentence(_account(view))),
            *_counts(view),
            *facts(
                [
                    ("About", view.about),
                    ("To", _whom(view)),
                    ("Sent", view.sent_at),
                    ("Still to go", view.estimate if view.waiting else ""),
                ]
            ),
            *_problems(view.problems, 1 + int(7 * room)),
            *_left_out(view.left_out, 1 + int(14 * room)),
            aside(f"Delivery {plain(view.short_id, 20)}"),
        ],
        _actions(view),
        summary=f"{view.title}: {words}. {_account(view)}",
    )


def _account(view: DeliveryView) -> str:
    """The state in a sentence or two. It never says 'delivered': Microsoft doesn't tell."""
    sentences = [_ACCOUNTS[view.state](view)]
    if view.repeated:
        sentences.insert(0, "This form was sent before. Nothing was sent again.")
    return " ".join(sentences)


def _accepted(view: DeliveryView) -> str:
    if view.kind == "text":
        return f"Microsoft took the text for {people(view.accepted)}. It does not report arrival."
    return (
        f"Microsoft took the notification for {people(view.accepted)}. "
        "It does not report who has seen it."
    )


def _refused(view: DeliveryView) -> str:
    return f"Microsoft did not take it. None of the {people(view.refused)} gets it."


def _unknown(view: DeliveryView) -> str:
    whom = people(view.unknown)
    if view.kind == "text":
        return (
            f"The connection broke before an answer came. {whom} may have the text, or not. "
            "Herald does not send it again by itself. Ask one of them first."
        )
    return f"The connection broke before an answer came. {whom} may have it, or not."


def _mixed(view: DeliveryView) -> str:
    return (
        f"Microsoft took it for {view.accepted:,} of {people(view.total)}. See below for the rest."
    )


def _waiting(view: DeliveryView) -> str:
    if view.total == view.waiting:
        return f"{people(view.total)} to go."
    return f"{view.total - view.waiting:,} of {people(view.total)} done."


def _needs_sign_in(view: DeliveryView) -> str:
    return f"Nothing is lost. {people(view.waiting)} to go as soon as you are signed in."


def _held(view: DeliveryView) -> str:
    return f"Herald stopped before sending, and waits for you. {people(view.waiting)} to go."


def _scheduled(view: DeliveryView) -> str:
    leaves = f"It leaves on {view.leaves_at}." if view.leaves_at else "It leaves later."
    return f"{leaves} Nothing has been sent yet."


def _cancelled(view: DeliveryView) -> str:
    return f"Nothing was sent. None of the {people(view.cancelled)} gets it."


_ACCOUNTS = {
    "scheduled": _scheduled,
    "waiting": _waiting,
    "accepted": _accepted,
    "refused": _refused,
    "unknown": _unknown,
    "mixed": _mixed,
    "needs_sign_in": _needs_sign_in,
    "held": _held,
    "cancelled": _cancelled,
}


def _counts(view: DeliveryView) -> list[Element]:
    """The counts side by side, unless there is only one, which the sentence tells."""
    all_of_them: list[tuple[Tone, str, int, str]] = [
        ("good", "✅", view.accepted, "accepted"),
        ("attention", "❌", view.refused, "refused"),
        ("warning", "❓", view.unknown, "unknown"),
        ("accent", "⏳", view.waiting, "to go"),
        ("emphasis", "🚫", view.cancelled, "cancelled"),
    ]
    counts = [entry for entry in all_of_them if entry[2]]
    if len(counts) < 2:
        return []
    # While it goes on, two are a bar of progress: as wide as they are many. More stand in pairs,
    # so that a phone has room for their words.
    share = 100 / view.total if view.waiting and len(counts) == 2 else 0
    widths = [str(max(25, round(entry[2] * share))) if share else "stretch" for entry in counts]
    tiles = [_tile(*entry, width) for entry, width in zip(counts, widths, strict=True)]
    return [columns(*tiles[at : at + 2], spacing="small") for at in range(0, len(tiles), 2)]


def _tile(tone: Tone, symbol: str, number: int, word: str, width: str) -> Element:
    return column(
        text_block(f"{number:,}", size="large", weight="bolder", horizontalAlignment="center"),
        text_block(f"{symbol} {word}", horizontalAlignment="center", spacing="none"),
        width=width,
        style=tone,
        spacing="small",
    )


def _whom(view: DeliveryView) -> str:
    rest = view.total - len(view.people)
    if not view.people:
        return people(view.total)
    named = ", ".join(view.people)
    return f"{named} and {rest:,} more" if rest > 0 else named


def _problems(problems: tuple[Problem, ...], at_most: int) -> list[Element]:
    if not problems:
        return []
    rest = len(problems) - at_most
    return [
        section("What went wrong"),
        *(_problem(problem) for problem in problems[:at_most]),
        *([aside(f"… and {rest:,} more")] if rest > 0 else []),
    ]


def _problem(problem: Problem) -> Element:
    lines = [rich_text(run(problem.what, weight="bolder"))]
    if problem.who:
        lines.append(rich_text(run(problem.who), spacing="small"))
    if problem.advice:
        lines.append(rich_text(run(f"→ {problem.advice}"), spacing="small"))
    if problem.reference:
        reference = f"For support: {problem.reference}"
        lines.append(rich_text(run(reference, size="small", isSubtle=True), spacing="small"))
    return container(*lines, style="emphasis", spacing="small")


def _left_out(left_out: tuple[str, ...], at_most: int) -> list[Element]:
    if not left_out:
        return []
    return [section("Left out"), *bullets(left_out, at_most=at_most)]


def _actions(view: DeliveryView) -> list[Element]:
    actions: list[Element] = []
    if view.state == "needs_sign_in":
        actions.append(execute("Sign in", SignIn("signin"), main=True))
    if view.state in _OPEN:
        actions.append(execute("Look again", LookAgain(view.delivery_id)))
    if view.can_change:
        actions.append(execute("Change and send again", ChangeAndSend(view.delivery_id)))
    return actions
