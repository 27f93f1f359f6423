"""The peer of a fan-out: Microsoft's Graph SDK for Python, used as its documentation shows it.

Runs in the environment of requirements-bench.txt and imports nothing of Herald. Each line it reads
is a number of recipients; for each it sends them, 100 a request and so many requests at once, and
answers with what that took, as a line of JSON. The SDK keeps no record of anything.
"""

import asyncio
import json
import sys
import time

from kiota_abstractions.authentication import AnonymousAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.models.aad_user_notification_recipient import AadUserNotificationRecipient
from msgraph.generated.models.item_body import ItemBody
from msgraph.generated.models.key_value_pair import KeyValuePair
from msgraph.generated.models.teamwork_activity_topic import TeamworkActivityTopic
from msgraph.generated.models.teamwork_activity_topic_source import TeamworkActivityTopicSource
from msgraph.generated.teamwork.send_activity_notification_to_recipients import (
    send_activity_notification_to_recipients_post_request_body as bodies,
)

_BATCH = 100
_PREVIEW = "The car park is closed on Friday afternoon. Please use the one behind the school."


def _body(first, last):
    return bodies.SendActivityNotificationToRecipientsPostRequestBody(
        topic=TeamworkActivityTopic(
            source=TeamworkActivityTopicSource.Text,
            value="Spring clean-up",
            web_url="https://teams.microsoft.com/l/chat/0/0?users=x",
        ),
        activity_type="announcement",
        chain_id=4_503_599_627_370_495,
        preview_text=ItemBody(content=_PREVIEW),
        teams_app_id="0f7ac1c2-7d94-4f5c-93c1-8ac2a9a1c1de",
        template_parameters=[KeyValuePair(name="title", value="Car park closed on Friday")],
        recipients=[
            AadUserNotificationRecipient(
                odata_type="microsoft.graph.aadUserNotificationRecipient",
                user_id=f"b0000000-0000-4000-8000-{number:012x}",
            )
            for number in range(first, last)
        ],
    )


async def _send(client, recipients, at_once):
    starts = iter(range(0, recipients, _BATCH))

    async def work():
        for first in starts:
            body = _body(first, min(first + _BATCH, recipients))
            await client.teamwork.send_activity_notification_to_recipients.post(body)

    await asyncio.gather(*(work() for _ in range(at_once)))


def _memory_mb(name):
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(name)) / 1024
    except OSError:
        return 0.0


def _forget_peak():
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as peak:
            peak.write("5")
    except OSError:
        return


async def main(graph_url, at_once):
    """Do what the input says until it ends."""
    adapter = GraphRequestAdapter(AnonymousAuthenticationProvider())
    adapter.base_url = f"{graph_url}/v1.0"
    client = GraphServiceClient(request_adapter=adapter)
    while line := await asyncio.to_thread(sys.stdin.readline):
        _forget_peak()
        idle = _memory_mb("VmRSS")
        began, used = time.perf_counter(), time.process_time()
        await _send(client, int(line), at_once)
        found = {
            "wall_s": time.perf_counter() - began,
            "cpu_s": time.process_time() - used,
            "memory_mb": _memory_mb("VmHWM") - idle,
        }
        print(json.dumps(found), flush=True)


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
