"""What the Bot Connector refuses: misshapen activities, too many, and what a test scripts.

Rules: Microsoft's "Optimize your bot with rate limiting in Teams" and the Connector's reference.
"""

import json
import time
from collections import defaultdict, deque
from http import HTTPStatus
from typing import Any, Literal

from sandbox.conversation import ADAPTIVE_CARD

Fault = int | Literal["reset", "lost"]
MAX_ACTIVITY_BYTES = 100 * 1024
MAX_CARD_BYTES = 28 * 1024
MAX_REFRESHED = 60  # people for whom a card's refresh is asked for by itself
# (seconds, sends) for one conversation
WINDOWS = ((1, 7), (30, 60), (3600, 1800))


class Refusal(Exception):
    """An answer of the Connector that is not a success, in its error shape."""

    def __init__(self, status: int, code: str, message: str, retry_after_s: int | None = None):
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s

    @property
    def body(self) -> dict[str, Any]:
        """`{"error": {"code", "message"}}`."""
        return {"error": {"code": self.code, "message": str(self)}}

    @property
    def headers(self) -> dict[str, str]:
        """`Retry-After`, where there is one."""
        return {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}


def check_activity(activity: Any, size: int) -> dict[str, Any]:
    """The activity, when Teams would take it.

    Raises:
        Refusal: 400 when it is misshapen or empty, 413 when it or a card in it is too large.
    """
    if size > MAX_ACTIVITY_BYTES:
        raise Refusal(413, "MessageSizeTooBig", "Message size too large.")
    if not isinstance(activity, dict) or not isinstance(activity.get("type"), str):
        raise Refusal(400, "BadSyntax", "Activity must have a type.")
    attachments = activity.get("attachments") or []
    if not isinstance(attachments, list):
        raise Refusal(400, "BadSyntax", "Attachments must be a list.")
    for attachment in attachments:
        _check_attachment(attachment)
    if activity["type"] == "message" and not attachments and not activity.get("text"):
        raise Refusal(
            400, "BadSyntax", "Activity must have a non-empty text or at least one attachment."
        )
    return activity


def _check_attachment(attachment: Any) -> None:
    if not isinstance(attachment, dict) or not attachment.get("contentType"):
        raise Refusal(400, "BadSyntax", "Every attachment needs a contentType.")
    content = attachment.get("content")
    if attachment["contentType"] != ADAPTIVE_CARD:
        return
    if not isinstance(content, dict) or content.get("type") != "AdaptiveCard":
        raise Refusal(400, "BadSyntax", "The attachment's content is not an Adaptive Card.")
    if card_bytes(content) > MAX_CARD_BYTES:
        raise Refusal(413, "MessageSizeTooBig", "The Adaptive Card is larger than 28 KB.")
    if len((content.get("refresh") or {}).get("userIds") or []) > MAX_REFRESHED:
        raise Refusal(400, "BadSyntax", "A card is refreshed for at most 60 people.")


def card_bytes(card: dict[str, Any]) -> int:
    """The size of a card as it travels, in bytes."""
    return len(json.dumps(card, separators=(",", ":"), ensure_ascii=False).encode())


class Pace:
    """Counts the bot's sends to each conversation."""

    def __init__(self) -> None:
        self.enforced = True
        self._sends: dict[str, deque[float]] = defaultdict(deque)

    def forget(self) -> None:
        """Nothing was sent yet."""
        self._sends.clear()

    def spend(self, conversation_id: str) -> None:
        """Count one send.

        Raises:
            Refusal: 429 with Retry-After, when a window is full; it is not counted then.
        """
        sends, now = self._sends[conversation_id], time.monotonic()
        while sends and now - sends[0] > WINDOWS[-1][0]:
            sends.popleft()
        for window_s, most in WINDOWS if self.enforced else ():
            if len(sends) >= most and now - sends[-most] < window_s:
                wait_s = max(1, round(window_s - (now - sends[-most]) + 0.5))
                raise Refusal(429, "Throttled", "Too many requests.", retry_after_s=wait_s)
        sends.append(now)


_REFUSALS = {
    403: ("BotNotInConversationRoster", "The bot is not part of the conversation roster."),
    404: ("ConversationNotFound", "Conversation not found."),
    429: ("Throttled", "Too many requests."),
    502: ("BadGateway", "The service is not available."),
}


def refuse(status: int) -> None:
    """What the panel of faults asks for. Raises `Refusal` unless the status is 0."""
    if status:
        code, message = _REFUSALS.get(status, ("ServiceError", "The service says no."))
        raise Refusal(status, code, message, 1 if status == HTTPStatus.TOO_MANY_REQUESTS else None)


class Script:
    """The faults that the next calls of the bot get, one each."""

    def __init__(self) -> None:
        self._faults: deque[tuple[Fault, int | None]] = deque()

    def add(self, faults: tuple[Fault, ...], retry_after_s: int | None) -> None:
        """Append faults; those that are statuses carry this Retry-After."""
        self._faults.extend((fault, retry_after_s) for fault in faults)

    def next(self) -> Literal["", "reset", "lost"]:
        """What becomes of the connection of this call. Raises `Refusal` where a status is due."""
        if not self._faults:
            return ""
        fault, retry_after_s = self._faults.popleft()
        if isinstance(fault, int):
            raise Refusal(fault, "ServiceError", "The service says no.", retry_after_s)
        return fault
