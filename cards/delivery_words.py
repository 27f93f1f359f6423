"""What is known of a delivery, in words: never 'delivered', because Microsoft doesn't tell."""

from collections.abc import Mapping

from bot.words import gettext, marked, ngettext, written
from cards.blocks import Tone
from cards.delivery_view import DeliveryState, DeliveryView

HEADLINES: dict[DeliveryState, tuple[Tone, str, str]] = {
    "scheduled": ("accent", "🕒", marked("Scheduled")),
    "waiting": ("accent", "⏳", marked("Being sent")),
    "accepted": ("good", "✅", marked("Accepted by Microsoft")),
    "arrived": ("good", "✅", marked("Arrived, as you said")),
    "refused": ("attention", "❌", marked("Not accepted")),
    "unknown": ("warning", "❓", marked("Nobody can tell whether it was sent")),
    "mixed": ("warning", "⚠️", marked("Accepted in part")),
    "needs_sign_in": ("warning", "🔑", marked("Waiting until you sign in")),
    "held": ("warning", "⏸️", marked("Waiting for your decision")),
    "cancelled": ("emphasis", "🚫", marked("Cancelled")),
}
_WAITING_FOR_OWNER = frozenset({"needs_sign_in", "held"})
_FOR_OTHERS: Mapping[DeliveryState, str] = {
    "arrived": marked("Arrived, as its sender said"),
    "needs_sign_in": marked("Waiting for a sign-in"),
    "held": marked("Waiting for a decision"),
}


def named(state: DeliveryState) -> str:
    """A state in words, to the one who sent it."""
    return gettext(HEADLINES[state][2])


def waits_for_its_owner(state: DeliveryState) -> bool:
    """Whether nothing goes on until whoever sent it does something."""
    return state in _WAITING_FOR_OWNER


def for_others(state: DeliveryState, own: str) -> str:
    """What others read where its owner reads `own`: they said nothing, and can't decide."""
    return gettext(_FOR_OTHERS[state]) if state in _FOR_OTHERS else own


def headline(view: DeliveryView) -> tuple[Tone, str, str]:
    """The state's colour, sign and words."""
    if view.state == "mixed" and not view.accepted:
        return "warning", "⚠️", _in_part(view)
    tone, symbol, words = HEADLINES[view.state]
    return tone, symbol, gettext(words)


def _in_part(view: DeliveryView) -> str:
    if view.unknown:
        return gettext("Nobody can tell for some")
    return gettext("Arrived in part") if view.arrived else gettext("Not accepted")


def called(short_id: str) -> str:
    """A delivery by the name that `status <id>` takes."""
    return gettext("Delivery {id}", id=short_id)


def account(view: DeliveryView) -> str:
    """The state in a sentence or two."""
    sentences = _ACCOUNTS[view.state](view)
    if view.repeated:
        sentences.insert(0, gettext("This form was sent before. Nothing was sent again."))
    return " ".join(sentences)


def _accepted(view: DeliveryView) -> list[str]:
    whom = view.whom(view.accepted)
    if view.kind == "text":
        return [
            gettext("Microsoft took the text for {whom}.", whom=whom),
            gettext("It does not report arrival."),
        ]
    return [
        gettext("Microsoft took the notification for {whom}.", whom=whom),
        gettext("It does not report who has seen it."),
    ]


def _refused(view: DeliveryView) -> list[str]:
    refused = gettext("Microsoft did not take it.")
    return [gettext("Nothing was sent.") if view.never_left else refused, _nobody(view.refused)]


def _nobody(number: int) -> str:
    return ngettext("Nobody gets it.", "None of the {number} people gets it.", max(1, number))


def _first(words: str) -> str:
    """The words as a sentence begins."""
    return words[:1].upper() + words[1:]


def _unknown(view: DeliveryView) -> list[str]:
    whom = view.whom(view.unknown)
    why = view.doubt or gettext("No clear answer came.")
    if view.kind == "text":
        return [
            why,
            _first(gettext("{whom} may have the text, or not.", whom=whom)),
            gettext("Herald does not send it again by itself."),
            ngettext("Ask them first.", "Ask one of them first.", view.unknown),
        ]
    return [why, _maybe(whom)]


def _maybe(whom: str) -> str:
    return _first(gettext("{whom} may have it, or not.", whom=whom))


def _arrived(view: DeliveryView) -> list[str]:
    return [_said_to(view), gettext("Microsoft did not say so.")]


def _said_to(view: DeliveryView) -> str:
    return ngettext(
        "You said that it arrived for one person.",
        "You said that it arrived for {number} people.",
        view.arrived,
    )


def _mixed(view: DeliveryView) -> list[str]:
    if view.arrived:
        return _arrived_in_part(view)
    if not view.accepted and view.unknown:
        rest = view.whom(view.total - view.unknown)
        return [_maybe(view.whom(view.unknown)), gettext("{whom} surely not.", whom=rest)]
    if not view.accepted:
        return [_nobody(view.total)]
    return [_took(view), gettext("See below for the rest.")]


def _arrived_in_part(view: DeliveryView) -> list[str]:
    taken = [_took(view)] if view.accepted else []
    is_all = view.accepted + view.arrived == view.total
    rest = [] if is_all else [gettext("See below for the rest.")]
    return [*taken, _said_to(view), *rest]


def _took(view: DeliveryView) -> str:
    number, whom = written(view.accepted), view.whom(view.total)
    return gettext("Microsoft took it for {number} of {whom}.", number=number, whom=whom)


def _waiting(view: DeliveryView) -> list[str]:
    if view.recalled:
        too_late = ngettext(
            "One request was already on its way, and can't be called back.",
            "{number} requests were already on their way, and can't be called back.",
            view.recalled,
        )
        return [too_late, to_go(view.whom(view.waiting))]
    if view.total == view.waiting:
        return [to_go(view.whom(view.total))]
    done = view.total - view.waiting
    return [
        gettext(
            "{number} of {whom} done ({percent} %).",
            number=written(done),
            whom=view.whom(view.total),
            percent=100 * done // view.total,
        )
    ]


def to_go(whom: str) -> str:
    """For whom nothing has left yet."""
    return _first(gettext("{whom} to go.", whom=whom))


def _needs_sign_in(view: DeliveryView) -> list[str]:
    whom = view.whom(view.waiting)
    return [
        gettext("Nothing is lost."),
        _first(gettext("{whom} to go as soon as you are signed in.", whom=whom)),
    ]


def _held(view: DeliveryView) -> list[str]:
    stopped = gettext("Herald stopped before sending, and waits for you.")
    return [stopped, to_go(view.whom(view.waiting))]


def _scheduled(view: DeliveryView) -> list[str]:
    leaves = gettext("It leaves later.")
    if view.leaves_at:
        leaves = gettext("It leaves on {day}.", day=view.leaves_at)
    if view.kind == "notice":
        return [leaves, gettext("Nothing has been sent yet.")]
    return [
        leaves,
        gettext("Just before, Herald reads the appointment again and asks you if it has changed."),
    ]


def _cancelled(view: DeliveryView) -> list[str]:
    return [gettext("Nothing was sent."), _nobody(view.cancelled)]


_ACCOUNTS = {
    "scheduled": _scheduled,
    "waiting": _waiting,
    "accepted": _accepted,
    "arrived": _arrived,
    "refused": _refused,
    "unknown": _unknown,
    "mixed": _mixed,
    "needs_sign_in": _needs_sign_in,
    "held": _held,
    "cancelled": _cancelled,
}
