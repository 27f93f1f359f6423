"""The shapes of the actions that Herald calls, written out from the metadata of Graph v1.0.

`check` holds a request body against them as Graph's OData layer does: unknown properties, wrong
types and unknown enumeration members are refused before any rule of the action is looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Complex:
    """A complex type: its properties' types; those in `required` may not be null."""

    properties: Mapping[str, str]
    required: frozenset[str] = frozenset()
    base: str = ""
    abstract: bool = False


@dataclass(frozen=True)
class Action:
    """A bound action: the type it is bound to, and its parameters' types."""

    name: str
    binding: str
    parameters: Mapping[str, str] = field(default_factory=dict)


ENUMS: dict[str, tuple[str, ...]] = {
    "virtualAppointmentMessageType": (
        "confirmation",
        "reschedule",
        "cancellation",
        "unknownFutureValue",
    ),
    "remindBeforeTimeInMinutesType": ("mins15", "unknownFutureValue"),
    "teamworkActivityTopicSource": ("entityUrl", "text"),
    "bodyType": ("text", "html"),
}

COMPLEX: dict[str, Complex] = {
    "attendeeNotificationInfo": Complex({"phoneNumber": "Edm.String", "timeZone": "Edm.String"}),
    "teamworkActivityTopic": Complex(
        {
            "source": "graph.teamworkActivityTopicSource",
            "value": "Edm.String",
            "webUrl": "Edm.String",
        },
        required=frozenset({"value"}),
    ),
    "keyValuePair": Complex(
        {"name": "Edm.String", "value": "Edm.String"}, required=frozenset({"name"})
    ),
    "itemBody": Complex({"content": "Edm.String", "contentType": "graph.bodyType"}),
    "teamworkNotificationRecipient": Complex({}, abstract=True),
    "aadUserNotificationRecipient": Complex(
        {"userId": "Edm.String"},
        required=frozenset({"userId"}),
        base="teamworkNotificationRecipient",
    ),
    "channelMembersNotificationRecipient": Complex(
        {"channelId": "Edm.String", "teamId": "Edm.String"},
        required=frozenset({"channelId", "teamId"}),
        base="teamworkNotificationRecipient",
    ),
    "teamMembersNotificationRecipient": Complex(
        {"teamId": "Edm.String"},
        required=frozenset({"teamId"}),
        base="teamworkNotificationRecipient",
    ),
    "chatMembersNotificationRecipient": Complex(
        {"chatId": "Edm.String"},
        required=frozenset({"chatId"}),
        base="teamworkNotificationRecipient",
    ),
}

_NOTICE = {
    "topic": "graph.teamworkActivityTopic",
    "activityType": "Edm.String",
    "chainId": "Edm.Int64",
    "previewText": "graph.itemBody",
    "teamsAppId": "Edm.String",
    "templateParameters": "Collection(graph.keyValuePair)",
    "iconId": "Edm.String",
}
_ONE = {"recipient": "graph.teamworkNotificationRecipient"}
_MANY = {"recipients": "Collection(graph.teamworkNotificationRecipient)"}
_ATTENDEES = {"attendees": "Collection(graph.attendeeNotificationInfo)"}

SMS = Action(
    "sendVirtualAppointmentSms",
    "onlineMeeting",
    {"messageType": "graph.virtualAppointmentMessageType"} | _ATTENDEES,
)
REMINDER_SMS = Action(
    "sendVirtualAppointmentReminderSms",
    "onlineMeeting",
    {"remindBeforeTimeInMinutesType": "graph.remindBeforeTimeInMinutesType"} | _ATTENDEES,
)
NOTICE_TO_RECIPIENTS = Action("sendActivityNotificationToRecipients", "teamwork", _NOTICE | _MANY)
NOTICE_IN_CHAT = Action("sendActivityNotification", "chat", _NOTICE | _ONE)
NOTICE_IN_TEAM = Action("sendActivityNotification", "team", _NOTICE | _ONE)
NOTICE_TO_USER = Action("sendActivityNotification", "userTeamwork", _NOTICE)

ACTIONS = (
    SMS,
    REMINDER_SMS,
    NOTICE_TO_RECIPIENTS,
    NOTICE_IN_CHAT,
    NOTICE_IN_TEAM,
    NOTICE_TO_USER,
)


class SchemaError(Exception):
    """The body does not fit the action; the message names the place and what is wrong there."""


def check(action: Action, body: Any) -> dict[str, Any]:
    """The body as an object, when it fits the action.

    Raises:
        SchemaError: it does not.
    """
    if not isinstance(body, dict):
        raise SchemaError("the body must be a JSON object")
    for name, value in body.items():
        if name not in action.parameters:
            raise SchemaError(f"the parameter '{name}' does not exist on '{action.name}'")
        _value(action.parameters[name], value, name)
    return body


def _value(kind: str, value: Any, place: str) -> None:
    if value is None:
        return
    if kind.startswith("Collection("):
        _collection(kind[len("Collection(") : -1], value, place)
    elif kind.startswith("Edm."):
        _primitive(kind, value, place)
    elif (name := kind.removeprefix("graph.")) in ENUMS:
        _member(name, value, place)
    else:
        _complex(name, value, place)


def _collection(kind: str, value: Any, place: str) -> None:
    if not isinstance(value, list):
        raise SchemaError(f"'{place}' must be a collection")
    for index, item in enumerate(value):
        if item is None:
            raise SchemaError(f"'{place}[{index}]' may not be null")
        _value(kind, item, f"{place}[{index}]")


def _primitive(kind: str, value: Any, place: str) -> None:
    if kind == "Edm.Int64":
        fits = isinstance(value, int) and not isinstance(value, bool) and value in INT64
    else:
        fits = isinstance(value, str)
    if not fits:
        raise SchemaError(f"'{place}' cannot be read as '{kind}'")


def _member(enum: str, value: Any, place: str) -> None:
    # A sender may not use the member that stands for what older readers do not know yet.
    if value not in ENUMS[enum] or value == "unknownFutureValue":
        raise SchemaError(f"'{place}' is not a member of 'microsoft.graph.{enum}'")


def _complex(name: str, value: Any, place: str) -> None:
    if not isinstance(value, dict):
        raise SchemaError(f"'{place}' must be an object of 'microsoft.graph.{name}'")
    name = _actual_type(name, value, place)
    kind = COMPLEX[name]
    for key, item in value.items():
        if key == "@odata.type":
            continue
        if key not in kind.properties:
            raise SchemaError(f"the property '{key}' does not exist on 'microsoft.graph.{name}'")
        _value(kind.properties[key], item, f"{place}.{key}")
    for key in sorted(kind.required):
        if value.get(key) is None:
            raise SchemaError(f"'{place}.{key}' may not be null or absent")


def _actual_type(declared: str, value: Mapping[str, Any], place: str) -> str:
    given = value.get("@odata.type")
    if given is None:
        if COMPLEX[declared].abstract:
            raise SchemaError(f"'{place}' needs '@odata.type', because its type is abstract")
        return declared
    name = str(given).removeprefix("#").removeprefix("microsoft.graph.")
    known = COMPLEX.get(name)
    qualified = isinstance(given, str) and "microsoft.graph." in given
    if not qualified or known is None or known.abstract or declared not in {name, known.base}:
        raise SchemaError(f"'{place}' has an '@odata.type' that does not fit here")
    return name
