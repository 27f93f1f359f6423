"""What a button carries: a verb and ids, never facts. What it means is read from the ledger.

A button packs itself into an action's `data` and unpacks itself from what comes back. What comes
back is hostile: `read` gives a button or None, never an exception.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self

_ID = re.compile(r"[A-Za-z0-9_.~-]{1,120}")
_KNOWN: "dict[str, type[Button]]" = {}
FOLLOW_UPS = ("reschedule", "cancellation", "reminder")  # texts that may follow another


@dataclass(frozen=True)
class Button:
    """A typed payload; a subclass names its verb: `class SendText(FormButton, verb=…)`."""

    verb: ClassVar[str] = ""

    def __init_subclass__(cls, *, verb: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if verb:
            cls.verb = verb
            _KNOWN[verb] = cls

    def pack(self) -> dict[str, Any]:
        """The action's static data: the verb and the ids."""
        return {"verb": self.verb, **asdict(self)}

    @classmethod
    def unpack(cls, data: Mapping[str, Any]) -> Self | None:
        """The button these data name, or None where an id is missing or misshapen."""
        values: dict[str, Any] = {}
        for name, kind in ((f.name, f.type) for f in fields(cls)):
            value = data.get(name)
            if kind in {int, "int"}:
                value = _small_number(value)
            elif not isinstance(value, str) or not _ID.fullmatch(value):
                value = None
            if value is None:
                return None
            values[name] = value
        return cls(**values)


def _small_number(value: object) -> int | None:
    # Real clients send numbers as strings, too.
    if isinstance(value, bool) or not isinstance(value, int | str | float):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    return int(text) if re.fullmatch(r"\d{1,4}", text) else None


def read(verb: object, data: object) -> Button | None:
    """The button that an action carries, or None for an unknown, old or misshapen one."""
    if not isinstance(data, Mapping):
        return None
    name = verb if isinstance(verb, str) and verb else data.get("verb")
    kind = _KNOWN.get(name) if isinstance(name, str) else None
    return kind.unpack(data) if kind else None


@dataclass(frozen=True)
class FormButton(Button):
    """A button of one minted form."""

    form_id: str


@dataclass(frozen=True)
class DeliveryButton(Button):
    """A button of one delivery."""

    delivery_id: str


@dataclass(frozen=True)
class OpenText(Button, verb="text.open"):
    """Open an empty form for an appointment text."""


@dataclass(frozen=True)
class AddAttendee(FormButton, verb="text.add_attendee"):
    """One more row; `rows` says how many the card shows now (layout, not a fact)."""

    rows: int


@dataclass(frozen=True)
class AllowCalendar(FormButton, verb="text.allow_calendar"):
    """Let Herald read the calendar, and show the same form with the meetings in it."""

    rows: int


@dataclass(frozen=True)
class ReviewText(FormButton, verb="text.review"):
    """Check what was entered and show it as it was read."""

    rows: int


@dataclass(frozen=True)
class EditText(FormButton, verb="text.edit"):
    """Back from the review to the form."""


@dataclass(frozen=True)
class SendText(FormButton, verb="text.send"):
    """Send what the review showed: just that draft, whatever was reviewed since."""

    draft_id: str


@dataclass(frozen=True)
class OpenNotice(Button, verb="notice.open"):
    """Open an empty form for a notification."""


@dataclass(frozen=True)
class ChooseKind(FormButton, verb="notice.choose_kind"):
    """Show the inputs of the chosen activity type."""


@dataclass(frozen=True)
class ReviewNotice(FormButton, verb="notice.review"):
    """Check what was entered and show it as it was read."""


@dataclass(frozen=True)
class EditNotice(FormButton, verb="notice.edit"):
    """Back from the review to the form."""


@dataclass(frozen=True)
class SendNotice(FormButton, verb="notice.send"):
    """Send what the review showed: just that draft, whatever was reviewed since."""

    draft_id: str


@dataclass(frozen=True)
class LookAgain(DeliveryButton, verb="delivery.look"):
    """Show the delivery as the ledger knows it now."""


@dataclass(frozen=True)
class ChangeAndSend(DeliveryButton, verb="delivery.change"):
    """A new form with every value of this delivery kept."""


@dataclass(frozen=True)
class Decision(DeliveryButton):
    """An owner's decision about what the card showed.

    `seen` is the time of the newest result on the card, in milliseconds: a decision that was
    carried out once does not count again for what came after it.
    """

    seen: str


@dataclass(frozen=True)
class RetryRefused(Decision, verb="delivery.retry"):
    """Send again to those for whom Graph refused it."""


@dataclass(frozen=True)
class SendSeparately(DeliveryButton, verb="delivery.separate"):
    """Send a refused text again, one request an attendee, so that one cannot fail for all."""


@dataclass(frozen=True)
class Correct(DeliveryButton, verb="delivery.correct"):
    """A new form for a notification that replaces this one in the feeds."""


@dataclass(frozen=True)
class CancelRest(DeliveryButton, verb="delivery.cancel"):
    """Stop what has not left yet."""


@dataclass(frozen=True)
class SendNow(DeliveryButton, verb="delivery.now"):
    """Send what is scheduled, or held, without waiting."""


@dataclass(frozen=True)
class ChangeTime(DeliveryButton, verb="delivery.change_time"):
    """Give what is scheduled another time: the inputs `when_date` and `when_time` come along."""


@dataclass(frozen=True)
class Arrived(Decision, verb="delivery.arrived"):
    """The owner knows that an unknown text arrived."""


@dataclass(frozen=True)
class SendAgain(Decision, verb="delivery.send_again"):
    """The owner wants an unknown text sent again, though it may be the second one."""


@dataclass(frozen=True)
class SaveResults(DeliveryButton, verb="delivery.results"):
    """The results as a file, a line for each person."""


@dataclass(frozen=True)
class FollowUp(DeliveryButton, verb="delivery.follow_up"):
    """A new form for a later text to the same people about the same appointment."""

    message_type: str

    @classmethod
    def unpack(cls, data: Mapping[str, Any]) -> Self | None:
        """The same, or None for a text that follows nothing."""
        button = super().unpack(data)
        return button if button and button.message_type in FOLLOW_UPS else None


@dataclass(frozen=True)
class SignIn(Button, verb="identity.sign_in"):
    """Start signing in. `then` is a command's name: what goes on afterwards."""

    then: str


@dataclass(frozen=True)
class TryAgain(Button, verb="identity.try_again"):
    """Run a command again, after an administrator approved. `then` is the command's name."""

    then: str


NOTHING_KEPT = "-"  # in a button's `kept`: it opens what is empty


@dataclass(frozen=True)
class OpenDialog(Button, verb="dialog.open"):
    """Open what a command shows as a dialog, for whoever presses.

    `command` is its name. `kept` is the id of what was said with it, which only the one who said it
    can read, or `NOTHING_KEPT`.
    """

    command: str
    kept: str


@dataclass(frozen=True)
class ShowDetails(DeliveryButton, verb="delivery.details"):
    """Open a delivery as a dialog, for its owner, from a card that others can read."""


@dataclass(frozen=True)
class CloseDialog(Button, verb="dialog.close"):
    """Close the dialog."""
