"""Activities as Teams sends them to a bot."""

import uuid
from collections.abc import Iterable
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

    The id is a fresh one unless given. Field names are the wire's (`replyToId`, `value`). In a
    channel, `root_id` names the thread.
    """
    now = world.now()
    channel_data: dict[str, Any] = {
        **conversation.channel_data(),
        "tenant": {"id": person.tenant_id},
        **fields.pop("channelData", {}),
    }
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
        "conversation": conversation.account(fields.pop("root_id", "")),
        "channelData": channel_data,
        "entities": [_client_info(person)],
    }
    return {**base, **fields}


def message(
    world: World,
    person: Person,
    conversation: Conversation,
    text: str,
    *,
    mentions: Iterable[Person] = (),
    to_bot: bool = True,
    **fields: Any,
) -> dict[str, Any]:
    """A typed message.

    Outside of a personal chat it mentions the bot, unless `to_bot` is false, or the bot would hear
    nothing. Where the text has `@Herald`, `@Adele` or `@Adele Vance` the mention takes that place;
    otherwise the bot comes first, and people after the first word.
    """
    entities = [_client_info(person)]
    if conversation.kind != "personal":
        for someone in mentions:
            text = _mentioning(text, person_account(someone), entities, first=False)
        if to_bot:
            text = _mentioning(text, bot_account(world), entities, first=True)
    own = {"text": text, "textFormat": "plain", "entities": entities}
    if len(entities) > 1:
        own["attachments"] = [{"contentType": "text/html", "content": f"<div>{text}</div>"}]
    return activity(world, person, conversation, "message", **(own | fields))


def _mentioning(
    text: str, account: dict[str, Any], entities: list[dict[str, Any]], *, first: bool
) -> str:
    name = account["name"]
    mention = f"<at>{name}</at>"
    mentioned = {"id": account["id"], "name": name}
    entities.append({"type": "mention", "mentioned": mentioned, "text": mention})
    if mention in text:
        return text
    for typed in (f"@{name}", f"@{name.split()[0]}"):
        if typed in text:
            return text.replace(typed, mention, 1)
    if first:
        return f"{mention} {text}"
    # After the word of the command and those who were mentioned before.
    head, _, rest = text.partition(" ")
    end = len(head)
    while text[end:].lstrip().startswith("<at>"):
        end = text.index("</at>", end) + len("</at>")
    return f"{text[:end]} {mention}{text[end:]}" if rest else f"{text} {mention}"


def installation(
    world: World, person: Person, conversation: Conversation
) -> tuple[dict[str, Any], ...]:
    """What the bot hears when it is installed where this person is, in Teams' order."""
    is_personal = conversation.kind == "personal"
    people = [*([person_account(person)] if is_personal else []), bot_account(world)]
    source: dict[str, Any] = {"settings": {"selectedChannel": {"id": conversation.id}}}
    event = {} if is_personal else {"eventType": "teamMemberAdded", "source": {"name": "message"}}
    return (
        activity(
            world,
            person,
            conversation,
            "conversationUpdate",
            membersAdded=people,
            **({} if is_personal else {"channelData": {**source, **event}}),
        ),
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
