"""Conversations and their messages, as Teams keeps them."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from sandbox.world import Person, World

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
    edited: int = 0
    deleted: bool = False
    # What an Action.Execute answered to a person takes the card's place for that person.
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    # A sign-in card waits silently, is done (and hidden), or shows its button.
    sign_in: Literal["", "waiting", "done", "shown"] = ""

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
    """A chat with the bot, a group chat, or a channel that the bot is in."""

    id: str
    kind: Kind
    member_ids: list[str]
    tenant_id: str
    name: str = ""
    has_bot: bool = True
    messages: list[Message] = field(default_factory=list)
    typing_until: float = 0.0  # time.monotonic()
    changes: int = 0

    def message(self, message_id: str) -> Message | None:
        """The message with this id, deleted or not, or None."""
        return next((m for m in self.messages if m.id == message_id), None)

    def account(self) -> dict[str, Any]:
        """The conversation as an activity names it."""
        account = {"id": self.id, "conversationType": self.kind, "tenantId": self.tenant_id}
        return account if self.kind == "personal" else {**account, "isGroup": True}


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
        suffix = "tacv2" if kind == "channel" else "v2"
        key = f"19:{uuid.uuid5(_NAMESPACE, kind + name).hex}@thread.{suffix}"
        if key not in self.by_id:
            members = [person.id for person in people]
            self.by_id[key] = Conversation(key, kind, members, self.world.tenant_id, name)
        return self.by_id[key]

    def find(self, conversation_id: str) -> Conversation | None:
        """The conversation of this id; a channel's thread (`…;messageid=…`) is in its channel."""
        return self.by_id.get(conversation_id.partition(";messageid=")[0])

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
