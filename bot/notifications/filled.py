"""What a notification's form begins with, where somebody or something filled it in already."""

from dataclasses import dataclass

from bot.notifications.activity_types import FREE_TEXT
from bot.notifications.form import PARAMETER_LENGTH, PREVIEW_LENGTH
from bot.notifications.request import Recipient


@dataclass(frozen=True)
class Filled:
    """The form's first values: from mentions in a command, or from a message and its author.

    `recipients` have names, so that nobody needs to be looked up. `preview` is cut to what a feed
    shows. With a `topic_link` (a Teams link) the notice leads there. `notes` are sentences that
    stand above the form, such as who of those who were meant could not be taken.
    """

    recipients: tuple[Recipient, ...] = ()
    preview: str = ""
    topic_link: str = ""
    topic_title: str = ""
    notes: tuple[str, ...] = ()

    def values(self) -> dict[str, str]:
        """The inputs' values by input id; empty ones are left out."""
        words = " ".join(self.preview.split())
        if len(words) > PREVIEW_LENGTH:
            words = f"{words[: PREVIEW_LENGTH - 1].rstrip()}…"
        # Said to Herald, not taken from a message: no other kind has all that it needs.
        own = words if words and not self.topic_link and len(words) <= PARAMETER_LENGTH else ""
        found = {
            "activity_type": FREE_TEXT if own else "",
            "param_systemDefaultText": own,
            "recipients": ",".join(dict.fromkeys(who.id.lower() for who in self.recipients)),
            "preview": words,
            "topic": "link" if self.topic_link else "",
            "topic_link": self.topic_link,
            "topic_title": " ".join(self.topic_title.split())[:PREVIEW_LENGTH],
        }
        return {name: value for name, value in found.items() if value}
