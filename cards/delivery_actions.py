"""What can be done about a delivery: the most useful first, and no more than Teams shows."""

from collections.abc import Iterator
from itertools import islice

from bot.words import gettext, marked
from cards.buttons import (
    Arrived,
    CancelRest,
    ChangeAndSend,
    Correct,
    FollowUp,
    LookAgain,
    RetryRefused,
    SaveResults,
    SendAgain,
    SendNow,
    SendSeparately,
    ShowDetails,
    SignIn,
)
from cards.delivery_view import DeliveryView
from cards.elements import Element, execute, opens_dialog

_MOST = 6  # Teams drops further ones
_NOT_SETTLED = frozenset({"scheduled", "waiting", "unknown", "mixed", "needs_sign_in", "held"})
_FOLLOW_UPS = {
    "reschedule": marked("Send a new time"),
    "cancellation": marked("Send a cancellation"),
    "reminder": marked("Send a reminder"),
}
_CHANGES = {
    "reschedule": marked("Text that it was moved"),
    "cancellation": marked("Text that it was cancelled"),
}


def actions(view: DeliveryView) -> list[Element]:
    """The buttons under the card."""
    return list(islice(_all(view), _MOST))


def _all(view: DeliveryView) -> Iterator[Element]:
    if view.state == "needs_sign_in":
        yield execute(gettext("Sign in"), SignIn("signin"), main=True)
    if view.is_shared:
        yield opens_dialog(gettext("Show details"), ShowDetails(view.delivery_id))
        return
    if view.change_tells in _CHANGES:
        button = FollowUp(view.delivery_id, view.change_tells)
        yield execute(gettext(_CHANGES[view.change_tells]), button, main=True)
    yield from _decisions(view)
    if view.can_cancel:
        yield execute(_cancel(view), CancelRest(view.delivery_id))
    if view.can_send_now and view.state != "held":
        # Not the first: a text that leaves by mistake can't be called back.
        yield execute(gettext("Send now"), SendNow(view.delivery_id))
    for message_type in view.follow_ups:
        if message_type in _FOLLOW_UPS and message_type != view.change_tells:
            button = FollowUp(view.delivery_id, message_type)
            yield execute(gettext(_FOLLOW_UPS[message_type]), button)
    if view.can_correct:
        words = gettext("Correct it: New words, which replace these in their feeds")
        yield execute(gettext("Correct it"), Correct(view.delivery_id), tooltip=words)
    looks = view.state in _NOT_SETTLED and not (view.can_decide or view.can_send_now)
    # An accepted text is looked at again for what became of its appointment.
    if looks or set(_FOLLOW_UPS) & set(view.follow_ups):
        yield execute(gettext("Look again"), LookAgain(view.delivery_id))
    if view.can_change and not _waits(view):
        yield execute(gettext("Change and send again"), ChangeAndSend(view.delivery_id))
    if view.can_export:
        yield execute(gettext("Save the results"), SaveResults(view.delivery_id))


def _decisions(view: DeliveryView) -> Iterator[Element]:
    """What only the owner can decide."""
    if view.can_decide:
        yield execute(gettext("It arrived"), Arrived(view.delivery_id, view.seen))
        if not view.followed_by:
            yield execute(gettext("Send again"), SendAgain(view.delivery_id, view.seen))
    if view.can_retry:
        yield execute(gettext("Retry what was refused"), RetryRefused(view.delivery_id, view.seen))
    if view.can_separate:
        yield execute(gettext("Send to each separately"), SendSeparately(view.delivery_id))
    if view.can_send_now and view.state == "held":
        yield execute(gettext("Send it anyway"), SendNow(view.delivery_id))
    if view.can_change and _waits(view):
        yield execute(gettext("Change it"), ChangeAndSend(view.delivery_id))


def _waits(view: DeliveryView) -> bool:
    return view.state in {"held", "scheduled"}


def _cancel(view: DeliveryView) -> str:
    if _waits(view) and view.waiting == view.total:
        return gettext("Cancel it")
    return gettext("Cancel the rest")
