"""The JSON bodies of the sends, as Graph's pages document them.

Nothing is checked here: what may be sent is the forms' business, and the documentation's own
examples come out as they stand there.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from json.encoder import encode_basestring
from typing import Any

# The one kind of entity that a bulk notification may lead to. The address is Graph's own name for
# it, whatever address Graph is called at.
_CATALOGUE = "https://graph.microsoft.com/v1.0/appCatalogs/teamsApps/"
_RECIPIENT = "microsoft.graph.aadUserNotificationRecipient"
_USER_ID = f'"@odata.type":"{_RECIPIENT}","userId":'

Attendee = tuple[str, str]  # phone number (E.164), Windows zone name


def appointment_text_body(attendees: Iterable[Attendee], message_type: str) -> dict[str, Any]:
    """`sendVirtualAppointmentSms`; type is `confirmation`, `reschedule` or `cancellation`."""
    return {"attendees": _attendees(attendees), "messageType": message_type}


def reminder_text_body(attendees: Iterable[Attendee]) -> dict[str, Any]:
    """`sendVirtualAppointmentReminderSms`: fifteen minutes before, the one time there is."""
    return {"attendees": _attendees(attendees), "remindBeforeTimeInMinutesType": "mins15"}


def text_topic(value: str, web_url: str) -> dict[str, str]:
    """A notification's topic in words; `web_url` is a Teams link."""
    return {"source": "text", "value": value, "webUrl": web_url}


def app_topic(catalogue_id: str) -> dict[str, str]:
    """A notification's topic that opens the app; its *catalogue* id, not the manifest's."""
    return {"source": "entityUrl", "value": _CATALOGUE + catalogue_id}


def notification_body(
    topic: Mapping[str, str],
    activity_type: str,
    preview: str,
    parameters: Mapping[str, str],
    recipients: Iterable[str],
    *,
    chain_id: int | None = None,
    teams_app_id: str | None = None,
    icon_id: str | None = None,
) -> dict[str, Any]:
    """`sendActivityNotificationToRecipients`.

    `recipients` are Entra object ids, at most 100; `chain_id` is an Int64; `teams_app_id` the
    catalogue's id. What is not given is left out.
    """
    optional = {"chainId": chain_id, "teamsAppId": teams_app_id, "iconId": icon_id}
    return {
        "topic": dict(topic),
        "activityType": activity_type,
        "previewText": {"content": preview},
        "templateParameters": [
            {"name": name, "value": value} for name, value in parameters.items()
        ],
        "recipients": [{"@odata.type": _RECIPIENT, "userId": user_id} for user_id in recipients],
        **{name: value for name, value in optional.items() if value is not None},
    }


def group_recipient(kind: str, group_id: str, team_id: str = "") -> dict[str, str]:
    """All members of a chat, a channel or a team, as one recipient.

    `group_id` is the chat's or channel's id in Teams, or the team's Entra group id; `team_id` is
    that of a channel's team. A team's id has to be the one in the address, too.
    """
    ids = {
        "chat": {"chatId": group_id},
        "channel": {"teamId": team_id, "channelId": group_id},
        "team": {"teamId": group_id},
    }[kind]
    return {"@odata.type": f"microsoft.graph.{kind}MembersNotificationRecipient", **ids}


def group_notification_body(
    body: Mapping[str, Any], recipient: Mapping[str, str]
) -> dict[str, Any]:
    """`sendActivityNotification` of a team or a chat: one recipient in the place of many."""
    shared = {name: value for name, value in body.items() if name != "recipients"}
    return {**shared, "recipient": dict(recipient)}


def with_recipients(body: Mapping[str, Any], recipients: Sequence[str]) -> bytes:
    """A notification's body with these recipients in the place of its own, as JSON.

    The same as encoding `notification_body` with them, at a tenth of the cost: what a hundred
    small objects have in common is put between the ids as text.
    """
    shared = {name: value for name, value in body.items() if name != "recipients"}
    head = json.dumps(shared, ensure_ascii=False, separators=(",", ":"))[:-1]
    # Each id is a JSON text of its own: whatever stands in one stays inside it.
    people = ",".join([f"{{{_USER_ID}{encode_basestring(user_id)}}}" for user_id in recipients])
    return f'{head},"recipients":[{people}]}}'.encode()


def _attendees(attendees: Iterable[Attendee]) -> list[dict[str, str]]:
    return [{"phoneNumber": number, "timeZone": zone} for number, zone in attendees]
