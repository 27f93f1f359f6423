"""Raw POSTs at the Graph stand-in, and two requests that it accepts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from sandbox.entra import Entra
from sandbox.graph import Graph
from sandbox.world import Meeting, World

NOTICES = "/teamwork/sendActivityNotificationToRecipients"
FIRST, SECOND = "+12065550133", "+13125550142"


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])

    @property
    def message(self) -> str:
        return str(self.body["error"]["message"])


class Poster:
    """POSTs in Adele's name; what differs from a good request is said each time."""

    def __init__(self, graph: Graph, entra: Entra, session: aiohttp.ClientSession) -> None:
        self.graph, self.entra, self.session = graph, entra, session

    @property
    def world(self) -> World:
        return self.graph.world

    @property
    def meeting(self) -> Meeting:
        adele = self.world.named("Adele").id
        return next(m for m in self.world.meetings.values() if m.organizer_id == adele)

    @property
    def texts(self) -> str:
        return f"/me/onlineMeetings/{self.meeting.id}/sendVirtualAppointmentSms"

    @property
    def reminders(self) -> str:
        return f"/me/onlineMeetings/{self.meeting.id}/sendVirtualAppointmentReminderSms"

    def text(self, **changes: Any) -> dict[str, Any]:
        """A good text to two attendees; a change to `None` leaves the field out."""
        body = {
            "attendees": [
                {"phoneNumber": FIRST, "timeZone": "Pacific Standard Time"},
                {"phoneNumber": SECOND, "timeZone": "Eastern Standard Time"},
            ],
            "messageType": "confirmation",
        } | changes
        return {name: value for name, value in body.items() if value is not None}

    def notice(self, *names: str, **changes: Any) -> dict[str, Any]:
        """A good notice to these people (Megan and Lee); `None` leaves a field out."""
        body = {
            "topic": {
                "source": "text",
                "value": "Deployment 4711",
                "webUrl": "https://teams.microsoft.com/l/chat/19:x@thread.v2/0",
            },
            "activityType": "deploymentApprovalRequired",
            "previewText": {"content": "A deployment waits for you"},
            "templateParameters": [{"name": "deploymentId", "value": "4711"}],
            "recipients": [self.recipient(name) for name in names or ("Megan", "Lee")],
        } | changes
        return {name: value for name, value in body.items() if value is not None}

    def recipient(self, name: str) -> dict[str, str]:
        return {
            "@odata.type": "microsoft.graph.aadUserNotificationRecipient",
            "userId": self.world.named(name).id,
        }

    async def post(
        self,
        path: str,
        body: Any,
        *,
        who: str = "Adele",
        scopes: tuple[str, ...] = ("TeamsActivity.Send", "VirtualAppointmentNotification.Send"),
        token: str | None = None,
        headers: dict[str, str] | None = None,
        timeout_s: float = 10,
        **claims: Any,
    ) -> Reply:
        """POST; `body` is sent as it is when it is bytes, else as JSON."""
        if token is None:
            token = self.entra.tokens.graph_token(self.world.named(who), scopes, **claims)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        async with self.session.post(
            f"{self.graph.url}/v1.0{path}",
            data=data,
            headers={k: v for k, v in (sent | (headers or {})).items() if v},
            timeout=aiohttp.ClientTimeout(total=timeout_s),
        ) as answer:
            raw = await answer.read()
            return Reply(answer.status, json.loads(raw) if raw else None, answer.headers)
