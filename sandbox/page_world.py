"""What is set for the whole world on the page: faults, consents, teams, a new start."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.gallery import Gallery
from sandbox.page_answers import asked_of, done
from sandbox.snapshot import Snapshots
from sandbox.stage import Stage

Restart = Callable[[], Awaitable[None]]


class WorldRoutes:
    """The routes of the world. `restart` starts the app anew with nothing kept, if it is ours."""

    def __init__(self, stage: Stage, snapshots: Snapshots, forget: Callable[[], None]) -> None:
        self.stage = stage
        self.snapshots = snapshots
        self.restart: Restart | None = None
        self._gallery = Gallery()
        self._forget = forget

    def routes(self, base: str) -> list[web.RouteDef]:
        """The routes below the sandbox's path."""
        return [
            web.post(f"{base}/phones/{{number}}/read", self._read_phone),
            web.post(f"{base}/faults", self._faults),
            web.post(f"{base}/consents", self._consents),
            web.post(f"{base}/teams/{{team}}", self._team),
            web.post(f"{base}/reset", self._reset),
            web.get(f"{base}/gallery", self._gallery.answer),
        ]

    async def _read_phone(self, request: web.Request) -> web.Response:
        self.snapshots.read_phone(request.match_info["number"])
        return done()

    async def _consents(self, request: web.Request) -> web.Response:
        names = {str(name) for name in (await asked_of(request)).get("consents", [])}
        self.stage.world.tenant_consents = names | {"openid", "profile"}
        self.stage.world.changed()
        return done()

    async def _faults(self, request: web.Request) -> web.Response:
        for name, value in (await asked_of(request)).items():
            if not hasattr(self.stage.world.faults, name):
                raise web.HTTPBadRequest(text=f"No fault {name}.")
            setattr(self.stage.world.faults, name, value)
        self.stage.world.changed()
        return done()

    async def _team(self, request: web.Request) -> web.Response:
        """Add Herald to a team, or remove it: `{"person": id, "has_bot": true}`."""
        asked, world = await asked_of(request), self.stage.world
        try:
            team = world.teams[request.match_info["team"]]
            person = world.person(str(asked.get("person")))
        except KeyError:
            raise web.HTTPNotFound(text="No such team or person.") from None
        if bool(asked.get("has_bot")) != team.has_bot:
            teams = self.stage.teams
            place = teams.channel(team, team.channels[0].name)
            await (teams.remove_from if team.has_bot else teams.add_to)(person, place)
        world.changed()
        return done()

    async def _reset(self, request: web.Request) -> web.Response:
        """Put the world back as it was in the beginning, and let the app forget it."""
        await asked_of(request)
        self.stage.world.put_back()
        self.stage.connector.conversations.by_id.clear()
        self.stage.connector.pace.forget()
        self.snapshots.forget()
        self._forget()
        if self.restart is not None:
            await self.restart()
        self.stage.world.changed()
        return done()
