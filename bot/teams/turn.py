"""One turn: who is asking, where, and what was said. Read from the verified activity alone."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from zoneinfo import ZoneInfo

from botbuilder.core import TurnContext
from botbuilder.schema import Activity, ActivityTypes, Attachment

from bot.actor import Actor
from bot.delivery.models import Place
from bot.errors import HeraldError
from bot.teams.adapter import RAW
from bot.teams.answers import left_s
from bot.teams.mentions import Mention, said

CARD_TYPE = "application/vnd.microsoft.card.adaptive"

Surface = Literal["personal", "groupChat", "channel"]
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}")


class NobodyNamed(HeraldError):
    """Teams did not say who you are, so Herald can't act in your name."""


@dataclass(frozen=True)
class Turn:
    """What one activity asks.

    `place.activity_id` is the message whose button was pressed, or empty. `text` is what was said
    without mentions of the bot, and `people` are those who were mentioned besides. `value` is the
    activity's value: hostile data. `in_dialog`: what is sent is not posted, for others may read it
    there, or the bot is not in that conversation: it stands in `shown`, for the dialog.
    `signed_in`: this turn goes on after a sign-in, so that none is asked for silently again.
    """

    actor: Actor
    name: str
    place: Place
    surface: Surface
    text: str
    value: Mapping[str, Any]
    raw: Mapping[str, Any] = field(repr=False)
    context: TurnContext = field(repr=False)
    people: tuple[Mention, ...] = ()
    in_dialog: bool = False
    signed_in: bool = False
    shown: list[Mapping[str, Any]] = field(default_factory=list, repr=False)
    began: float = field(default_factory=time.monotonic, repr=False, compare=False)

    @property
    def is_private(self) -> bool:
        """Whether only the actor reads the answer."""
        return self.in_dialog or self.surface == "personal"

    def left_s(self) -> float:
        """What is left of the time within which this turn is to be answered, in seconds."""
        return left_s(self.began, in_chat=self.raw.get("type") != ActivityTypes.invoke)

    @property
    def message_id(self) -> str:
        """The id of the message that was typed, or nothing."""
        return _words(self.raw.get("id"), 200)

    def for_dialog(self, value: object = None) -> "Turn":
        """The same turn, answered for the actor alone. `value` takes the place of its value."""
        return replace(
            self,
            value=value if isinstance(value, Mapping) else {},
            # The message that the dialog was opened from, if any, is not the pressed card.
            place=replace(self.place, activity_id=""),
            in_dialog=True,
            shown=[],
        )

    async def send(self, card: Mapping[str, Any], *, summary: str = "") -> str:
        """Send a card as a new message; returns its activity id. In a dialog, show it there."""
        if self.in_dialog:
            self.shown.append(card)
            return ""
        sent = await self.context.send_activity(card_message(card, summary=summary))
        return str(sent.id) if sent and sent.id else ""


def card_message(card: Mapping[str, Any], *, summary: str = "") -> Activity:
    """A message that is one card. `summary` is what notifications and lists show of it."""
    return Activity(
        type=ActivityTypes.message,
        summary=summary or str(card.get("fallbackText", "")) or None,
        attachments=[Attachment(content_type=CARD_TYPE, content=card)],
    )


def read_turn(context: TurnContext) -> Turn:
    """The turn of a verified activity.

    Raises:
        NobodyNamed: the activity names no user or no tenant (a connector, a bot).
    """
    raw: Mapping[str, Any] = context.turn_state[RAW]
    tenant = tenant_of(raw)
    user = _guid(_at(raw, "from", "aadObjectId"))
    if not tenant or not user:
        raise NobodyNamed
    value, heard = raw.get("value"), said(raw)
    surface = _surface(raw)
    return Turn(
        actor=Actor(tenant, user),
        name=_words(_at(raw, "from", "name")),
        place=_place(raw, surface),
        surface=surface,
        text=heard.words,
        people=heard.people,
        value=value if isinstance(value, Mapping) else {},
        raw=raw,
        context=context,
    )


def _place(raw: Mapping[str, Any], surface: Surface) -> Place:
    # The compose box works where the bot is no member, and can't post.
    is_shared = surface != "personal" and not str(raw.get("name", "")).startswith("composeExt")
    return Place(
        service_url=str(raw.get("serviceUrl", "")),
        conversation_id=str(_at(raw, "conversation", "id") or ""),
        activity_id=_words(raw.get("replyToId"), 200),
        locale=locale_of(raw),
        zone=_zone(raw),
        is_shared=is_shared,
        owner_id=_words(_at(raw, "from", "id"), 200) if is_shared else "",
        owner_name=_words(_at(raw, "from", "name")) if is_shared else "",
    )


def tenant_of(raw: Mapping[str, Any]) -> str:
    """The tenant that a verified activity comes from, or nothing where it names none."""
    return _guid(_at(raw, "channelData", "tenant", "id")) or _guid(
        _at(raw, "conversation", "tenantId")
    )


def _at(found: Any, *path: str) -> Any:
    for name in path:
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def _guid(found: Any) -> str:
    text = found.lower() if isinstance(found, str) else ""
    return text if _GUID.fullmatch(text) else ""


def _words(found: Any, limit: int = 100) -> str:
    return found[:limit] if isinstance(found, str) else ""


def _surface(raw: Mapping[str, Any]) -> Surface:
    kind = _at(raw, "conversation", "conversationType")
    if kind == "channel":
        return "channel"
    # What is of no known kind may have others in it.
    is_group = bool(kind) or _at(raw, "conversation", "isGroup") is True
    return "groupChat" if is_group and kind != "personal" else "personal"


def locale_of(raw: Mapping[str, Any]) -> str:
    """The locale of the client that a verified activity comes from; `en-US` where it tells none."""
    return next(filter(None, map(_known_locale, _told(raw, "locale", "locale"))), "en-US")


def _known_locale(found: Any) -> str:
    return found if isinstance(found, str) and _LOCALE.fullmatch(found) else ""


def _zone(raw: Mapping[str, Any]) -> str:
    return next(filter(None, map(_known_zone, _told(raw, "localTimezone", "timezone"))), "UTC")


def _told(raw: Mapping[str, Any], name: str, of_client: str) -> list[Any]:
    # Teams says it twice: on the activity, and among what it tells of the client. Not always both.
    entities = raw.get("entities")
    told = [_at(part, of_client) for part in entities] if isinstance(entities, list) else []
    return [raw.get(name), *told]


def _known_zone(found: Any) -> str:
    name = _words(found, 60)
    try:
        return ZoneInfo(name).key if name else ""
    except (KeyError, ValueError, OSError):
        return ""
