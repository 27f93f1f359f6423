"""Notifications to all members of a team, a channel or a chat, in one request each.

Rules: "team: sendActivityNotification" and "chat: sendActivityNotification". The caller is a
member, the app is installed there, the group in the body is the one in the address, and a topic
that is an entity lies in that group.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.graph_answers import Answer, Call, bad_request, forbidden, not_found
from sandbox.graph_notices import Notices, ReadEntity, read_notice
from sandbox.graph_query import only
from sandbox.records import GroupChat, Person, Team

MOST_MEMBERS = 10_000  # "none of the team members" of a larger team gets it, and nobody is told
_GRAPH = "https://graph.microsoft.com/v1.0"


class GroupNotices:
    """`sendActivityNotification` of teams and chats; answers 204."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices

    def send_to_team(self, call: Call, body: Mapping[str, Any]) -> Answer:
        """POST /teams/{id}/sendActivityNotification."""
        only(call)
        team = call.world.teams.get(call.params["team"].lower())
        if team is None or team.deleted:
            raise not_found("No team found with Group id.")
        _check_caller(call, team.people_ids, has_app=team.has_bot)
        kind, recipient = _recipient(body)
        if kind == "teamMembers":
            _check_same(recipient["teamId"], team.id)
        elif kind == "channelMembers":
            _check_same(recipient["teamId"], team.id)
            if all(channel.id != recipient["channelId"] for channel in team.channels):
                raise not_found("The channel was not found in the team.")
        elif kind == "chatMembers":
            raise bad_request("A chat's members are not notified in a team.")
        return self._send(call, body, team, _within(f"{_GRAPH}/teams/{team.id}", team.name))

    def send_to_chat(self, call: Call, body: Mapping[str, Any]) -> Answer:
        """POST /chats/{id}/sendActivityNotification."""
        only(call)
        chat = call.world.group_chats.get(call.params["chat"])
        if chat is None:
            raise not_found("The chat was not found.")
        _check_caller(call, chat.member_ids, has_app=chat.has_bot)
        kind, recipient = _recipient(body)
        if kind == "chatMembers":
            _check_same(recipient["chatId"], chat.id)
        elif kind != "aadUser":
            raise bad_request("A team's members are not notified in a chat.")
        return self._send(call, body, chat, _within(f"{_GRAPH}/chats/{chat.id}", chat.name))

    def _send(
        self, call: Call, body: Mapping[str, Any], group: Team | GroupChat, entity: ReadEntity
    ) -> Answer:
        notice = read_notice(call, body, entity)
        ids = group.people_ids if isinstance(group, Team) else group.member_ids
        kind, recipient = _recipient(body)
        if kind == "aadUser":
            person_id = recipient["userId"].lower()
            if person_id not in ids:
                raise forbidden("The recipient is not a member of the group.")
            if person_id == call.actor.id:
                raise forbidden("The sender cannot be the recipient.")
            ids = [person_id]
        elif len(ids) > MOST_MEMBERS:
            return Answer(204)
        people = [call.world.person(person_id) for person_id in ids]
        self._notices.put(call, _reached(call, people), notice)
        return Answer(204, took_effect=True)


def _recipient(body: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    recipient = body.get("recipient")
    if recipient is None:
        raise bad_request("recipient is required.")
    name = str(recipient["@odata.type"]).rpartition(".")[2]
    return name.removesuffix("NotificationRecipient"), recipient


def _check_caller(call: Call, member_ids: Sequence[str], *, has_app: bool) -> None:
    if call.actor.id not in member_ids:
        raise forbidden("The caller is not a member of the group.", "Forbidden")
    if not has_app:
        raise forbidden(
            f"The application with Entra app id '{call.world.app_id}' may not notify the "
            "recipient. Ensure that the expected Teams app is installed in the target scope."
        )


def _check_same(in_body: str, in_path: str) -> None:
    if in_body.lower() != in_path.lower():
        raise bad_request("The recipient's group must be the one in the address.")


def _within(address: str, name: str) -> ReadEntity:
    def read(_: Call, value: str) -> str:
        if value != address and not value.startswith(f"{address}/"):
            raise bad_request("topic.value must be the group in the address, or lie in it.")
        return name

    return read


def _reached(call: Call, people: Sequence[Person]) -> list[Person]:
    """Neither the sender nor guests, of whom the documentation says nothing."""
    return [person for person in people if person.id != call.actor.id and not person.is_guest]
