"""Microsoft's own local client beside the sandbox's page: the door it comes in by.

The Microsoft 365 Agents Playground knows no keys of Teams, so what it sends is signed here, as the
channel would; and its people are given the ids of the clinic's, or Entra would know nobody. What
it lacks (single sign-on, dialogs from cards, people pickers) it says itself.
"""

import json
from pathlib import Path

from aiohttp import web

from sandbox.activities import BOT_NAME
from sandbox.stage import Stage
from sandbox.world import Person

PATH = "/playground/messages"
CONFIGURATION = ".m365agentsplayground.yml"
_OTHERS = 5  # with more, the playground (0.2.28) ends at its start without a word


class Playground:
    """Signs what the playground sends, and writes the file that it is set up by."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def routes(self) -> list[web.RouteDef]:
        """Where the playground is told that the bot's endpoint is."""
        return [web.post(PATH, self._messages)]

    async def _messages(self, request: web.Request) -> web.Response:
        # A web page has no business here: a browser names the page that a request comes from.
        if "Origin" in request.headers:
            raise web.HTTPForbidden
        try:
            activity = json.loads(await request.text())
        except ValueError:
            raise web.HTTPBadRequest(text="Not JSON.") from None
        if not isinstance(activity, dict):
            raise web.HTTPBadRequest(text="Not an activity.")
        answer = await self._stage.teams.send(activity)
        if not answer.status:
            raise web.HTTPGatewayTimeout
        return web.json_response(answer.body, status=answer.status)

    def configure(self, folder: Path) -> Path:
        """Write the playground's configuration into this folder: its people are the clinic's."""
        folder.mkdir(parents=True, exist_ok=True)
        world = self._stage.world
        first, *others = world.people.values()
        configuration = {
            "version": "0.1.1",
            "tenantId": world.tenant_id,
            "bot": {"id": f"28:{world.app_id}", "name": BOT_NAME},
            "currentUser": _user(first),
            "users": [_user(person) for person in others[:_OTHERS]],
            "personalChat": {"id": "a:playground-chat"},
            "groupChat": {"id": "19:playground-group@thread.v2", "name": "Group chat"},
            "team": {
                "id": "19:playground-team@thread.tacv2",
                "name": "Front desk",
                "aadGroupId": world.teams_app_id,
                "channels": [{"id": "19:playground-channel@thread.tacv2", "name": "Appointments"}],
            },
        }
        path = folder / CONFIGURATION
        # JSON is YAML too.
        path.write_text(json.dumps(configuration, indent=2), "utf-8")
        return path


def _user(person: Person) -> dict[str, str]:
    given, _, surname = person.name.partition(" ")
    return {
        "id": person.teams_id,
        "name": person.name,
        "userPrincipleName": person.mail,
        "aadObjectId": person.id,
        "givenName": given,
        "surname": surname,
        "email": person.mail,
    }
