"""What is known of a delivery, in words: never 'delivered', because Microsoft doesn't tell."""

from cards.blocks import Tone
from cards.delivery_view import DeliveryState, DeliveryView

HEADLINES: dict[DeliveryState, tuple[Tone, str, str]] = {
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


def headline(view: DeliveryView) -> tuple[Tone, str, str]:
    """The state's colour, sign and words."""
    if view.state == "mixed" and not view.accepted:
        return "warning", "⚠️", "Nobody can tell for some" if view.unknown else "Not accepted"
    return HEADLINES[view.state]


def account(view: DeliveryView) -> str:
    """The state in a sentence or two."""
    sentences = [_ACCOUNTS[view.state](view)]
    if view.repeated:
        sentences.insert(0, "This form was sent before. Nothing was sent again.")
    return " ".join(sentences)


def _accepted(view: DeliveryView) -> str:
    if view.kind == "text":
        return (
            f"Microsoft took the text for {view.whom(view.accepted)}. It does not report arrival."
        )
    return (
        f"Microsoft took the notification for {view.whom(view.accepted)}. "
        "It does not report who has seen it."
    )


def _refused(view: DeliveryView) -> str:
    return f"Microsoft did not take it. {_nobody(view, view.refused)}"


def _nobody(view: DeliveryView, number: int) -> str:
    return f"None of the {view.whom(number)} gets it." if number > 1 else "Nobody gets it."


def _first(words: str) -> str:
    """The words as a sentence begins."""
    return words[:1].upper() + words[1:]


def _unknown(view: DeliveryView) -> str:
    whom = view.whom(view.unknown)
    if view.kind == "text":
        return (
            f"The connection broke before an answer came. {whom} may have the text, or not. "
            "Herald does not send it again by itself. "
            f"Ask {'one of them' if view.unknown > 1 else 'them'} first."
        )
    return f"The connection broke before an answer came. {_first(whom)} may have it, or not."


def _mixed(view: DeliveryView) -> str:
    if not view.accepted and view.unknown:
        rest = view.whom(view.total - view.unknown)
        return f"{view.whom(view.unknown)} may have it, or not. {rest} surely not."
    if not view.accepted:
        return _nobody(view, view.total)
    whom = view.whom(view.total)
    return f"Microsoft took it for {view.accepted:,} of {whom}. See below for the rest."


def _waiting(view: DeliveryView) -> str:
    if view.total == view.waiting:
        return f"{_first(view.whom(view.total))} to go."
    done = view.total - view.waiting
    return f"{done:,} of {view.whom(view.total)} done ({100 * done // view.total} %)."


def _needs_sign_in(view: DeliveryView) -> str:
    return f"Nothing is lost. {_first(view.whom(view.waiting))} to go as soon as you are signed in."


def _held(view: DeliveryView) -> str:
    whom = _first(view.whom(view.waiting))
    return f"Herald stopped before sending, and waits for you. {whom} to go."


def _scheduled(view: DeliveryView) -> str:
    leaves = f"It leaves on {view.leaves_at}." if view.leaves_at else "It leaves later."
    if view.kind == "text":
        again = "Just before, Herald reads the appointment again and asks you if it has changed."
        return f"{leaves} {again}"
    return f"{leaves} Nothing has been sent yet."


def _cancelled(view: DeliveryView) -> str:
    return f"Nothing was sent. {_nobody(view, view.cancelled)}"


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
