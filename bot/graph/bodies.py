"""The JSON bodies of the sends, as Graph's pages document them.

Nothing is checked here: what may be sent is the forms' business, and the documentation's own
examples come out as they stand there.
"""

from collections.abc import Iterable, Mapping
from typing import Any

# The one kind of entity that a bulk notification may lead to. The address is Graph's own name for
# it, whatever address Graph is called at.
_CATALOGUE = "https://graph.microsoft.com/v1.0/appCatalogs/teamsApps/"
_RECIPIENT = "microsoft.graph.aadUserNotificationRecipient"

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


def _attendees(attendees: Iterable[Attendee]) -> list[dict[str, str]]:
    return [{"phoneNumber": number, "timeZone": zone} for number, zone in attendees]
