"""A conversation's members, and who of them can be notified."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.actor import Actor
from bot.notifications.left_out import LeftOut
from bot.notifications.request import Recipient


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


def notifiable(
    members: Iterable[Member], actor: Actor
) -> tuple[tuple[Recipient, ...], tuple[LeftOut, ...]]:
    """Those who can be notified, each once, and the others by why they can't.

    The actor is among them: whoever adds people from elsewhere leaves the sender out once.
    """
    found: dict[str, Recipient] = {}
    guests, strangers = [], []
    nameless = apps = 0
    for member in members:
        if member.teams_id.startswith("28:"):
            apps += 1
        elif not member.user_id:
            nameless += 1
        elif member.role == "guest":
            guests.append(member.name)
        elif member.tenant_id and member.tenant_id != actor.tenant_id:
            strangers.append(member.name)
        else:
            found.setdefault(member.user_id, Recipient(member.user_id, member.name))
    others = (
        LeftOut.of("guests", guests),
        LeftOut.of("strangers", strangers),
        LeftOut("nameless", number=nameless),
        LeftOut("apps", number=apps),
    )
    return tuple(found.values()), tuple(some for some in others if some.number)
