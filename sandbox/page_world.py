"""What is set for the whole world on the page: faults, consents, teams, a new start."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.gallery import Gallery
from sandbox.page_answers import asked_of, done
from sandbox.snapshot import Snapshots
from sandbox.stage import Stage
from sandbox.world import Person, Team

_LONGEST_NAME = 50  # as in Teams

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
        """What a person does with a team: `{"person": id}` and one more of these.

        `"has_bot"`: add Herald, or remove it; `"name"`: rename it; `"deleted": true`: delete it.
        """
        asked, world = await asked_of(request), self.stage.world
        try:
            team = world.teams[request.match_info["team"]]
            person = world.person(str(asked.get("person")))
        except KeyError:
            raise web.HTTPNotFound(text="No such team or person.") from None
        name = str(asked.get("name") or "").strip()
        if team.deleted or person.id not in team.people_ids or len(name) > _LONGEST_NAME:
            raise web.HTTPBadRequest(text="Not in this team, or too long a name.")
        if name:
            await self.stage.teams.rename_team(person, team, name)
        elif asked.get("deleted") is True:
            await self.stage.teams.delete_team(person, team)
        elif "has_bot" in asked:
            await self._has_bot(person, team, has_bot=bool(asked["has_bot"]))
        world.changed()
        return done()

    async def _has_bot(self, person: Person, team: Team, *, has_bot: bool) -> None:
        if has_bot == team.has_bot:
            return
        teams = self.stage.teams
        place = teams.channel(team, team.channels[0].name)
        await (teams.remove_from if team.has_bot else teams.add_to)(person, place)

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
