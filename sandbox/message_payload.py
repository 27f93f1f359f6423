"""A message as Teams hands it to an action command of its menu: Graph's chatMessage, in short."""

import html
from typing import Any
from urllib.parse import quote

from sandbox.conversation import Conversation, Message
from sandbox.world import Person, World


def message_payload(
    world: World, reader: Person, place: Conversation, message: Message
) -> dict[str, Any]:
    """The `messagePayload` of a `composeExtension/fetchTask` whose context is `message`."""
    activity = message.activity
    payload: dict[str, Any] = {
        "id": message.id,
        "replyToId": message.root_id if message.root_id != message.id else None,
        "createdDateTime": activity.get("timestamp"),
        "lastModifiedDateTime": activity.get("timestamp") if message.edited else None,
        "deleted": message.deleted,
        "importance": "normal",
        "locale": reader.locale.lower(),
        "subject": None,
        "summary": activity.get("summary"),
        "linkToMessage": link_to(world, place, message),
        "from": _author(world, message),
        "body": _body(message),
        "attachments": _attachments(message),
        "mentions": _mentions(world, message),
        "reactions": [],
    }
    return payload


def link_to(world: World, place: Conversation, message: Message) -> str:
    """The address that opens a message in Teams."""
    thread = quote(place.id, safe="")
    address = f"https://teams.microsoft.com/l/message/{thread}/{message.id}"
    if place.kind != "channel":
        return f"{address}?context=%7B%22contextType%22%3A%22chat%22%7D"
    group = place.channel_data()["team"]
    return (
        f"{address}?tenantId={world.tenant_id}&groupId={group['aadGroupId']}"
        f"&parentMessageId={message.root_id}&teamName={quote(group['name'], safe='')}"
        f"&channelName={quote(place.name, safe='')}&createdTime={message.id}"
    )


def _author(world: World, message: Message) -> dict[str, Any]:
    if message.from_bot:
        bot = {
            "applicationIdentityType": "bot",
            "id": world.app_id,
            "displayName": "Herald",
        }
        return {"application": bot, "user": None, "conversation": None, "device": None}
    author = world.person(message.person_id or "")
    return {"application": None, "user": _user(author), "conversation": None, "device": None}


def _user(person: Person) -> dict[str, Any]:
    return {"userIdentityType": "aadUser", "id": person.id, "displayName": person.name}


def _body(message: Message) -> dict[str, str]:
    if message.deleted:
        return {"contentType": "html", "content": ""}
    text = html.escape(message.text, quote=False)
    for index, mention in enumerate(_entities(message)):
        shown = html.escape(str(mention["text"]), quote=False)
        name = html.escape(str(mention["mentioned"]["name"]), quote=False)
        text = text.replace(shown, f'<at id="{index}">{name}</at>', 1)
    cards = "".join(
        f'<attachment id="{message.id}{index}"></attachment>'
        for index, _ in enumerate(_attachments(message))
    )
    return {"contentType": "html", "content": f"<div>{text}</div>{cards}"}


def _attachments(message: Message) -> list[dict[str, Any]]:
    if message.deleted:
        return []
    cards = [
        part
        for part in message.activity.get("attachments") or []
        if str(part.get("contentType", "")).startswith("application/vnd.microsoft.card")
    ]
    return [
        {
            "id": f"{message.id}{index}",
            "contentType": card["contentType"],
            "content": card["content"],
        }
        for index, card in enumerate(cards)
    ]


def _mentions(world: World, message: Message) -> list[dict[str, Any]]:
    people = {person.teams_id: person for person in world.people.values()}
    found = []
    for index, mention in enumerate(_entities(message)):
        person = people.get(mention["mentioned"]["id"])
        application = {"id": world.app_id, "displayName": "Herald"}
        user = _user(person) if person else None
        mentioned = {"user": user, "application": None if person else application}
        found.append(
            {"id": index, "mentionText": mention["mentioned"]["name"], "mentioned": mentioned}
        )
    return found


def _entities(message: Message) -> list[dict[str, Any]]:
    entities = message.activity.get("entities") or []
    return [entity for entity in entities if entity.get("type") == "mention"]
