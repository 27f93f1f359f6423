"""What an appointment text's form begins with, where something filled it in already."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TextFilled:
    """The form's first values.

    `message_type` is one of `bot.appointments.request.MESSAGE_TYPES`; `attendee_list` is pasted
    text, one person a line. `notes` are sentences that stand above the form.
    """

    join_link: str = ""
    message_type: str = ""
    attendee_list: str = ""
    notes: tuple[str, ...] = ()

    def values(self) -> dict[str, str]:
        """The inputs' values by input id; empty ones are left out."""
        found = {
            "join_link": self.join_link,
            "message_type": self.message_type,
            "attendee_list": self.attendee_list,
        }
        return {name: value for name, value in found.items() if value}
