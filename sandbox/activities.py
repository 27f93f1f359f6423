"""Activities as Teams sends them to a bot."""

import uuid
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.conversation import Conversation
from sandbox.world import Person, World

BOT_NAME = "Herald"


def bot_account(world: World) -> dict[str, Any]:
    """The bot as an activity names it: `28:<app id>`."""
    return {"id": f"28:{world.app_id}", "name": BOT_NAME}


def person_account(person: Person) -> dict[str, Any]:
    """A person as an activity names him or her."""
    return {"id": person.teams_id, "name": person.name, "aadObjectId": person.id}


def activity(
    world: World, person: Person, conversation: Conversation, kind: str, **fields: Any
) -> dict[str, Any]:
    """One activity from this person to the bot; `fields` are laid over the usual ones.

    The id is a fresh one unless given. Field names are the wire's (`replyToId`, `value`).
    """
    now = world.now()
    channel_data: dict[str, Any] = {"tenant": {"id": person.tenant_id}}
    if conversation.kind == "channel":
        channel_data |= {"channel": {"id": conversation.id}, "team": {"id": conversation.id}}
    channel_data |= fields.pop("channelData", {})
    base = {
        "type": kind,
        "id": f"f:{uuid.uuid4()}",
        "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "localTimestamp": now.astimezone(ZoneInfo(person.zone)).isoformat(),
        "localTimezone": person.zone,
        "locale": person.locale,
        "channelId": "msteams",
        "from": person_account(person),
        "recipient": bot_account(world),
        "conversation": conversation.account(),
        "channelData": channel_data,
        "entities": [_client_info(person)],
    }
    return {**base, **fields}


def message(
    world: World, person: Person, conversation: Conversation, text: str, **fields: Any
) -> dict[str, Any]:
    """A typed message; in a group chat or channel it mentions the bot, or the bot hears nothing."""
    entities = [_client_info(person)]
    if conversation.kind != "personal":
        mention = f"<at>{BOT_NAME}</at>"
        entities.append({"type": "mention", "mentioned": bot_account(world), "text": mention})
        text = f"{mention} {text}"
    own = {"text": text, "textFormat": "plain", "entities": entities}
    return activity(world, person, conversation, "message", **(own | fields))


def installation(
    world: World, person: Person, conversation: Conversation
) -> tuple[dict[str, Any], ...]:
    """What the bot hears when it is installed in a personal chat, in Teams' order."""
    people = [person_account(person), bot_account(world)]
    source = {"settings": {"selectedChannel": {"id": conversation.id}}}
    return (
        activity(world, person, conversation, "conversationUpdate", membersAdded=people),
        activity(
            world, person, conversation, "installationUpdate", action="add", channelData=source
        ),
    )


def _client_info(person: Person) -> dict[str, Any]:
    return {
        "type": "clientInfo",
        "locale": person.locale,
        "country": person.locale.partition("-")[2],
        "platform": "Web",
        "timezone": person.zone,
    }
