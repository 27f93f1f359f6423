"""What one person does on the page, each a POST below that person's address."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sandbox.activities import BOT_NAME
from sandbox.calls import Answer
from sandbox.conversation import Conversation
from sandbox.page_answers import answered, asked_of, done
from sandbox.snapshot import Snapshots
from sandbox.stage import Stage
from sandbox.world import Person

_Asked = dict[str, Any]
_Doing = Callable[[Person, _Asked], Awaitable[Answer]]


class PersonRoutes:
    """The routes of one person; `asked` is what the page sent along."""

    def __init__(self, stage: Stage, snapshots: Snapshots) -> None:
        self.stage = stage
        self.snapshots = snapshots
        self._welcomed: set[str] = set()

    def forget(self) -> None:
        """Nobody has opened the chat yet."""
        self._welcomed.clear()

    def routes(self, person: str) -> list[web.RouteDef]:
        """The routes below the person's path."""
        answering: dict[str, _Doing] = {
            "press": self._press,
            "dialog": self._dialog,
            "verify": self._verify,
            "exchange": self._exchange,
            "refresh": self._refresh,
            "typeahead": self._typeahead,
            "compose": self._compose,
            "compose-submit": self._compose_submit,
            "search": self._search,
            "select": self._select,
        }
        return [
            web.post(f"{person}/open", self._open),
            web.post(f"{person}/say", self._say),
            web.post(f"{person}/insert", self._insert),
            web.post(f"{person}/read", self._read_feed),
            web.post(f"{person}/settings", self._settings),
            *(
                web.post(f"{person}/{name}", self._answering(doing))
                for name, doing in answering.items()
            ),
        ]

    def person(self, request: web.Request) -> Person:
        """The person whose address it is, or 404."""
        try:
            return self.stage.world.person(request.match_info["person"])
        except KeyError:
            raise web.HTTPNotFound(text="No such person.") from None

    def _answering(self, doing: _Doing) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            person, asked = self.person(request), await asked_of(request)
            try:
                return answered(await doing(person, asked))
            except (LookupError, TypeError) as error:
                raise web.HTTPBadRequest(text=str(error)) from None

        return handle

    def _place(self, person: Person, asked: _Asked) -> Conversation:
        """The chat or channel that is named; the person's own chat where none is."""
        place = self.stage.connector.conversations.find(str(asked.get("place") or ""))
        if place is None:
            return self.stage.teams.chat(person)
        if person.id not in place.member_ids:
            raise LookupError("this person is not in that conversation")
        return place

    async def _open(self, request: web.Request) -> web.Response:
        # Opening the chat for the first time is what installs the bot.
        person = self.person(request)
        if person.has_app and person.id not in self._welcomed:
            self._welcomed.add(person.id)
            await self.stage.teams.install(person)
        return done()

    async def _say(self, request: web.Request) -> web.Response:
        person, asked = self.person(request), await asked_of(request)
        text = str(asked.get("text", "")).strip()
        if not text:
            raise web.HTTPBadRequest(text="No text.")
        try:
            place = self._place(person, asked)
        except LookupError as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        to_bot = place.kind == "personal" or f"@{BOT_NAME}" in text
        members = [self.stage.world.person(person_id) for person_id in place.member_ids]
        mentions = [member for member in members if f"@{member.name}" in text]
        status = await self.stage.teams.say(
            person, text, place, mentions, to_bot=to_bot, thread=str(asked.get("thread") or "")
        )
        return web.json_response({"status": status, "heard": to_bot and place.has_bot})

    async def _press(self, person: Person, asked: _Asked) -> Answer:
        return await self.stage.teams.press(
            person,
            str(asked.get("message_id")),
            asked["action"],
            asked.get("inputs") or {},
            state=str(asked.get("state") or ""),
        )

    async def _dialog(self, person: Person, asked: _Asked) -> Answer:
        message_id = str(asked.get("message_id") or "")
        place = self._place(person, asked)
        return await self.stage.teams.submit_dialog(
            person, asked.get("data"), place, message_id=message_id
        )

    async def _verify(self, person: Person, asked: _Asked) -> Answer:
        code, place = str(asked.get("code", "")), self._place(person, asked)
        return await self.stage.teams.verify_state(person, code, place)

    async def _exchange(self, person: Person, asked: _Asked) -> Answer:
        return await self.stage.teams.exchange(person, str(asked.get("message_id")))

    async def _refresh(self, person: Person, asked: _Asked) -> Answer:
        answer = await self.stage.teams.refresh(person, str(asked.get("message_id")))
        return answer or Answer(204)

    async def _typeahead(self, person: Person, asked: _Asked) -> Answer:
        return await self.stage.teams.typeahead(
            person,
            asked.get("message_id") or None,
            str(asked["dataset"]),
            str(asked.get("query", "")),
            dialog=bool(asked.get("dialog")),
            conversation=self._place(person, asked),
        )

    async def _compose(self, person: Person, asked: _Asked) -> Answer:
        return await self.stage.teams.compose(
            person,
            str(asked["command_id"]),
            self._place(person, asked),
            **_extension(asked),
        )

    async def _compose_submit(self, person: Person, asked: _Asked) -> Answer:
        return await self.stage.teams.submit_compose(
            person,
            str(asked["command_id"]),
            asked.get("data"),
            self._place(person, asked),
            **_extension(asked),
        )

    async def _search(self, person: Person, asked: _Asked) -> Answer:
        return await self.stage.teams.search(
            person,
            str(asked["command_id"]),
            str(asked.get("query", "")),
            self._place(person, asked),
            context=str(asked.get("context") or "compose"),
            state=str(asked.get("state") or ""),
        )

    async def _select(self, person: Person, asked: _Asked) -> Answer:
        return await self.stage.teams.select_item(
            person, asked.get("value"), self._place(person, asked)
        )

    async def _insert(self, request: web.Request) -> web.Response:
        person, asked = self.person(request), await asked_of(request)
        try:
            place, text = self._place(person, asked), str(asked.get("text") or "")
            self.stage.teams.insert(person, asked["attachment"], place, text)
        except (LookupError, TypeError) as error:
            raise web.HTTPBadRequest(text=str(error)) from None
        return done()

    async def _read_feed(self, request: web.Request) -> web.Response:
        self.snapshots.read_feed(self.person(request))
        return done()

    async def _settings(self, request: web.Request) -> web.Response:
        person, asked = self.person(request), await asked_of(request)
        if "has_premium" in asked:
            person.has_premium = bool(asked["has_premium"])
        if "consents" in asked:
            person.consents = {str(name) for name in asked["consents"]} | {"offline_access"}
        if "has_app" in asked and bool(asked["has_app"]) != person.has_app:
            teams = self.stage.teams
            await (teams.install(person) if asked["has_app"] else teams.uninstall(person))
        self.stage.world.changed()
        return done()


def _extension(asked: _Asked) -> dict[str, Any]:
    return {
        "context": str(asked.get("context") or "compose"),
        "message_id": asked.get("message_id") or None,
        "state": str(asked.get("state") or ""),
    }
