"""What "Notify about this message" begins with: the message that its menu was opened on.

Source: "Define messaging extension action commands", Microsoft Teams: `value.messagePayload` of
`composeExtension/fetchTask`, in the shape of Graph's `chatMessage`. Everything in it is hostile and
may be missing; what is taken of it is shown in the form, and people are looked up before anything
leaves.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.notifications.filled import Filled
from bot.notifications.form import PREVIEW_LENGTH
from bot.notifications.links import can_lead_to
from bot.notifications.request import Recipient
from bot.teams.hostile import at, guid, rows, text
from bot.teams.message_text import one_line, words_of_card, words_of_html
from bot.teams.turn import Turn
from bot.words import gettext, listed, marked

_MOST_PEOPLE = 30
_NAME_LENGTH = 100
_CARD_TYPE = "application/vnd.microsoft.card.adaptive"
# Graph's `teamworkUserIdentityType`: these are no accounts of the reader's own organization.
_ELSEWHERE = frozenset(
    {"federateduser", "anonymousguest", "personalmicrosoftaccountuser", "skypeuser", "phoneuser"}
    | {"emailuser"}
)
_NOTHING = marked("Teams did not hand the message over. Fill in the notice by hand, please.")
_DELETED = marked("The message was deleted, so nothing of it was taken.")
_NO_TEXT = marked("The message has no text of its own: write what teammates should know.")
_CUT = marked("The message is longer than a preview, so only its beginning was taken.")
_NO_LINK = marked(
    "The message has no link into Teams, so the notice opens each person's chat with Herald. "
    "You can choose another place below."
)
_GROUPS = marked("A channel, team or tag is mentioned, too: choose its people yourself.")


@dataclass(frozen=True)
class _Someone:
    """Who wrote a message or is mentioned in it. Without an `id`: nobody who can be notified."""

    id: str
    name: str
    is_elsewhere: bool


def about_message(turn: Turn) -> Filled:
    """The form's first values. Never raises, whatever the payload holds."""
    message = turn.value.get("messagePayload")
    if not isinstance(message, Mapping) or not message:
        return Filled(notes=(gettext(_NOTHING),))
    if message.get("deleted") is True or message.get("deletedDateTime"):
        return Filled(notes=(gettext(_DELETED),))
    words, link = _words(message), _link(turn, message)
    people = list(_people(turn, message))
    notes = (
        *([gettext(_CUT)] if len(words) > PREVIEW_LENGTH else []),
        *([] if words else [gettext(_NO_TEXT)]),
        *([] if link else [gettext(_NO_LINK)]),
        *_left_out(people),
        *([gettext(_GROUPS)] if _mentions_a_group(message) else []),
    )
    return Filled(
        recipients=tuple(Recipient(who.id, who.name) for who in people if not who.is_elsewhere),
        preview=words,
        topic_link=link,
        topic_title=_title(message) if link else "",
        notes=notes,
    )


# What it says ------------------------------------------------------------------------------------


def _words(message: Mapping[str, Any]) -> str:
    body = at(message, "body")
    content = text(at(body, "content"))
    if text(at(body, "contentType")).lower() == "text":
        said = one_line(content[: PREVIEW_LENGTH * 20])
    else:
        said = words_of_html(content)
    subject = one_line(text(message.get("subject"))[:PREVIEW_LENGTH])
    if said and subject:
        return f"{subject}: {said}"
    if said or subject:
        return said or subject
    return one_line(text(message.get("summary"))[: PREVIEW_LENGTH * 2]) or _words_of_cards(message)


def _words_of_cards(message: Mapping[str, Any]) -> str:
    """What an app's message says, whose body is empty but for its card."""
    for attachment in rows(message.get("attachments"))[:3]:
        if at(attachment, "contentType") == _CARD_TYPE:
            words = words_of_card(at(attachment, "content"))
            if words:
                return words
    return ""


def _title(message: Mapping[str, Any]) -> str:
    author = _name(at(message, "from", "user")) or _name(at(message, "from", "application"))
    if not author:
        return gettext("A message in Teams")
    return gettext("Message from {author}", author=author)


# Where it is -------------------------------------------------------------------------------------


def _link(turn: Turn, message: Mapping[str, Any]) -> str:
    """Its link, or one made of where the menu was opened; nothing where neither leads into Teams.

    Of a link that is too long the names of team and channel can be spared: they lead nowhere.
    """
    given = quote(text(message.get("linkToMessage"))[:4096], safe="%:/?#[]@!$&'()*+,;=~-._")
    if not given:
        given = _made_link(turn, message)
    head, _, query = given.partition("?")
    spared = [
        part for part in query.split("&") if not part.startswith(("teamName=", "channelName="))
    ]
    shorter = f"{head}?{'&'.join(spared)}" if query else head
    return next((link for link in (given, shorter) if can_lead_to(link)), "")


def _made_link(turn: Turn, message: Mapping[str, Any]) -> str:
    place = turn.place.conversation_id.partition(";messageid=")[0]
    message_id = text(message.get("id"))
    if not place.startswith("19:") or not message_id.isdecimal() or len(message_id) > 20:
        return ""
    address = f"https://teams.microsoft.com/l/message/{quote(place, safe=':@')}/{message_id}"
    if turn.surface == "channel":
        root = text(message.get("replyToId"))
        root = root if root.isdecimal() and len(root) <= 20 else message_id
        return f"{address}?tenantId={turn.actor.tenant_id}&parentMessageId={root}"
    return f"{address}?context=%7B%22contextType%22%3A%22chat%22%7D"


# Whom it is about --------------------------------------------------------------------------------


def _people(turn: Turn, message: Mapping[str, Any]) -> Iterator[_Someone]:
    """Its author and those it mentions, each once, without apps and the reader."""
    users = [at(message, "from", "user")]
    users += [at(mention, "mentioned", "user") for mention in rows(message.get("mentions"))]
    seen = {turn.actor.user_id}
    for user in users:
        someone = _someone(turn, user)
        if someone.id and someone.id not in seen:
            seen.add(someone.id)
            yield someone
        if len(seen) > _MOST_PEOPLE:
            return


def _someone(turn: Turn, user: Any) -> _Someone:
    tenant = guid(at(user, "tenantId"))
    kind = text(at(user, "userIdentityType")).lower()
    return _Someone(
        guid(at(user, "id")),
        # Whose name is gone has left the organization; the review says so, if it is true.
        _name(user) or gettext("Teammate without a name"),
        kind in _ELSEWHERE or (bool(tenant) and tenant != turn.actor.tenant_id),
    )


def _left_out(people: list[_Someone]) -> list[str]:
    names = [who.name for who in people if who.is_elsewhere]
    if not names:
        return []
    return [
        gettext(
            "Not taken, because no notice reaches another organization: {names}.",
            names=listed(names[:5], besides=len(names) - 5),
        )
    ]


def _mentions_a_group(message: Mapping[str, Any]) -> bool:
    mentioned = [at(mention, "mentioned") for mention in rows(message.get("mentions"))]
    return any(at(one, "conversation") or at(one, "tag") for one in mentioned)


def _name(account: Any) -> str:
    return one_line(text(at(account, "displayName"))[:_NAME_LENGTH])
