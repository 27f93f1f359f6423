"""What the page shows, as JSON: the world as one person sees it, and everybody's phones."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sandbox.snapshot_places import draw_place
from sandbox.stage import Stage
from sandbox.timeline import timeline
from sandbox.world import FeedItem, Person, PhoneText, Team

USER_PERMISSIONS = (
    "User.ReadBasic.All",
    "TeamsActivity.Send",
    "TeamsAppInstallation.ReadForUser",
    "Calendars.Read",
    "OnlineMeetings.Read",
)
ADMIN_PERMISSIONS = ("VirtualAppointmentNotification.Send",)


class Snapshots:
    """Draws snapshots of one stage, and remembers what has been read."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._feed_read: dict[str, datetime] = {}
        self._phone_read: dict[str, int] = {}

    def forget(self) -> None:
        """Nothing has been read."""
        self._feed_read.clear()
        self._phone_read.clear()

    def read_feed(self, person: Person) -> None:
        """This person has looked at the activity feed."""
        self._feed_read[person.id] = self.stage.world.now()
        self.stage.world.changed()

    def read_phone(self, number: str) -> None:
        """Somebody has looked at this phone."""
        self._phone_read[number] = len(self.stage.world.phones.get(number, []))
        self.stage.world.changed()

    def draw(self, me: Person) -> dict[str, Any]:
        """Everything, as this person's page shows it."""
        world = self.stage.world
        places = [self.stage.teams.chat(me), *self.stage.connector.conversations.of(me)]
        return {
            "me": me.id,
            "people": [self._person(person) for person in world.people.values()],
            "tenant_consents": sorted(world.tenant_consents),
            "permissions": {"user": USER_PERMISSIONS, "admin": ADMIN_PERMISSIONS},
            "faults": asdict(world.faults),
            "phones": [
                self._phone(number, texts) for number, texts in world.phones.items() if texts
            ],
            "places": [draw_place(world, place, me) for place in places],
            "teams": [_team(team) for team in world.teams.values()],
            "commands": {
                scope: _commands(world.manifest, scope)
                for scope in ("personal", "team", "groupChat")
            },
            "extension": [_command(command) for command in _extension(world.manifest)],
            "timeline": timeline(world),
            "entra_url": self.stage.entra.url,
        }

    def _person(self, person: Person) -> dict[str, Any]:
        feed = self.stage.world.feeds.get(person.id, [])
        read_at = self._feed_read.get(person.id)
        items = [_feed_item(item, read_at) for item in feed]
        return {
            **{name: getattr(person, name) for name in _PERSON_FIELDS},
            "consents": sorted(person.consents),
            "feed": sorted(items, key=_at, reverse=True),
            "unread": sum(item["unread"] for item in items),
        }

    def _phone(self, number: str, texts: list[PhoneText]) -> dict[str, Any]:
        return {
            "number": number,
            "unread": len(texts) - self._phone_read.get(number, 0),
            "texts": [
                {**asdict(text), "at": _iso(text.at), "starts_at": _iso(text.starts_at)}
                for text in texts
            ],
        }


_PERSON_FIELDS = (
    "id", "name", "mail", "title", "zone", "locale", "is_admin", "is_guest", "has_premium",
    "has_app",
)  # fmt: skip


def _team(team: Team) -> dict[str, Any]:
    return {"id": team.id, "name": team.name, "has_bot": team.has_bot, "deleted": team.deleted}


def _commands(manifest: dict[str, Any], scope: str) -> list[dict[str, str]]:
    # Teams offers the manifest's commands of a scope above the typing box.
    lists = [found for bot in manifest.get("bots", []) for found in bot.get("commandLists", [])]
    fitting = [found for found in lists if scope in found.get("scopes", [])]
    return [command for found in fitting[:1] for command in found.get("commands", [])]


def _extension(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    parts = manifest.get("composeExtensions", [])
    return [command for part in parts for command in part.get("commands", [])]


def _command(command: dict[str, Any]) -> dict[str, Any]:
    parameters = command.get("parameters") or [{}]
    return {
        "id": command["id"],
        "title": command["title"],
        "description": command.get("description", ""),
        "type": command.get("type", "query"),
        "context": command.get("context", ["compose", "commandBox"]),
        "hint": parameters[0].get("title") or parameters[0].get("description") or "Search",
    }


def _at(item: dict[str, Any]) -> str:
    return str(item["at"])


def _iso(moment: datetime) -> str:
    return moment.isoformat()


def _feed_item(item: FeedItem, read_at: datetime | None) -> dict[str, Any]:
    return {
        **asdict(item),
        "at": _iso(item.at),
        # A 64-bit chain id is more than JavaScript's numbers hold.
        "chain_id": None if item.chain_id is None else str(item.chain_id),
        "unread": read_at is None or item.at > read_at,
    }


class Deltas:
    """Snapshots for one open page, without what it has already.

    A message that did not change since is sent as its id alone, and an unchanged timeline not at
    all.
    """

    def __init__(self, draw: Callable[[], dict[str, Any]]) -> None:
        self._draw = draw
        self._sent: dict[str, str] = {}
        self._last = ""

    def next(self) -> str:
        """The next snapshot as JSON, or an empty text when nothing changed."""
        snapshot = self._draw()
        whole = _digest(snapshot)
        if whole == self._last:
            return ""
        self._last = whole
        for place in snapshot["places"]:
            place["messages"] = [self._short(message) for message in place["messages"]]
        if self._sent.get("timeline") == (drawn := _digest(snapshot["timeline"])):
            del snapshot["timeline"]
        self._sent["timeline"] = drawn
        return json.dumps(snapshot)

    def _short(self, message: dict[str, Any]) -> dict[str, Any]:
        digest = _digest(message)
        if self._sent.get(message["id"]) == digest:
            return {"id": message["id"]}
        self._sent[message["id"]] = digest
        return {**message, "digest": digest}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
