"""The examples of Graph's own pages, as they arrive on the wire.

Sources: "virtualAppointment: sendVirtualAppointmentSms", "virtualAppointment:
sendVirtualAppointmentReminderSms" and "teamwork: sendActivityNotificationToRecipients", v1.0.
"""

import json
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from bot.graph.bodies import (
    app_topic,
    appointment_text_body,
    notification_body,
    reminder_text_body,
    text_topic,
)
from bot.graph.client import Graph
from tests.bot.graph.conftest import Desk, Serve

ATTENDEES = [
    ("+13129224122", "Pacific Standard Time"),
    ("+1242421412", "Eastern Standard Time"),
]
TEXT = """
{
    "attendees": [
        {"phoneNumber": "+13129224122", "timeZone": "Pacific Standard Time"},
        {"phoneNumber": "+1242421412", "timeZone": "Eastern Standard Time"}
    ],
    "messageType": "confirmation"
}
"""
REMINDER = """
{
    "attendees": [
        {"phoneNumber": "+13129224122", "timeZone": "Pacific Standard Time"},
        {"phoneNumber": "+1242421412", "timeZone": "Eastern Standard Time"}
    ],
    "remindBeforeTimeInMinutesType": "mins15"
}
"""
FINANCE = """
{
    "topic": {
        "source": "entityUrl",
        "value": "https://graph.microsoft.com/v1.0/appCatalogs/teamsApps/{teamsAppId}"
    },
    "activityType": "pendingFinanceApprovalRequests",
    "previewText": {
        "content": "Internal spending team has a pending finance approval requests"
    },
    "recipients": [
        {
            "@odata.type": "microsoft.graph.aadUserNotificationRecipient",
            "userId": "569363e2-4e49-4661-87f2-16f245c5d66a"
        },
        {
            "@odata.type": "microsoft.graph.aadUserNotificationRecipient",
            "userId": "ab88234e-0874-477c-9638-d144296ed04f"
        },
        {
            "@odata.type": "microsoft.graph.aadUserNotificationRecipient",
            "userId": "01c64f53-69aa-42c7-9b7f-9f75195d6bfc"
        }
    ],
    "templateParameters": [{"name": "pendingRequestCount", "value": "5"}]
}
"""
CHANNEL = (
    "https://teams.microsoft.com/l/message/19:448cfd2ac2a7490a9084a9ed14cttr78c@thread.skype/"
    "1605223780000?tenantId=c8b1bf45-3834-4ecf-971a-b4c755ee677d"
    "&groupId=d4c2a937-f097-435a-bc91-5c1683ca7245&parentMessageId=1605223771864"
    "&teamName=Approvals&channelName=Azure%20DevOps&createdTime=1605223780000"
)
DEPLOYMENT = """
{
    "topic": {
        "source": "text",
        "value": "Deployment Approvals Channel",
        "webUrl": "CHANNEL"
    },
    "activityType": "deploymentApprovalRequired",
    "previewText": {"content": "New deployment requires your approval"},
    "templateParameters": [{"name": "deploymentId", "value": "6788662"}],
    "recipients": [
        {
            "@odata.type": "microsoft.graph.aadUserNotificationRecipient",
            "userId": "569363e2-4e49-4661-87f2-16f245c5d66a"
        },
        {
            "@odata.type": "microsoft.graph.aadUserNotificationRecipient",
            "userId": "ab88234e-0874-477c-9638-d144296ed04f"
        },
        {
            "@odata.type": "microsoft.graph.aadUserNotificationRecipient",
            "userId": "01c64f53-69aa-42c7-9b7f-9f75195d6bfc"
        }
    ]
}
""".replace("CHANNEL", CHANNEL)
PEOPLE = [
    "569363e2-4e49-4661-87f2-16f245c5d66a",
    "ab88234e-0874-477c-9638-d144296ed04f",
    "01c64f53-69aa-42c7-9b7f-9f75195d6bfc",
]
FINANCE_BODY = notification_body(
    app_topic("{teamsAppId}"),
    "pendingFinanceApprovalRequests",
    "Internal spending team has a pending finance approval requests",
    {"pendingRequestCount": "5"},
    PEOPLE,
)
DEPLOYMENT_BODY = notification_body(
    text_topic("Deployment Approvals Channel", CHANNEL),
    "deploymentApprovalRequired",
    "New deployment requires your approval",
    {"deploymentId": "6788662"},
    PEOPLE,
)


async def text(graph: Graph) -> None:
    body = appointment_text_body(ATTENDEES, "confirmation")
    await graph.send_appointment_text("t", "MSpkYzE3", body, client_request_id="c")


async def reminder(graph: Graph) -> None:
    await graph.send_reminder_text(
        "t", "MSpkYzE3", reminder_text_body(ATTENDEES), client_request_id="c"
    )


async def finance(graph: Graph) -> None:
    await graph.send_notification("t", FINANCE_BODY, "c")


async def deployment(graph: Graph) -> None:
    await graph.send_notification("t", DEPLOYMENT_BODY, "c")


@pytest.mark.parametrize(
    ("send", "path", "documented"),
    [
        (text, "/v1.0/me/onlineMeetings/MSpkYzE3/sendVirtualAppointmentSms", TEXT),
        (reminder, "/v1.0/me/onlineMeetings/MSpkYzE3/sendVirtualAppointmentReminderSms", REMINDER),
        (finance, "/v1.0/teamwork/sendActivityNotificationToRecipients", FINANCE),
        (deployment, "/v1.0/teamwork/sendActivityNotificationToRecipients", DEPLOYMENT),
    ],
    ids=["text", "reminder", "finance", "deployment"],
)
async def test_the_documented_request_arrives_as_documented(
    serve: Serve, send: Any, path: str, documented: str
) -> None:
    came: list[tuple[str, str, Any]] = []

    async def answer(request: web.Request) -> web.Response:
        came.append((request.method, request.path, await request.json()))
        assert request.content_type == "application/json"
        return web.Response(status=202)

    async with serve(answer) as graph:
        await send(graph)
    assert came == [("POST", path, json.loads(documented))]


async def test_optional_parts_of_a_notification_are_there_when_given() -> None:
    body = notification_body(
        app_topic("a"), "x", "p", {}, [], chain_id=-(2**63), teams_app_id="app", icon_id="bell"
    )
    assert (body["chainId"], body["teamsAppId"], body["iconId"]) == (-(2**63), "app", "bell")
    assert {"chainId", "teamsAppId", "iconId"}.isdisjoint(FINANCE_BODY)


async def test_the_stand_in_takes_the_documented_text_for_a_meeting_it_knows(desk: Desk) -> None:
    adele = desk.person("Adele")
    meeting = next(m for m in desk.world.meetings.values() if m.organizer_id == adele.id)
    body = appointment_text_body(ATTENDEES[:1], "confirmation")
    accepted = await desk.graph.send_appointment_text(
        desk.token("Adele"), meeting.id, body, language="es-MX", client_request_id="my-request"
    )
    assert accepted.status == 202
    assert accepted.request_id
    [call] = desk.world.accepted("sendVirtualAppointmentSms")
    assert call.body == body
    assert (call.client_request_id, call.request_id) == ("my-request", accepted.request_id)
    assert desk.world.phones["+13129224122"][0].language == "es-MX"


async def test_the_stand_in_takes_both_documented_notifications_for_people_it_knows(
    desk: Desk,
) -> None:
    them = [desk.person(name).id for name in ("Megan", "Lee", "Diego")]
    finance_body = notification_body(
        app_topic(desk.world.catalog_app_id),
        "pendingFinanceApprovalRequests",
        "Internal spending team has a pending finance approval requests",
        {"pendingRequestCount": "5"},
        them,
    )
    deployment_body = {
        **DEPLOYMENT_BODY,
        "recipients": [{**DEPLOYMENT_BODY["recipients"][0], "userId": one} for one in them],
    }
    for body in (finance_body, deployment_body):
        accepted = await desk.graph.send_notification(desk.token("Adele"), body, "r")
        assert replace(accepted, request_id="") == type(accepted)(202, "", None)
    sent = desk.world.accepted("sendActivityNotificationToRecipients")
    assert [call.body for call in sent] == [finance_body, deployment_body]
    for one in them:
        assert len(desk.world.feeds[one]) == 2


async def test_bytes_are_sent_as_they_are(serve: Serve) -> None:
    came: list[bytes] = []

    async def answer(request: web.Request) -> web.Response:
        came.append(await request.read())
        return web.Response(status=202)

    async with serve(answer) as graph:
        await graph.send_notification("t", b'{"as":  "it is"}', "c")
    assert came == [b'{"as":  "it is"}']
