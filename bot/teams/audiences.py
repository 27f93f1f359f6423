"""Whom a notice may be for, where its form stands: the people of this chat, channel or team.

Which group that is tells the verified activity alone: a form brought elsewhere offers what is
there. What a form was for before stays offered with it, for it was kept on the server.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from bot.delivery.models import Place
from bot.notifications.audience import (
    MOST_AT_ONCE,
    MOST_MEMBERS,
    Audience,
    is_at_once,
    over,
    resolve,
)
from bot.notifications.directory import Directory
from bot.notifications.form import AT_ONCE, AUTO, EACH, NoticeEntry
from bot.notifications.kept import Kept
from bot.notifications.members import Member
from bot.notifications.request import Group, Recipient
from bot.teams.connector_errors import ConnectorError, ConversationGone
from bot.teams.rosters import Rosters, TeamFacts
from bot.teams.turn import Turn
from bot.words import gettext, marked, written

log = structlog.get_logger(__name__)

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_THREAD = re.compile(r"19:[\x21-\x7e]{1,200}")


_NO_ADDRESS = marked(
    "Teams did not say which team this is, so it can't be reached at once. "
    "Choose “each member by name”."
)


_TOO_MANY = marked(
    "This team has {members} members. With more than {most}, Microsoft gives a notice for all of "
    "them at once to nobody. Choose “each member by name”."
)


class GroupGone(ConversationGone):
    """Herald can't see who is there: it is not part of that place, or the place was deleted."""


class Audiences:
    """Offers groups, and finds out who is meant: at most `limit` people."""

    def __init__(self, directory: Directory, rosters: Rosters, limit: int) -> None:
        self._directory = directory
        self._rosters = rosters
        self._limit = limit

    async def resolve(
        self,
        turn: Turn,
        token: str,
        entry: NoticeEntry,
        before: tuple[Recipient, ...],
    ) -> Audience:
        """Everybody who is meant. Raises GraphError, ConnectorError, NotAMember, NobodyToNotify."""

        if entry.group:
            found = await self._way(turn.place, entry, entry.group)
            if isinstance(found, Audience):
                return found
            entry = found

        async def roster(group: Group) -> Sequence[Member]:
            return await self._roster(turn.place, group)

        audience = await resolve(
            self._directory, turn.actor, token, entry, before, roster, self._limit
        )
        return replace(audience, group=entry.group)

    async def _way(self, place: Place, entry: NoticeEntry, group: Group) -> NoticeEntry | Audience:
        """How the group is reached, as far as its size says that; or why not as was chosen."""
        if entry.way != AT_ONCE:
            self._rosters.begin(place, group.roster_id)
        facts = TeamFacts("", "", None)
        if entry.way != EACH and group.thread_id:
            facts = await self._facts(place, group)
        group = _named(group, facts)
        entry = replace(entry, group=group)
        members = facts.members if group.kind == "team" else None
        if entry.way == AT_ONCE:
            if await self._is_over(place, group, members):
                return Audience(errors={"way": over(self._limit)})
            return _at_once(entry, group, members)
        if not group.has_address:
            return replace(entry, way=EACH)
        if entry.way == AUTO and is_at_once(entry, members or 0) and not entry.has_people:
            if await self._is_over(place, group, members):
                return Audience(errors={"audience": over(self._limit)})
            return replace(entry, way=AT_ONCE)
        return entry

    async def _is_over(self, place: Place, group: Group, members: int | None) -> bool:
        """Whether there are too many for one notice; those of all at once are counted by nobody."""
        if self._limit >= MOST_MEMBERS:
            return False
        number = members or len(await self._roster(place, group))
        return number - 1 > self._limit

    async def _facts(self, place: Place, group: Group) -> TeamFacts:
        try:
            return await self._rosters.team(place, group.thread_id)
        except ConversationGone as error:
            raise GroupGone(error.status, error.code) from None
        except ConnectorError as error:
            log.info("audiences.team_not_told", problem=type(error).__name__)
            return TeamFacts("", "", None)

    async def _roster(self, place: Place, group: Group) -> Sequence[Member]:
        try:
            return await self._rosters.whole(place, group.roster_id)
        except ConversationGone as error:
            raise GroupGone(error.status, error.code) from None


def _named(group: Group, facts: TeamFacts) -> Group:
    """The group with what the connector tells of its team, where the activity did not."""
    if group.kind == "channel":
        team_id, team_name = group.team_id or facts.group_id, group.team_name or facts.name
        return replace(group, team_id=team_id, team_name=team_name)
    group_id = group.id or facts.group_id
    return replace(group, id=group_id, team_id=group_id, name=group.name or facts.name)


def _at_once(entry: NoticeEntry, group: Group, members: int | None) -> NoticeEntry | Audience:
    if not group.has_address:
        return Audience(errors={"way": gettext(_NO_ADDRESS)})
    if members is not None and members > MOST_AT_ONCE:
        most = written(MOST_AT_ONCE)
        sentence = gettext(_TOO_MANY, members=written(members), most=most)
        return Audience(errors={"way": sentence})
    return entry


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
        known, name = group_id if _GUID.fullmatch(group_id) else "", _name(team)
        found.append(
            Group("channel", channel_id, channel_id, known, _name(channel), name, team_thread)
        )
        if team_thread:
            found.append(Group("team", known, team_thread, known, name, thread_id=team_thread))
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
