"""A conversation's members, and who of them can be notified."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.actor import Actor
from bot.notifications.request import Recipient

_NAMED = 5
_GUESTS = (
    "Microsoft doesn't say whether guests get notices, and one that can't be notified would stop "
    "it for the others"
)


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
) -> tuple[tuple[Recipient, ...], tuple[str, ...]]:
    """Those who can be notified, each once, and a sentence for each group of others.

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
    told = [
        guests_left_out(guests),
        named("People of other organizations", strangers, "your organization's notices end there"),
        "Somebody without an account: notices need one." if nameless == 1 else "",
        f"{nameless:,} people without an account: notices need one." if nameless > 1 else "",
        "Apps get no notices." if apps else "",
    ]
    return tuple(found.values()), tuple(filter(None, told))


def guests_left_out(names: Sequence[str]) -> str:
    """Who of the guests is left out, and why."""
    return named("Guests" if len(names) > 1 else "A guest", names, _GUESTS)


def named(who: str, names: Sequence[str], why: str) -> str:
    """`Guests (Ada, Ben and 3 more): why.`; nothing for nobody."""
    if not names:
        return ""
    rest = len(names) - _NAMED
    more = f" and {rest:,} more" if rest > 0 else ""
    return f"{who} ({', '.join(names[:_NAMED])}{more}): {why}."
