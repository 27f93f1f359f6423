"""A notification as it was asked for: checked, frozen, ready to become batches."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Self

from bot.notifications.left_out import LeftOut
from bot.words import gettext, marked

_EVERYONE = {
    "chat": marked("everyone in this chat"),
    "channel": marked("everyone in this channel"),
    "team": marked("everyone in this team"),
}
_EVERYONE_THERE = {
    "chat": marked("everyone in the chat it was sent from"),
    "channel": marked("everyone in the channel it was sent from"),
    "team": marked("everyone in the team it was sent from"),
}


@dataclass(frozen=True)
class Topic:
    """Where a notice leads. `choice` is what the form offered: chat, link or app.

    Graph's two forms: `text` with a title and a Teams link, and `entityUrl` with the address of
    the app's catalogue entry, which has no link of its own.
    """

    choice: str
    source: str  # text or entityUrl
    value: str
    web_url: str = ""

    def body(self) -> dict[str, str]:
        """As Graph's `teamworkActivityTopic`."""
        found = {"source": self.source, "value": self.value}
        return found | ({"webUrl": self.web_url} if self.web_url else {})


@dataclass(frozen=True)
class Recipient:
    """One teammate: an Entra object id, and the name to show."""

    id: str
    name: str


@dataclass(frozen=True)
class Group:
    """A chat, a channel or a team that a notice is for.

    `id` is the chat's or channel's id in Teams, or the team's Entra group id; `team_id` the group
    id of a channel's team. `roster_id` is the conversation whose members it has.
    """

    kind: str  # chat, channel or team
    id: str
    roster_id: str
    team_id: str = ""
    name: str = ""
    team_name: str = ""  # of a channel's team
    thread_id: str = ""  # of its team, by which the connector knows it

    @property
    def has_address(self) -> bool:
        """Whether Graph can be asked to reach all of it at once."""
        return bool(self.id) and (self.kind != "channel" or bool(self.team_id))

    @property
    def everyone(self) -> str:
        """`everyone in Care team`; where the form stands, also `everyone in this chat`."""
        return self._named or gettext(_EVERYONE[self.kind])

    @property
    def everyone_there(self) -> str:
        """The same, said elsewhere."""
        if not self.name and self.kind == "channel" and self.team_name:
            return gettext("everyone in a channel of {team}", team=self.team_name)
        return self._named or gettext(_EVERYONE_THERE[self.kind])

    @property
    def _named(self) -> str:
        return gettext("everyone in {name}", name=self.name) if self.name else ""


@dataclass(frozen=True)
class NoticeRequest:
    """One notification, with every value that the form had, so that it can be changed.

    For a `group`, `recipients` are its members by name; or, `at_once`, nobody: then one request
    names the group, and reaches whoever is a member when it arrives.
    """

    activity_type: str
    parameters: Mapping[str, str]
    topic: Topic
    preview: str
    recipients: tuple[Recipient, ...]
    text: str  # the template, filled in
    left_out: tuple[LeftOut, ...] = ()
    catalogue_id: str = ""
    leaves_at: datetime | None = None  # None: at once
    values: Mapping[str, str] = field(default_factory=dict)
    group: Group | None = None
    at_once: bool = False

    def to_json(self) -> dict[str, Any]:
        """For the ledger, sealed there."""
        leaves_at = self.leaves_at.isoformat() if self.leaves_at else None
        return asdict(self) | {"leaves_at": leaves_at}

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Self:
        """What `to_json` gave."""
        return cls(
            **{
                **found,
                "topic": Topic(**found["topic"]),
                "recipients": tuple(Recipient(**row) for row in found["recipients"]),
                "left_out": tuple(LeftOut.from_json(some) for some in found["left_out"]),
                "group": Group(**found["group"]) if found.get("group") else None,
                "leaves_at": (
                    datetime.fromisoformat(found["leaves_at"]) if found["leaves_at"] else None
                ),
            }
        )
