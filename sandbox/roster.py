"""Who is in a conversation, as the Bot Connector tells it."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.conversation import Conversation
from sandbox.limits import Refusal
from sandbox.world import Person, World

MOST_A_PAGE = 500


class Roster:
    """The members' routes. `find` gives the conversation that a request names, or refuses."""

    def __init__(self, world: World, find: Callable[[web.Request], Conversation]) -> None:
        self._world = world
        self._find = find

    def routes(self, conversation: str) -> list[web.RouteDef]:
        """The routes under one conversation's path."""
        return [
            web.get(conversation + "/members", self._all),
            web.get(conversation + "/pagedmembers", self._page),
            web.get(conversation + "/members/{member}", self._one),
        ]

    def team_route(self, path: str) -> web.RouteDef:
        """What the connector tells of a team; `path` has its thread id as `team`."""
        return web.get(path, self._team)

    async def _team(self, request: web.Request) -> web.Response:
        team = self._world.team_of(request.match_info["team"])
        if team is None or team.deleted or team.thread_id != request.match_info["team"]:
            raise Refusal(404, "NotFound", "The team does not exist.")
        if not team.has_bot:
            raise Refusal(403, "BotNotInConversationRoster", "The bot is not part of the team.")
        return web.json_response(
            {
                "id": team.thread_id,
                "name": team.name,
                "aadGroupId": team.id,
                "channelCount": len(team.channels),
                "memberCount": len(team.people_ids),
                "tenantId": self._world.tenant_id,
                "type": "standard",
            }
        )

    async def _all(self, request: web.Request) -> web.Response:
        return web.json_response(self._accounts(request))

    async def _page(self, request: web.Request) -> web.Response:
        everybody = self._accounts(request)
        try:
            start = int(request.query.get("continuationToken") or 0)
            end = start + min(MOST_A_PAGE, max(1, int(request.query.get("pageSize") or 200)))
        except ValueError:
            raise Refusal(400, "BadSyntax", "The paging parameters are not numbers.") from None
        page: dict[str, Any] = {"members": everybody[start:end]}
        if end < len(everybody):
            page["continuationToken"] = str(end)
        return web.json_response(page)

    async def _one(self, request: web.Request) -> web.Response:
        asked = request.match_info["member"]
        for account in self._accounts(request):
            if asked in {account["id"], account["objectId"]}:
                return web.json_response(account)
        raise Refusal(404, "MemberNotFoundInConversation", "Member not found.")

    def _accounts(self, request: web.Request) -> list[dict[str, Any]]:
        conversation = self._find(request)
        people = [_account(self._world.person(key)) for key in conversation.member_ids]
        return [*people, *conversation.strangers]


def _account(person: Person) -> dict[str, Any]:
    given, _, surname = person.name.partition(" ")
    return {
        "id": person.teams_id,
        "name": person.name,
        "objectId": person.id,
        "aadObjectId": person.id,
        "givenName": given,
        "surname": surname,
        "email": person.mail,
        "userPrincipalName": person.mail,
        "tenantId": person.tenant_id,
        "userRole": "guest" if person.is_guest else "user",
    }
