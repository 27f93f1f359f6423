"""Who a notification is for: people picked, pasted or in a group, each once, without the sender."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.actor import Actor
from bot.errors import HeraldError
from bot.graph.client import PersonFound
from bot.notifications.directory import Directory
from bot.notifications.form import AT_ONCE, AUTO, MAX_RECIPIENTS, NoticeEntry, at_most
from bot.notifications.left_out import LeftOut
from bot.notifications.members import Member, notifiable
from bot.notifications.request import Group, Recipient
from bot.words import gettext, listed, written

BY_NAME_UP_TO = 2_000  # members; beyond, a group is reached at once unless somebody chose
MOST_AT_ONCE = 10_000  # in a larger team none of its members gets what is for all of them
MOST_MEMBERS = 25_000  # as many as a team can have
_MOST_NAMED = 5

ReadRoster = Callable[[Group], Awaitable[Sequence[Member]]]


class NotAMember(HeraldError):
    """You are not a member of this group any more, so you can't notify all of it from here."""


class NobodyToNotify(HeraldError):
    """There is nobody in this group whom you can notify."""


@dataclass(frozen=True)
class Audience:
    """Those who are notified, and those who are not, by why.

    `at_once`: one request for all of the group, and nobody by name. `group` is what is known of it
    by then. `which` are those whom each
    name that several people have may mean. `errors` are sentences by field.
    """

    recipients: tuple[Recipient, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    at_once: bool = False
    which: Mapping[str, tuple[PersonFound, ...]] = field(default_factory=dict)
    group: Group | None = None


@dataclass
class _Gathered:
    """People as they are found, each once."""

    found: dict[str, Recipient]
    guests: dict[str, str] = field(default_factory=dict)  # names by id
    repeated: int = 0

    def add(self, people: Iterable[PersonFound | None]) -> None:
        for person in people:
            if person is None:
                continue
            if person.is_guest:
                self.guests[person.id] = person.name
                continue
            self.repeated += person.id in self.found
            self.found.setdefault(person.id, Recipient(person.id, person.name))


async def resolve(
    directory: Directory,
    actor: Actor,
    token: str,
    entry: NoticeEntry,
    before: tuple[Recipient, ...] = (),
    roster: ReadRoster | None = None,
    limit: int = MOST_MEMBERS,
) -> Audience:
    """Look everybody up; those chosen `before` were, and stay the first. At most `limit` of them.

    Addresses and names that Graph doesn't know are an error of their field, so that they can be
    mended. Raises GraphError when Graph cannot be asked, and what `roster` raises.
    """
    if entry.group and entry.way == AT_ONCE:
        return Audience(at_once=True)
    # All at the same time: whoever pressed the button waits.
    members, by_id, by_address, by_name = await asyncio.gather(
        _members(entry, actor, roster),
        directory.by_id(actor, token, entry.picked_ids),
        directory.by_address(actor, token, entry.addresses),
        directory.by_name(actor, token, entry.names),
    )
    if is_at_once(entry, len(members)):
        return _whole(entry, before)
    gathered = _Gathered({person.id: person for person in before})
    gathered.add(by_id.values())
    gathered.add(by_address.values())
    gathered.add(people[0] for people in by_name.values() if len(people) == 1)
    errors = _unknown(by_id, by_address, by_name)
    which = {name: people for name, people in by_name.items() if len(people) > 1}
    audience = _joined(actor, gathered, members, errors, limit)
    return replace(audience, which=which)


async def _members(entry: NoticeEntry, actor: Actor, roster: ReadRoster | None) -> Sequence[Member]:
    if entry.group is None or roster is None:
        return ()
    members = await roster(entry.group)
    if all(member.user_id != actor.user_id for member in members):
        raise NotAMember
    if len(members) == 1:
        raise NobodyToNotify
    return members


def is_at_once(entry: NoticeEntry, members: int) -> bool:
    """Whether a group of so many members is reached at once, where nobody chose."""
    if entry.way != AUTO or entry.topic == "app":
        return False
    return BY_NAME_UP_TO < members <= MOST_AT_ONCE


def _whole(entry: NoticeEntry, before: tuple[Recipient, ...]) -> Audience:
    if before or entry.has_people:
        sentence = gettext(
            "More than {number} people are reached at once, without others beside them. Choose "
            "“each member by name”, or remove those you added.",
            number=written(BY_NAME_UP_TO),
        )
        return Audience(errors={"way": sentence})
    return Audience(at_once=True)


def _joined(
    actor: Actor,
    gathered: _Gathered,
    members: Sequence[Member],
    errors: dict[str, str],
    limit: int,
) -> Audience:
    """The people and the members, with what there is to say of those left out."""
    of_group, of_others = notifiable(members, actor)
    found = gathered.found
    gathered.repeated += sum(person.id in found for person in of_group)
    found = {**found, **{person.id: found.get(person.id, person) for person in of_group}}
    left_out = []
    if found.pop(actor.user_id, None):
        left_out.append(LeftOut("sender", number=1))
    left_out += of_others
    if gathered.guests:
        left_out.append(LeftOut.of("guests", tuple(gathered.guests.values())))
    if gathered.repeated:
        left_out.append(LeftOut("repeated", number=gathered.repeated))
    if not found and not errors:
        errors = {"recipients": gettext("Choose somebody besides yourself.")}
        if gathered.guests or members:
            nobody = gettext("Nobody is left to notify.")
            why = " ".join(part.sentence for part in left_out)
            errors = {"recipients": f"{nobody} {why}"}
    if len(found) > limit:
        errors["recipient_list"] = over(limit)
    elif len(found) > (most := MOST_MEMBERS if members else MAX_RECIPIENTS):
        errors["recipient_list"] = at_most(most)
    return Audience(tuple(found.values()), tuple(left_out), errors)


def over(limit: int) -> str:
    """What a form says for more people than `AUDIENCE_LIMIT`."""
    return gettext(
        "Your organization lets a notice go to at most {number} people. Choose fewer.",
        number=written(limit),
    )


def _unknown(
    by_id: Mapping[str, PersonFound | None],
    by_address: Mapping[str, PersonFound | None],
    by_name: Mapping[str, tuple[PersonFound, ...]],
) -> dict[str, str]:
    errors = {}
    if any(person is None for person in by_id.values()):
        errors["recipients"] = gettext("Somebody you picked is no longer in your organization.")
    missing = [address for address, person in by_address.items() if person is None]
    missing += [name for name, people in by_name.items() if not people]
    several = [name for name, people in by_name.items() if len(people) > 1]
    sentences = []
    if missing:
        sentences.append(
            gettext(
                "Not found in your organization: {names}. Mend or remove them.",
                names=_first(missing),
            )
        )
    if several:
        sentences.append(
            gettext(
                "Several people may be meant: {names}. Choose below, or write more.",
                names=_first(several),
            )
        )
    if sentences:
        errors["recipient_list"] = " ".join(sentences)
    return errors


def _first(names: Sequence[str]) -> str:
    return listed(names[:_MOST_NAMED], besides=len(names) - _MOST_NAMED)
