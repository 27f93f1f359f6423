"""What a batch can be: what each needs of its token, and what it may do after a doubt."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.delivery.models import Batch, Kind
from bot.graph import routes
from bot.graph.bodies import (
    appointment_text_body,
    group_notification_body,
    notification_body,
    reminder_text_body,
    with_recipients,
)
from bot.graph.client import Accepted, Graph
from bot.identity.obo import NOTIFY, TEXT

REMINDER = "reminder"
_TEXT_TOKEN_LIFE_S = 60

Send = Callable[[Graph, str, Batch, str], Awaitable[Accepted]]


@dataclass(frozen=True)
class Action:
    """One Graph action, as the worker needs to know it.

    `repeatable`: a repetition replaces what was sent before (by `chainId`), so a batch whose fate
    is in doubt goes again; a text is never repeated.
    """

    scopes: tuple[str, ...]
    token_life_s: int
    repeatable: bool
    send: Send


def text_call(*, meeting_id: str, message_type: str, language: str) -> dict[str, Any]:
    """What the requests of one appointment text have in common.

    Its batches' people are [E.164 number, Windows zone name].
    """
    return {"meeting_id": meeting_id, "message_type": message_type, "language": language}


def notice_call(
    *,
    topic: dict[str, str],
    activity_type: str,
    preview: str,
    parameters: Mapping[str, str],
    teams_app_id: str | None,
) -> dict[str, Any]:
    """What the requests of one notification have in common.

    Its batches' people are at most 100 Entra object ids; of a batch of `Kind.GROUP`, one recipient
    that is all members of a group (`bot.graph.bodies.group_recipient`).
    """
    return {
        "topic": topic,
        "activity_type": activity_type,
        "preview": preview,
        "parameters": dict(parameters),
        "teams_app_id": teams_app_id,
    }


async def _send_text(graph: Graph, token: str, batch: Batch, request_id: str) -> Accepted:
    call = batch.call
    attendees = [(number, zone) for number, zone in batch.people]
    language = call["language"] or None
    if call["message_type"] == REMINDER:
        body = reminder_text_body(attendees)
        send = graph.send_reminder_text
    else:
        body = appointment_text_body(attendees, call["message_type"])
        send = graph.send_appointment_text
    return await send(
        token, call["meeting_id"], body, language=language, client_request_id=request_id
    )


async def _send_notice(graph: Graph, token: str, batch: Batch, request_id: str) -> Accepted:
    data = with_recipients(_notice_body(batch), batch.people)
    return await graph.send_notification(token, data, client_request_id=request_id)


async def _send_to_group(graph: Graph, token: str, batch: Batch, request_id: str) -> Accepted:
    [recipient] = batch.people
    body = group_notification_body(_notice_body(batch), recipient)
    return await graph.send_group_notification(token, recipient, body, client_request_id=request_id)


def _notice_body(batch: Batch) -> dict[str, Any]:
    call = batch.call
    return notification_body(
        topic=call["topic"],
        activity_type=call["activity_type"],
        preview=call["preview"],
        parameters=call["parameters"],
        recipients=(),
        chain_id=call["chain_id"],
        teams_app_id=call["teams_app_id"],
    )


ACTIONS: Mapping[Kind, Action] = {
    Kind.TEXT: Action(TEXT, _TEXT_TOKEN_LIFE_S, repeatable=False, send=_send_text),
    Kind.NOTICE: Action(
        NOTIFY, routes.SEND_NOTIFICATION.min_token_life_s, repeatable=True, send=_send_notice
    ),
    # What Graph asks of a bulk request's token it may well ask here: renewing costs little.
    Kind.GROUP: Action(
        NOTIFY, routes.SEND_NOTIFICATION.min_token_life_s, repeatable=True, send=_send_to_group
    ),
}
