"""The two things a batch can be: what each needs of its token, and what it may do after a doubt."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.delivery.models import Kind
from bot.graph.bodies import appointment_text_body, notification_body
from bot.graph.client import Accepted, Graph
from bot.identity.obo import NOTIFY, TEXT

# sendActivityNotificationToRecipients: "the token must have more than 45 minutes left", else 412.
# A minute more, for the way and for clocks that differ.
_BULK_TOKEN_LIFE_S = 46 * 60
_TEXT_TOKEN_LIFE_S = 60

Call = Mapping[str, Any]
Send = Callable[[Graph, str, Call, str], Awaitable[Accepted]]


@dataclass(frozen=True)
class Action:
    """One Graph action, as the worker needs to know it.

    `repeatable`: a repetition replaces what was sent before (by `chainId`), so a batch whose fate
    is in doubt goes again; a text is never repeated. `per_second`: Graph's documented rate for one
    tenant.
    """

    scopes: tuple[str, ...]
    token_life_s: int
    repeatable: bool
    per_second: float
    send: Send


def text_call(
    *, meeting_id: str, attendees: list[tuple[str, str]], message_type: str, language: str
) -> dict[str, Any]:
    """The call of one appointment text. `attendees` are (E.164 number, Windows zone name)."""
    return {
        "meeting_id": meeting_id,
        "body": appointment_text_body(attendees, message_type),
        "language": language,
    }


def notice_call(
    *,
    topic: dict[str, str],
    activity_type: str,
    preview: str,
    parameters: Mapping[str, str],
    recipients: list[str],
    teams_app_id: str | None,
) -> dict[str, Any]:
    """The call of one notification batch. `recipients` are at most 100 Entra object ids."""
    return {
        "body": notification_body(
            topic=topic,
            activity_type=activity_type,
            preview=preview,
            parameters=parameters,
            recipients=recipients,
            teams_app_id=teams_app_id,
        )
    }


async def _send_text(graph: Graph, token: str, call: Call, request_id: str) -> Accepted:
    return await graph.send_appointment_text(
        token,
        call["meeting_id"],
        call["body"],
        language=call["language"] or None,
        client_request_id=request_id,
    )


async def _send_notice(graph: Graph, token: str, call: Call, request_id: str) -> Accepted:
    body = {**call["body"], "chainId": call["chain_id"]}
    return await graph.send_notification(token, body, client_request_id=request_id)


ACTIONS: Mapping[Kind, Action] = {
    Kind.TEXT: Action(TEXT, _TEXT_TOKEN_LIFE_S, repeatable=False, per_second=5, send=_send_text),
    Kind.NOTICE: Action(
        NOTIFY, _BULK_TOKEN_LIFE_S, repeatable=True, per_second=2, send=_send_notice
    ),
}
