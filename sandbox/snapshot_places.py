"""The chats and channels of one person, as the page shows them."""

import asyncio
from typing import Any

from sandbox.conversation import OAUTH_CARD, Conversation, Message
from sandbox.world import Person, World


def draw_place(world: World, place: Conversation, me: Person) -> dict[str, Any]:
    """One chat or channel with its messages, as this person sees it."""
    left_s = place.typing_until - asyncio.get_running_loop().time()
    return {
        "id": place.id,
        "kind": place.kind,
        "name": place.name or "Herald",
        "team": _team(place),
        "has_bot": me.has_app if place.kind == "personal" else place.has_bot,
        "member_ids": place.member_ids,
        "typing_ms": max(0, round(left_s * 1000)),
        "messages": [
            _message(world, place, message, me)
            for message in place.messages
            if _is_shown(message, me)
        ],
    }


def _team(place: Conversation) -> dict[str, Any] | None:
    team = place.team
    if team is None:
        return None
    general = place.id == team.thread_id
    return {"id": team.id, "name": team.name, "is_general": general, "has_bot": team.has_bot}


def _is_shown(message: Message, me: Person) -> bool:
    # Teams hides a sign-in card while it signs in silently, and when that went well.
    return message.sign_in not in {"waiting", "done"} and me.id not in message.signed_in_ids


def _message(world: World, place: Conversation, message: Message, me: Person) -> dict[str, Any]:
    sign_in = message.attachments(OAUTH_CARD)
    author = world.people.get(message.person_id or "")
    gone = message.deleted
    return {
        "id": message.id,
        "root": message.root_id,
        "from_bot": message.from_bot,
        "mine": message.person_id == me.id,
        "author": author.name if author else "Herald",
        "author_id": message.person_id,
        "at": message.activity.get("timestamp"),
        "text": "" if gone else message.text,
        "format": message.activity.get("textFormat", "markdown"),
        "via": message.activity.get("via", ""),
        "edited": message.edited,
        "deleted": gone,
        "card": None if gone else message.card(me),
        "refresh": None if gone else _refresh(message, me),
        "sign_in": _sign_in(sign_in[0], place) if sign_in and not gone else None,
    }


def _refresh(message: Message, me: Person) -> int | None:
    """A number that changes when this person's client is to ask for its own view of the card."""
    wish = (message.card() or {}).get("refresh") or {}
    meant = me.teams_id in wish.get("userIds", [me.teams_id])
    return message.edited if wish.get("action") and meant else None


def _sign_in(card: dict[str, Any], place: Conversation) -> dict[str, Any]:
    button: dict[str, Any] = next(iter(card.get("buttons") or []), {})
    return {
        "text": card.get("text", ""),
        "title": button.get("title", "Sign in"),
        "link": button.get("value", ""),
        "exchanges": place.kind == "groupChat" and bool(card.get("tokenExchangeResource")),
    }
