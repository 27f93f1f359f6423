"""Activities as Teams sends them, one whole activity a file, with placeholders for what changes.

A placeholder is `{{name}}`. Where it is all of a string, a value that is no text (the data of a
button) takes its place as it is. Known by themselves:

| placeholder | what |
|---|---|
| `service_url`, `app_id`, `teams_app_id` | of the stage |
| `tenant_id` | the person's tenant |
| `person.id`, `.name`, `.teams_id`, `.mail`, `.locale`, `.zone` | who acts |
| `adele.id`, `adele.name`, … | anybody of the clinic, by given name |
| `conversation.id`, `.name` | a channel's id is without `;messageid=…` |
| `team.id`, `.group_id`, `.name` | the team of a channel: its thread, its group in Entra |
| `activity.id` | a new one each time |
| `now`, `local_now` | the stage's time |
| `root.id` | the message that the thread began with: `message.id` unless given |

Everything else (`message.id`, `text`, `data`, `form_id`) is given by the test.
"""

import json
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.conversation import Conversation
from sandbox.stage import Stage
from sandbox.world import Person

PAYLOADS = Path(__file__).parent / "payloads"
_PLACEHOLDER = re.compile(r"\{\{([a-z_.]+)\}\}")


def recorded(
    name: str,
    stage: Stage,
    person: Person,
    conversation: Conversation | None = None,
    **values: Any,
) -> dict[str, Any]:
    """The activity of `payloads/<name>.json`, from this person, in this conversation.

    The conversation is the person's own chat with the bot unless given. A name with a dot is given
    with `__` for it: `message__id="…"` fills in `{{message.id}}`.

    Raises:
        KeyError: a placeholder has no value.
    """
    place = conversation or stage.teams.chat(person)
    given = {name.replace("__", "."): value for name, value in values.items()}
    known = {**_of_stage(stage), **_of_place(stage, place), **_of_person(stage, person), **given}
    if "message.id" in known:
        known = {"root.id": known["message.id"], **known}
    activity = json.loads((PAYLOADS / f"{name}.json").read_text("utf-8"))
    filled: dict[str, Any] = _filled(activity, known)
    return filled


def _of_stage(stage: Stage) -> dict[str, Any]:
    people = [(who.name.split(" ")[0].lower(), who) for who in stage.world.people.values()]
    return {
        "service_url": stage.connector.service_url,
        "app_id": stage.world.app_id,
        "teams_app_id": stage.world.teams_app_id,
        "activity.id": f"f:{uuid.uuid4()}",
        **{key: value for given, who in people for key, value in _facts(given, who).items()},
    }


def _of_person(stage: Stage, person: Person) -> dict[str, Any]:
    now = stage.world.now()
    return {
        "tenant_id": person.tenant_id,
        "now": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "local_now": now.astimezone(ZoneInfo(person.zone)).isoformat(),
        **_facts("person", person),
    }


def _facts(prefix: str, person: Person) -> dict[str, str]:
    names = ("id", "name", "teams_id", "mail", "locale", "zone")
    return {f"{prefix}.{name}": getattr(person, name) for name in names}


def _of_place(stage: Stage, place: Conversation) -> dict[str, str]:
    known = {"conversation.id": place.id, "conversation.name": place.name}
    if place.kind != "channel":
        return known
    for team in getattr(stage.world, "teams", {}).values():
        if place.id in {team.thread_id, *(channel.id for channel in team.channels)}:
            return {
                **known,
                "team.id": team.thread_id,
                "team.group_id": team.id,
                "team.name": team.name,
            }
    # A channel by itself (`Conversations.shared`) is the General one of a team of its own.
    group = str(uuid.uuid5(uuid.NAMESPACE_URL, place.id))
    return {**known, "team.id": place.id, "team.group_id": group, "team.name": place.name}


def _filled(found: Any, known: Mapping[str, Any]) -> Any:
    if isinstance(found, list):
        return [_filled(item, known) for item in found]
    if isinstance(found, dict):
        return {name: _filled(item, known) for name, item in found.items()}
    if not isinstance(found, str):
        return found
    whole = _PLACEHOLDER.fullmatch(found)
    if whole:
        return known[whole[1]]
    return _PLACEHOLDER.sub(lambda match: str(known[match[1]]), found)
