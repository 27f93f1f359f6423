"""Teams, channels and group chats: made, joined by the app, renamed, deleted."""

from collections.abc import Iterable
from typing import Any

from sandbox import activities
from sandbox.calls import Answer
from sandbox.conversation import Conversation
from sandbox.teams_client import Client
from sandbox.world import Person, Team, new_team


class Places(Client):
    """What people do with the places that they share. Guests are told by `Person.is_guest`."""

    def team(
        self, name: str, people: Iterable[Person], channels: Iterable[str] = ("General",)
    ) -> Team:
        """A team with the bot in it; the same name gives the same one."""
        return new_team(self.world, name, people, channels)

    def channel(self, team: Team, name: str = "General") -> Conversation:
        """A team's channel. Raises StopIteration when it has none of this name."""
        return self.connector.conversations.channel(team, name)

    def group(self, name: str, people: Iterable[Person]) -> Conversation:
        """A group chat with the bot in it; the same name gives the same one."""
        return self.connector.conversations.shared(name, list(people))

    async def add_to_team(self, person: Person, team: Team) -> Answer:
        """Install the app in a team, and tell the bot."""
        return await self.add_to(person, self.channel(team, team.channels[0].name))

    async def add_to(self, person: Person, place: Conversation) -> Answer:
        """Install the app in a group chat or a channel's team, and tell the bot."""
        place.has_bot = True
        answer = Answer(0)
        for activity in activities.installation(self.world, person, place):
            answer = await self.send(activity)
        return answer

    async def remove_from(self, person: Person, place: Conversation) -> Answer:
        """Remove the app from a group chat or a channel's team, and tell the bot."""
        place.has_bot = False
        bot = [activities.bot_account(self.world)]
        removed = {"eventType": "teamMemberRemoved"} if place.team else {}
        await self._tell(person, place, membersRemoved=bot, channelData=removed)
        activity = activities.activity(
            self.world, person, place, "installationUpdate", action="remove"
        )
        return await self.send(activity)

    async def add_person(self, person: Person, newcomer: Person, team: Team) -> Answer:
        """Make somebody a member, or a guest, of a team, and tell the bot."""
        ids = team.guest_ids if newcomer.is_guest else team.member_ids
        if newcomer.id not in ids:
            ids.append(newcomer.id)
        accounts = [activities.person_account(newcomer)]
        event = {"eventType": "teamMemberAdded"}
        return await self._tell_team(person, team, membersAdded=accounts, channelData=event)

    async def rename_team(self, person: Person, team: Team, name: str) -> Answer:
        """Give a team another name, and tell the bot."""
        team.name = name
        return await self._tell_team(person, team, channelData={"eventType": "teamRenamed"})

    async def delete_team(self, person: Person, team: Team) -> Answer:
        """Delete a team, and tell the bot, to which its conversations are 404 from now on."""
        team.deleted = True
        return await self._tell_team(person, team, channelData={"eventType": "teamDeleted"})

    async def _tell_team(self, person: Person, team: Team, **fields: Any) -> Answer:
        return await self._tell(person, self.channel(team, team.channels[0].name), **fields)

    async def _tell(self, person: Person, place: Conversation, **fields: Any) -> Answer:
        activity = activities.activity(self.world, person, place, "conversationUpdate", **fields)
        return await self.send(activity)
