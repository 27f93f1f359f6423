"""From a request to what Graph is sent: at most 100 recipients a request."""

from collections.abc import Iterator
from typing import Any

from bot.delivery.actions import notice_call
from bot.delivery.ledger import BATCH
from bot.delivery.models import Kind
from bot.graph.bodies import group_recipient
from bot.notifications.request import NoticeRequest


def call(request: NoticeRequest) -> dict[str, Any]:
    """What the requests of this notification have in common."""
    return notice_call(
        topic=request.topic.body(),
        activity_type=request.activity_type,
        preview=request.preview,
        parameters=request.parameters,
        teams_app_id=request.catalogue_id or None,
    )


def lane(request: NoticeRequest) -> Kind:
    """Which of Graph's limits its requests count against."""
    return Kind.GROUP if request.at_once else Kind.NOTICE


def people(request: NoticeRequest) -> Iterator[list[Any]]:
    """Its batches, in the order of its recipients; for a group at once, the group as one."""
    if request.at_once and request.group:
        group = request.group
        yield [group_recipient(group.kind, group.id, group.team_id)]
        return
    for start in range(0, len(request.recipients), BATCH):
        yield [recipient.id for recipient in request.recipients[start : start + BATCH]]
