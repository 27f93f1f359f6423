"""A notification as it was read, before it is sent."""

from dataclasses import dataclass


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
