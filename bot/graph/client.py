"""Microsoft Graph as Herald needs it: two sends, and the few things that the forms look up."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4
from zoneinfo import ZoneInfo

from multidict import CIMultiDict

from bot.graph import routes
from bot.graph.attempts import Accepted, open_session
from bot.graph.errors import GraphUnavailable, NotOrganizer, error_of
from bot.graph.records import (
    MeetingEvent,
    OnlineMeeting,
    PersonFound,
    meeting_event,
    online_meeting,
    person,
)
from bot.graph.wire import Wire

__all__ = [
    "Accepted",
    "Graph",
    "MeetingEvent",
    "OnlineMeeting",
    "PersonFound",
    "open_session",
]

MOST_NAMESAKES = 6
MOST_EVENTS = 100  # of a calendar that are read
_IN_A_BATCH = 20  # Graph's limit of requests in one $batch
_ROUNDS = 3  # a $batch's throttled parts are asked again so often
_EVENT_FIELDS = (
    "subject,start,end,isOrganizer,isCancelled,isOnlineMeeting,onlineMeeting,isAllDay,sensitivity"
)
_PERSON_FIELDS = "id,displayName,mail,userPrincipalName"


class Graph(Wire):
    """The calls, each with the token of the person in whose name it is made.

    Every method raises a `bot.graph.errors.GraphError`.
    """

    async def send_appointment_text(
        self,
        token: str,
        meeting_id: str,
        body: bytes | Mapping[str, Any],
        *,
        language: str | None = None,
        client_request_id: str,
    ) -> Accepted:
        """Text a meeting's external attendees, once. `language` is a BCP 47 tag."""
        return await self._text(
            routes.SEND_TEXT, token, meeting_id, body, language, client_request_id
        )

    async def send_reminder_text(
        self,
        token: str,
        meeting_id: str,
        body: bytes | Mapping[str, Any],
        *,
        language: str | None = None,
        client_request_id: str,
    ) -> Accepted:
        """Have a meeting's external attendees reminded a quarter of an hour before it."""
        return await self._text(
            routes.SEND_REMINDER_TEXT, token, meeting_id, body, language, client_request_id
        )

    async def _text(
        self,
        route: routes.Route,
        token: str,
        meeting_id: str,
        body: bytes | Mapping[str, Any],
        language: str | None,
        client_request_id: str,
    ) -> Accepted:
        return await self.post(
            route,
            token,
            body,
            path={"meeting_id": meeting_id},
            headers={"Accept-Language": language} if language else None,
            client_request_id=client_request_id,
        )

    async def send_notification(
        self, token: str, body: bytes | Mapping[str, Any], client_request_id: str
    ) -> Accepted:
        """Put a notice into the feeds of up to 100 people.

        The token needs `routes.SEND_NOTIFICATION.min_token_life_s` left.
        """
        return await self.post(
            routes.SEND_NOTIFICATION, token, body, client_request_id=client_request_id
        )

    async def send_group_notification(
        self,
        token: str,
        recipient: Mapping[str, str],
        body: bytes | Mapping[str, Any],
        client_request_id: str,
    ) -> Accepted:
        """Put a notice into the feeds of all members of a chat, a channel or a team.

        `recipient` is what `bot.graph.bodies.group_recipient` gave for it.
        """
        chat_id = recipient.get("chatId")
        if chat_id:
            route, path = routes.SEND_TO_CHAT, {"chat_id": chat_id}
        else:
            route, path = routes.SEND_TO_TEAM, {"team_id": recipient["teamId"]}
        return await self.post(route, token, body, path=path, client_request_id=client_request_id)

    async def upcoming_meetings(
        self, token: str, start: datetime, end: datetime, zone: str, *, most: int = MOST_EVENTS
    ) -> list[MeetingEvent]:
        """The online meetings that the user organizes in this span, the earliest `most`.

        `start` and `end` are aware; `zone` is the IANA name in which times come back.
        """
        query = {
            "startDateTime": _utc(start),
            "endDateTime": _utc(end),
            "$select": _EVENT_FIELDS,
            "$orderby": "start/dateTime",
            "$top": "50" if most <= MOST_EVENTS else str(most),
        }
        in_utc = {"Prefer": 'outlook.timezone="UTC"'}
        found: list[MeetingEvent] = []
        async for event in self.pages(routes.CALENDAR_VIEW, token, query=query, headers=in_utc):
            meeting = meeting_event(event, ZoneInfo(zone))
            if meeting:
                found.append(meeting)
            if len(found) == most:
                break
        return found

    async def events_by_id(self, token: str, ids: Iterable[str]) -> dict[str, MeetingEvent | None]:
        """The user's own online meetings with these event ids, in UTC; None where there is none."""
        asked = list(dict.fromkeys(ids))
        fields = quote(_EVENT_FIELDS, safe="")
        parts = [f"/me/events/{quote(event_id, safe='')}?$select={fields}" for event_id in asked]
        answers = await self._batched(token, parts)
        return {
            event_id: meeting_event(answer, UTC) if answer else None
            for event_id, answer in zip(asked, answers, strict=True)
        }

    async def meeting_by_join_url(self, token: str, url: str) -> OnlineMeeting | None:
        """The meeting that this link joins, or None when the user is not its organizer.

        Graph shows meetings to their organizer only: an empty answer, 403 and 404 mean the same.
        """
        query = {"$filter": f"JoinWebUrl eq {_literal(url)}"}
        try:
            found = await self.get(routes.MY_MEETINGS, token, query=query)
        except NotOrganizer:
            return None
        return next((online_meeting(one) for one in found.get("value", ())), None)

    async def catalogue_id(self, token: str, external_id: str) -> str | None:
        """The catalogue id of the app with this manifest id, if the user has it installed."""
        query = {
            "$expand": "teamsApp",
            "$filter": f"teamsApp/externalId eq {_literal(external_id)}",
        }
        found = await self.get(routes.MY_APPS, token, query=query)
        apps = (one.get("teamsApp") or {} for one in found.get("value", ()))
        return next((str(app["id"]) for app in apps if app.get("id")), None)

    async def people_by_address(
        self, token: str, addresses: Iterable[str]
    ) -> dict[str, PersonFound | None]:
        """Who has each mail address or sign-in name; None where nobody has, or several do."""
        asked = list(dict.fromkeys(addresses))
        parts = [_by_address(address) for address in asked]
        answers = await self._batched(token, parts)
        return {
            address: _the_one(address, (answer or {}).get("value", ()))
            for address, answer in zip(asked, answers, strict=True)
        }

    async def people_by_name(
        self, token: str, names: Iterable[str]
    ) -> dict[str, tuple[PersonFound, ...]]:
        """Whom each name may mean: those of just this display name, else up to `MOST_NAMESAKES`
        whose display name or surname begins with it.
        """
        asked = list(dict.fromkeys(names))
        answers = await self._batched(token, [_by_name(name) for name in asked])
        return {
            name: _meant(name, (answer or {}).get("value", ()))
            for name, answer in zip(asked, answers, strict=True)
        }

    async def people_by_id(self, token: str, ids: Iterable[str]) -> dict[str, PersonFound | None]:
        """Who has each Entra object id; None where there is nobody."""
        asked = list(dict.fromkeys(ids))
        parts = [
            f"/users/{quote(user_id, safe='')}?$select={quote(_PERSON_FIELDS, safe='')}"
            for user_id in asked
        ]
        answers = await self._batched(token, parts)
        return {
            user_id: person(answer) if answer else None
            for user_id, answer in zip(asked, answers, strict=True)
        }

    async def _batched(self, token: str, parts: Sequence[str]) -> list[Any]:
        """The JSON of many GETs, twenty in a request; None for those that found nothing."""
        answers: dict[int, Any] = {}
        waiting = list(range(len(parts)))
        for attempt in range(1, _ROUNDS + 1):
            again: list[int] = []
            wait_s = 0.0
            for first in range(0, len(waiting), _IN_A_BATCH):
                chosen = waiting[first : first + _IN_A_BATCH]
                for index, part in (await self._batch(token, parts, chosen)).items():
                    outcome = _outcome(part, parts[index])
                    if isinstance(outcome, float):
                        again.append(index)
                        wait_s = max(wait_s, outcome)
                    else:
                        answers[index] = outcome
            if not again:
                break
            if attempt == _ROUNDS or wait_s > self.patience_s:
                raise GraphUnavailable(503, "batchIncomplete")
            waiting = again
            await asyncio.sleep(wait_s)
        return [answers[index] for index in range(len(parts))]

    async def _batch(
        self, token: str, parts: Sequence[str], chosen: Sequence[int]
    ) -> dict[int, Mapping[str, Any]]:
        requests = [{"id": str(index), "method": "GET", "url": parts[index]} for index in chosen]
        answer = await self.read_by_post(
            routes.BATCH, token, {"requests": requests}, client_request_id=str(uuid4())
        )
        came = {int(part["id"]): part for part in (answer or {}).get("responses", ())}
        return {index: came.get(index, {"status": 503}) for index in chosen}


def _outcome(part: Mapping[str, Any], path: str) -> Any:
    """A part's JSON; None where there is nothing; as a float, the seconds to wait for it.

    Raises the GraphError of a part that was refused.
    """
    status = int(part.get("status", 503))
    if status < 300:
        return part.get("body")
    if status in {400, 404}:
        return None  # no such person, or not the form of an id or an address
    error = error_of(status, CIMultiDict(part.get("headers") or {}), part.get("body"), path)
    if status in {429, 503, 504}:
        said: float | None = getattr(error, "retry_after_s", None)
        return 1.0 if said is None else said
    raise error


def _by_address(address: str) -> str:
    either = f"mail eq {_literal(address)} or userPrincipalName eq {_literal(address)}"
    fields = quote(_PERSON_FIELDS, safe="")
    return f"/users?$filter={quote(either, safe='')}&$select={fields}&$top=5"


def _by_name(name: str) -> str:
    either = f"startswith(displayName,{_literal(name)}) or startswith(surname,{_literal(name)})"
    fields = quote(_PERSON_FIELDS, safe="")
    return f"/users?$filter={quote(either, safe='')}&$select={fields}&$top={MOST_NAMESAKES}"


def _meant(name: str, users: Sequence[Mapping[str, Any]]) -> tuple[PersonFound, ...]:
    found = tuple(person(user) for user in users)
    just_so = tuple(one for one in found if one.name.casefold() == name.casefold())
    return just_so if len(just_so) == 1 else found


def _the_one(address: str, users: Sequence[Mapping[str, Any]]) -> PersonFound | None:
    if len(users) > 1:
        # A sign-in name is nobody else's; a mail address can be on several accounts.
        named = address.casefold()
        users = [one for one in users if str(one.get("userPrincipalName")).casefold() == named]
    return person(users[0]) if len(users) == 1 else None


def _literal(text: str) -> str:
    """An OData string: in quotes, with a quote inside doubled."""
    return "'" + text.replace("'", "''") + "'"


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
