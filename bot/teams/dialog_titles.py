"""What stands above a dialog: the name of what it shows, also after a button in it was pressed."""

from bot.words import gettext, marked
from cards.buttons import Button

TITLES = {
    "text": marked("Appointment text"),
    "notify": marked("Notification"),
    "scheduled": marked("Scheduled and waiting"),
    "history": marked("What you sent"),
    "status": marked("Delivery"),
    "whoami": marked("Whom Herald acts for"),
}
_COMMANDS = {"text": "text", "notice": "notify", "delivery": "status"}  # by the verb's first part


def title_of(button: Button | None) -> str:
    """The title of what a button inside a dialog leads to."""
    then = str(getattr(button, "then", "")) or (button.verb if button else "")
    word = then.partition(".")[0]
    title = TITLES.get(_COMMANDS.get(word, word))
    return gettext(title) if title else "Herald"
