"""What the Bot Connector refused.

HeraldError
└── ConnectorError
    ├── ConnectorUnavailable
    └── ConnectorRefused            status, code
        ├── ConnectorThrottled      429, retry_after_s
        └── ConversationGone        403, 404
"""

from bot.errors import HeraldError


class ConnectorError(HeraldError):
    """Herald could not post in this conversation."""


class ConnectorUnavailable(ConnectorError):
    """Teams did not answer. The message may not have been posted."""


class ConnectorRefused(ConnectorError):
    """Teams did not take Herald's message.

    `status` is the HTTP status, `code` the connector's own word (`BotNotInConversationRoster`).
    """

    def __init__(self, status: int, code: str = "") -> None:
        super().__init__(f"{status} {code}".strip())
        self.status = status
        self.code = code


class ConnectorThrottled(ConnectorRefused):
    """Too many messages were posted in this conversation. Please try again in a moment.

    `retry_after_s` is in seconds, or None when Teams did not say.
    """

    def __init__(self, status: int, code: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(status, code)
        self.retry_after_s = retry_after_s


class ConversationGone(ConnectorRefused):
    """Herald is no longer part of this conversation, or what it wanted to change is gone."""
