"""From a request to the batches that Graph is sent: at most 100 recipients each."""

from collections.abc import Iterator

from bot.delivery.actions import notice_call
from bot.delivery.models import NewBatch
from bot.notifications.request import NoticeRequest

BATCH = 100  # sendActivityNotificationToRecipients: at most 100 recipients a request


def batches(request: NoticeRequest) -> Iterator[NewBatch]:
    """The batches of a notification, in the order of its recipients."""
    ids = [recipient.id for recipient in request.recipients]
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        call = notice_call(
            topic=request.topic.body(),
            activity_type=request.activity_type,
            preview=request.preview,
            parameters=request.parameters,
            recipients=some,
            teams_app_id=request.catalogue_id or None,
        )
        yield NewBatch(call=call, people=len(some))
