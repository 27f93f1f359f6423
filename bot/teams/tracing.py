"""What a turn leaves behind for those who run Herald: its activity's id in every line, its time.

Every line that is logged while a turn lasts, and by what it starts, carries `activity`: from what
Teams sent, by way of the delivery that was recorded, to Graph's `request-id`.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import structlog
from botbuilder.core import InvokeResponse, TurnContext
from botbuilder.schema import Activity, ActivityTypes
from structlog.contextvars import bound_contextvars

from bot import metrics
from bot.errors import HeraldError
from bot.teams.adapter import RAW
from bot.teams.connector_errors import ConnectorRefused, ConnectorUnavailable

log = structlog.get_logger(__name__)

# The kinds that are told apart; all else that may come is one more.
_KINDS = frozenset(
    {
        "message",
        "messageUpdate",
        "messageDelete",
        "messageReaction",
        "conversationUpdate",
        "installationUpdate",
        "adaptiveCard/action",
        "application/search",
        "composeExtension/fetchTask",
        "composeExtension/query",
        "composeExtension/selectItem",
        "composeExtension/submitAction",
        "fileConsent/invoke",
        "signin/failure",
        "signin/tokenExchange",
        "signin/verifyState",
        "task/fetch",
        "task/submit",
    }
)
_LONGEST_ID = 100


class Bot(Protocol):
    """What a turn is given to."""

    async def on_turn(self, context: TurnContext) -> None:
        """Handle one verified activity."""


class Traced:
    """Hands turns on, with their id in the log's context and their time in the metrics."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def on_turn(self, context: TurnContext) -> None:
        """Handle one verified activity."""
        raw: Mapping[str, Any] = context.turn_state[RAW]
        with (
            bound_contextvars(activity=_id(raw)),
            metrics.timed(metrics.TURNS, kind_of(raw), "failed") as outcome,
        ):
            try:
                await self._bot.on_turn(context)
            except (ConnectorRefused, ConnectorUnavailable) as error:
                outcome.word = "not_said"
                await _not_said(context, error)
            else:
                outcome.word = "answered"


async def _not_said(context: TurnContext, error: HeraldError) -> None:
    """Teams did not take what was to be said: nobody is left to say that to, and nothing failed.

    What a turn recorded before stands, and its card is drawn when Teams is back.
    """
    metrics.ERRORS.labels(type(error).__name__).inc()
    log.warning("turn.not_said", problem=type(error).__name__)
    if context.activity.type == ActivityTypes.invoke:
        answer = InvokeResponse(status=503, body={})
        await context.send_activity(Activity(type=ActivityTypes.invoke_response, value=answer))


def kind_of(raw: Mapping[str, Any]) -> str:
    """The activity's type, or an invoke's name; `other` for what Herald knows nothing of."""
    kind = raw.get("name") if raw.get("type") == "invoke" else raw.get("type")
    return kind if isinstance(kind, str) and kind in _KINDS else "other"


def _id(raw: Mapping[str, Any]) -> str:
    found = raw.get("id")
    return "".join(filter(str.isprintable, found))[:_LONGEST_ID] if isinstance(found, str) else ""
