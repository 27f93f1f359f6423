"""Conversations and their messages, as Teams keeps them."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from sandbox.world import Person, Team, World, new_group_chat

Kind = Literal["personal", "groupChat", "channel"]
ADAPTIVE_CARD = "application/vnd.microsoft.card.adaptive"
OAUTH_CARD = "application/vnd.microsoft.card.oauth"
_NAMESPACE = uuid.UUID("3f6b8a10-4c55-4d86-8f7b-6f0f3a9e1c22")


@dataclass
class Message:
    """One message. `activity` is as its sender sent it, or last updated it."""

    id: str
    activity: dict[str, Any]
    from_bot: bool
    person_id: str | None = None  # who wrote it, when it was not the bot
    root_id: str = ""  # in a channel: the message that its thread began with
    edited: int = 0
    deleted: bool = False
    # What an Action.Execute answered to a person takes the card's place for that person.
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    # A sign-in card waits silently, is done (and hidden), or shows its button.
    sign_in: Literal["", "waiting", "done", "shown"] = ""
    # Where everybody sees the card: who is through with it.
    signed_in_ids: set[str] = field(default_factory=set)

    @property
    def text(self) -> str:
        """The message's text, or an empty one."""
        return str(self.activity.get("text") or "")

    def attachments(self, content_type: str) -> list[dict[str, Any]]:
        """The contents of its attachments of one type."""
        return [
            attachment["content"]
            for attachment in self.activity.get("attachments") or []
            if attachment.get("contentType") == content_type
        ]

    def card(self, person: Person | None = None) -> dict[str, Any] | None:
        """The Adaptive Card that this person sees, or None."""
        if person is not None and person.id in self.views:
            return self.views[person.id]
        return next(iter(self.attachments(ADAPTIVE_CARD)), None)


@dataclass
class Conversation:
    """A chat with the bot, a group chat, or a channel.

    The members of a team's channel are those of the team, and so is whether the bot is in it.
    """

    id: str
    kind: Kind
    own_member_ids: list[str]
    tenant_id: str
    name: str = ""
    own_bot: bool = True
    team: Team | None = None
    # In the roster, and nobody of the world: other bots, people who joined without an account.
    strangers: list[dict[str, Any]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    typing_until: float = 0.0  # time.monotonic()
    changes: int = 0

    @property
    def member_ids(self) -> list[str]:
        """Entra ids of who is in it, guests last."""
        return self.team.people_ids if self.team else self.own_member_ids

    @property
    def has_bot(self) -> bool:
        """Whether the bot is in it."""
        return self.team.has_bot if self.team else self.own_bot

    @has_bot.setter
    def has_bot(self, is_in: bool) -> None:
        if self.team:
            self.team.has_bot = is_in
        else:
            self.own_bot = is_in

    @property
    def deleted(self) -> bool:
        """Whether its team was deleted."""
        return self.team is not None and self.team.deleted

    def message(self, message_id: str) -> Message | None:
        """The message with this id, deleted or not, or None."""
        return next((m for m in self.messages if m.id == message_id), None)

    def account(self, root_id: str = "") -> dict[str, Any]:
        """The conversation, or in a channel the thread of this message, as an activity names it."""
        key = f"{self.id};messageid={root_id}" if root_id else self.id
        account = {"id": key, "conversationType": self.kind, "tenantId": self.tenant_id}
        return account if self.kind == "personal" else {**account, "isGroup": True}

    def channel_data(self) -> dict[str, Any]:
        """What an activity in a channel says of the channel and its team; else nothing."""
        if self.kind != "channel":
            return {}
        # A channel that a test made by itself is the General one of a team of its own.
        team_id = self.team.thread_id if self.team else self.id
        group_id = self.team.id if self.team else str(uuid.uuid5(uuid.NAMESPACE_URL, self.id))
        name = self.team.name if self.team else self.name
        return {
            "teamsChannelId": self.id,
            "teamsTeamId": team_id,
            "channel": {"id": self.id},
            "team": {"id": team_id, "aadGroupId": group_id, "name": name},
        }


class Conversations:
    """Every conversation that the bot could be in. `on_message` hears of the bot's new messages."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.by_id: dict[str, Conversation] = {}
        self.on_message: list[Callable[[Conversation, Message], None]] = []
        self._last_id = 0

    def personal(self, person: Person) -> Conversation:
        """The person's chat with the bot; made when there is none."""
        key = f"a:1{uuid.uuid5(_NAMESPACE, person.id + self.world.app_id).hex}"
        if key not in self.by_id:
            self.by_id[key] = Conversation(key, "personal", [person.id], person.tenant_id)
        return self.by_id[key]

    def shared(self, name: str, people: list[Person], kind: Kind = "groupChat") -> Conversation:
        """A group chat or a channel with the bot in it; the same name gives the same one."""
        if kind == "groupChat":
            return self._known(new_group_chat(self.world, name, people).id)
        key = f"19:{uuid.uuid5(_NAMESPACE, kind + name).hex}@thread.tacv2"
        if key not in self.by_id:
            members = [person.id for person in people]
            self.by_id[key] = Conversation(key, kind, members, self.world.tenant_id, name)
        return self.by_id[key]

    def channel(self, team: Team, name: str) -> Conversation:
        """A team's channel of this name. Raises StopIteration when there is none."""
        return self._known(next(channel.id for channel in team.channels if channel.name == name))

    def find(self, conversation_id: str) -> Conversation | None:
        """The conversation of this id; a channel's thread (`…;messageid=…`) is in its channel."""
        key = conversation_id.partition(";messageid=")[0]
        if key in self.by_id or key in self.world.group_chats or self.world.team_of(key):
            return self._known(key)
        return None

    def of(self, person: Person) -> list[Conversation]:
        """The group chats and channels that this person is in, in the world's order."""
        channels = [
            channel.id
            for team in self.world.teams.values()
            if person.id in team.people_ids and not team.deleted
            for channel in team.channels
        ]
        chats = [c.id for c in self.world.group_chats.values() if person.id in c.member_ids]
        return [self._known(key) for key in [*chats, *channels]]

    def _known(self, key: str) -> Conversation:
        """The conversation of a group chat or channel that is in the world."""
        if key in self.by_id:
            return self.by_id[key]
        tenant_id, team = self.world.tenant_id, self.world.team_of(key)
        if team is None:
            chat = self.world.group_chats[key]
            found = Conversation(key, "groupChat", chat.member_ids, tenant_id, chat.name)
        else:
            name = next(channel.name for channel in team.channels if channel.id == key)
            found = Conversation(key, "channel", [], tenant_id, name, team=team)
        return self.by_id.setdefault(key, found)

    def add(self, conversation: Conversation, message: Message) -> Message:
        """Put a message at the end; tell whoever listens when it is the bot's."""
        conversation.messages.append(message)
        self.touch(conversation)
        if message.from_bot:
            for listener in self.on_message:
                listener(conversation, message)
        return message

    def touch(self, conversation: Conversation) -> None:
        """Count a change, and tell the world."""
        conversation.changes += 1
        self.world.changed()

    def new_id(self) -> str:
        """An activity id as Teams gives them: milliseconds, each later than the one before."""
        self._last_id = max(self._last_id + 1, time.time_ns() // 1_000_000)
        return str(self._last_id)
