"""Notifications to many people's activity feeds, and the feeds they arrive in."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.graph_answers import Answer, Call, Refusal, bad_request, forbidden, not_found
from sandbox.graph_limits import FeedLimit
from sandbox.graph_query import only
from sandbox.world import FeedItem, Person

SHORTEST_TOKEN_S = 45 * 60
MOST_RECIPIENTS = 100
LONGEST_LINK = 1024
SHOWN_PREVIEW = 150
CATALOG = "https://graph.microsoft.com/v1.0/appCatalogs/teamsApps/"
TEAMS_LINKS = ("https://teams.microsoft.com/l/", "https://teams.cloud.microsoft/l/")
_NAMES = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Notice:
    """A checked notification, ready to be put into feeds."""

    activity_type: str
    text: str
    preview: str
    topic: str
    link: str
    chain_id: int | None


ReadEntity = Callable[[Call, str], str]


class Notices:
    """`sendActivityNotificationToRecipients`: all of a request's recipients, or a refusal."""

    def __init__(self, limit: FeedLimit) -> None:
        self.limit = limit

    def send(self, call: Call, body: Mapping[str, Any]) -> Answer:
        """POST /teamwork/sendActivityNotificationToRecipients."""
        only(call)
        if call.token_life_s <= SHORTEST_TOKEN_S:
            raise Refusal(
                412, "PreconditionFailed", "The token must have more than 45 minutes to live."
            )
        people = self._recipients(call, body.get("recipients") or [])
        notice = read_notice(call, body, _in_the_catalogue)
        self.put(call, _with_the_app(call, people), notice)
        return Answer(202, took_effect=True)

    def put(self, call: Call, people: Iterable[Person], notice: Notice) -> None:
        """Put a notice into these people's feeds."""
        for person in people:
            self._put(call, person, notice)
        call.world.changed()

    def _recipients(self, call: Call, recipients: Sequence[Mapping[str, Any]]) -> list[Person]:
        if not 1 <= len(recipients) <= MOST_RECIPIENTS:
            raise bad_request(f"recipients must be 1 to {MOST_RECIPIENTS}.")
        people = [_recipient(call, recipient) for recipient in recipients]
        if any(person.id == call.actor.id for person in people):
            raise forbidden("The sender cannot be among the recipients.")
        return list({person.id: person for person in people}.values())

    def _put(self, call: Call, person: Person, notice: Notice) -> None:
        if call.world.limits_enforced and self.limit.drops(person.id):
            return
        feed, replaced = call.world.feeds[person.id], 0
        if notice.chain_id is not None:
            for item in feed:
                if item.chain_id == notice.chain_id and item.actor_id == call.actor.id:
                    replaced = item.replaced + 1
                    feed.remove(item)
                    break
        feed.append(
            FeedItem(
                at=call.world.now(),
                actor_id=call.actor.id,
                activity_type=notice.activity_type,
                text=notice.text,
                preview=notice.preview,
                topic=notice.topic,
                link=notice.link,
                chain_id=notice.chain_id,
                replaced=replaced,
            )
        )


def _recipient(call: Call, recipient: Mapping[str, Any]) -> Person:
    if not str(recipient["@odata.type"]).endswith(".aadUserNotificationRecipient"):
        raise bad_request("Only aadUserNotificationRecipient is supported by this action.")
    person = call.world.people.get(recipient["userId"].lower())
    if person is None or person.tenant_id != call.actor.tenant_id:
        raise not_found("A recipient was not found in the tenant.")
    return person


def _with_the_app(call: Call, people: list[Person]) -> list[Person]:
    having = [person for person in people if person.has_app]
    if len(having) < len(people) and not call.world.faults.skip_not_installed:
        raise forbidden(
            f"The application with Entra app id '{call.world.app_id}' may not notify the "
            "recipient. Ensure that the expected Teams app is installed in the target scope."
        )
    return having


def _check_app(call: Call, teams_app_id: str | None) -> None:
    if teams_app_id is None:
        if call.world.faults.duplicate_app:
            raise Refusal(
                409,
                "Conflict",
                f"Found multiple applications with the same Entra app id '{call.world.app_id}': "
                "a Teams application id is required to resolve which one is meant.",
            )
    elif teams_app_id != call.world.catalog_app_id:
        raise not_found("No Teams app has this catalogue id (teamsAppId).")


def _check_icon(call: Call, icon_id: str | None) -> None:
    icons = call.world.manifest.get("activities", {}).get("activityIcons", [])
    if icon_id is not None and icon_id not in {icon["id"] for icon in icons}:
        raise bad_request("iconId is not declared in the app's manifest.")


def read_notice(call: Call, body: Mapping[str, Any], entity: ReadEntity) -> Notice:
    """What a body says, checked. `entity` gives an entityUrl topic's title, or refuses it."""
    _check_app(call, body.get("teamsAppId"))
    _check_icon(call, body.get("iconId"))
    topic = body.get("topic")
    if topic is None:
        raise bad_request("topic is required.")
    activity_type = body.get("activityType")
    if not activity_type:
        raise bad_request("activityType is required.")
    text = _text(call, activity_type, body.get("templateParameters") or [])
    preview = (body.get("previewText") or {}).get("content") or ""
    shown, link = _topic(call, topic, entity)
    return Notice(activity_type, text, preview[:SHOWN_PREVIEW], shown, link, body.get("chainId"))


def _topic(call: Call, topic: Mapping[str, Any], entity: ReadEntity) -> tuple[str, str]:
    source, value, link = topic.get("source"), topic["value"], topic.get("webUrl")
    if source is None:
        raise bad_request("topic.source is required.")
    if len(value) > LONGEST_LINK or len(link or "") > LONGEST_LINK:
        raise bad_request(f"A topic's value and webUrl have at most {LONGEST_LINK} characters.")
    if link is not None and not link.startswith(TEAMS_LINKS):
        raise bad_request("topic.webUrl must be a deep link into Microsoft Teams.")
    if source == "text":
        if not value.strip():
            raise bad_request("topic.value may not be empty.")
        if link is None:
            raise bad_request("topic.webUrl is required when the source is text.")
        return value, link
    return entity(call, value), link or value


def _in_the_catalogue(call: Call, address: str) -> str:
    if address != CATALOG + call.world.catalog_app_id:
        raise bad_request(
            "topic.value must be the address of the app in the catalogue, by its catalogue id."
        )
    return "Herald"


def _text(call: Call, activity_type: str, parameters: Sequence[Mapping[str, Any]]) -> str:
    template = _template(call, activity_type)
    names = [parameter["name"] for parameter in parameters]
    values = {parameter["name"]: parameter.get("value") for parameter in parameters}
    if len(names) != len(values):
        raise bad_request("A template parameter is given twice.")
    if set(values) != set(_NAMES.findall(template)) - {"actor"}:
        raise bad_request(f"templateParameters must be exactly those of '{activity_type[:64]}'.")
    if any(value is None for value in values.values()):
        raise bad_request("A template parameter has no value.")
    filled = {**values, "actor": call.actor.name}
    return _NAMES.sub(lambda match: str(filled[match[1]]), template)


def _template(call: Call, activity_type: str) -> str:
    if activity_type == "systemDefault":
        return "{systemDefaultText}"
    for declared in call.world.manifest.get("activities", {}).get("activityTypes", []):
        if declared["type"] == activity_type:
            return str(declared["templateText"])
    raise bad_request("activityType is not declared in the app's manifest.")
