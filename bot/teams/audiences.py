"""Whom a notice may be for, where its form stands: the people of this chat, channel or team.

Which group that is tells the verified activity alone: a form brought elsewhere offers what is
there. What a form was for before stays offered with it, for it was kept on the server.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.delivery.models import Place
from bot.notifications.audience import Audience, resolve
from bot.notifications.directory import Directory
from bot.notifications.form import AT_ONCE, EACH, NoticeEntry
from bot.notifications.kept import Kept
from bot.notifications.members import Member
from bot.notifications.request import Group, Recipient
from bot.teams.connector_errors import ConversationGone
from bot.teams.rosters import Rosters
from bot.teams.turn import Turn

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_THREAD = re.compile(r"19:[\x21-\x7e]{1,200}")


_NO_ADDRESS = (
    "Teams did not say which team this is, so it can't be reached at once. "
    "Choose “each member by name”."
)


class GroupGone(ConversationGone):
    """Herald can't see who is there: it was removed from that place, or the place was deleted."""


class Audiences:
    """Offers groups, and finds out who is meant."""

    def __init__(self, directory: Directory, rosters: Rosters) -> None:
        self._directory = directory
        self._rosters = rosters

    async def resolve(
        self,
        turn: Turn,
        token: str,
        entry: NoticeEntry,
        before: tuple[Recipient, ...],
    ) -> Audience:
        """Everybody who is meant. Raises GraphError, ConnectorError, NotAMember, NobodyThere."""

        if entry.group and not entry.group.has_address:
            if entry.way == AT_ONCE:
                return Audience(errors={"way": _NO_ADDRESS})
            entry = replace(entry, way=EACH)

        async def roster(group: Group) -> Sequence[Member]:
            return await self._roster(turn.place, group)

        return await resolve(self._directory, turn.actor, token, entry, before, roster)

    async def _roster(self, place: Place, group: Group) -> Sequence[Member]:
        try:
            return await self._rosters.whole(place, group.roster_id)
        except ConversationGone as error:
            raise GroupGone(error.status, error.code) from None


def groups_here(turn: Turn, kept: Kept) -> tuple[Group, ...]:
    """The groups that a form offers: this chat; or this channel and its team; and what it was for
    before."""
    here = _here(turn)
    if kept.group is None:
        return here
    # A form that was for one team is not, by being opened in another, for that one.
    return (kept.group, *(group for group in here if group.kind != kept.group.kind))


def _here(turn: Turn) -> tuple[Group, ...]:
    conversation = turn.place.conversation_id.partition(";messageid=")[0]
    if turn.surface == "groupChat" and _THREAD.fullmatch(conversation):
        return (
            Group("chat", conversation, conversation, name=_name(turn.raw.get("conversation"))),
        )
    if turn.surface != "channel":
        return ()
    data = turn.raw.get("channelData")
    data = data if isinstance(data, Mapping) else {}
    team, channel = _part(data, "team"), _part(data, "channel")
    channel_id = _thread(channel) or conversation
    team_thread, group_id = _thread(team), str(team.get("aadGroupId", "")).lower()
    found = []
    if _THREAD.fullmatch(channel_id):
        known = group_id if _GUID.fullmatch(group_id) else ""
        found.append(Group("channel", channel_id, channel_id, known, _name(channel), _name(team)))
        if team_thread:
            found.append(Group("team", known, team_thread, known, _name(team)))
    return tuple(found)


def _part(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name)
    return found if isinstance(found, Mapping) else {}


def _thread(part: Mapping[str, Any]) -> str:
    found = part.get("id")
    return found if isinstance(found, str) and _THREAD.fullmatch(found) else ""


def _name(part: object) -> str:
    found = part.get("name") if isinstance(part, Mapping) else ""
    return " ".join(found.split())[:100] if isinstance(found, str) else ""
