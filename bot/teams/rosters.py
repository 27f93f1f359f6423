"""Who is in a chat, a channel or a team, as the Bot Connector tells it, over all its pages.

`GET v3/conversations/{id}/pagedmembers`: at most 500 a page, each page but the last with a
`continuationToken`. A team's roster is that of its thread id, which is its General channel's.
"""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.delivery.models import Place
from bot.teams.connector import Connector

_MOST_PAGES = 100  # of 500: twice the largest team that Teams allows
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Member:
    """One member: Teams' id (`29:…`; of a bot `28:…`), Entra object id, name, mail.

    `role` is user, guest or anonymous. Whoever has no account has no `user_id`.
    """

    teams_id: str
    user_id: str
    name: str
    mail: str
    role: str
    tenant_id: str


async def members(connector: Connector, place: Place) -> AsyncIterator[Member]:
    """The members of a place's conversation; of a thread those of its channel.

    Raises:
        ConversationGone: the bot isn't in it (403), or it was deleted (404).
        ConnectorError: Teams did not tell.
    """
    conversation = place.conversation_id.partition(";messageid=")[0]
    onward: str | None = None
    for _ in range(_MOST_PAGES):
        page = await connector.members(place.service_url, conversation, continuation_token=onward)
        rows = page.get("members")
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, Mapping):
                yield _member(row)
        told, before = page.get("continuationToken"), onward
        onward = told if isinstance(told, str) and told else None
        if onward is None or onward == before:
            return


def _member(row: Mapping[str, Any]) -> Member:
    user_id = _text(row, "aadObjectId", "objectId").lower()
    return Member(
        teams_id=_text(row, "id"),
        user_id=user_id if _GUID.fullmatch(user_id) else "",
        name=_text(row, "name") or _text(row, "givenName") or _text(row, "userPrincipalName"),
        mail=_text(row, "email", "userPrincipalName"),
        role=(_text(row, "userRole") or "user").lower(),
        tenant_id=_text(row, "tenantId").lower(),
    )


def _text(row: Mapping[str, Any], *names: str) -> str:
    values = (row.get(name) for name in names)
    return next((value.strip()[:200] for value in values if isinstance(value, str) and value), "")
