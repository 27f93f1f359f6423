"""The form of a notification: from values as they came to an entry, or errors by field.

Everything is checked here, whatever the client checked: fields may be missing, stale or hostile.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.notifications.activity_types import ActivityType, words
from bot.notifications.links import LINK_LENGTH, is_in_teams
from bot.notifications.pasted import Pasted, read_pasted
from bot.notifications.request import Group
from bot.words import gettext, listed, marked, written

PREVIEW_LENGTH = 150  # Teams shows so many characters of `previewText`
PARAMETER_LENGTH = 120
MAX_RECIPIENTS = 2000  # picked and pasted
PEOPLE = "people"  # the value of `audience` for those who are picked and pasted alone
AUTO, EACH, AT_ONCE = "auto", "each", "at_once"  # the values of `way`
_AT_ONCE_TOPIC = marked(
    "A notice for a whole group at once can't lead to the app's page. Choose another place."
)
_AUDIENCE = frozenset({"audience", "recipients", "recipient_list"})
_TOPICS = ("chat", "link", "app")
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class NoticeEntry:
    """What a form says about a notification, read and checked, before people are looked up."""

    kind: ActivityType
    parameters: Mapping[str, str]
    topic: str
    topic_title: str
    topic_link: str
    preview: str
    picked_ids: tuple[str, ...]
    addresses: tuple[str, ...]
    names: tuple[str, ...] = ()
    group: Group | None = None  # whose members get it, besides the people above
    way: str = AUTO  # how the group is reached

    @property
    def has_people(self) -> bool:
        """Whether anybody is named beside the group."""
        return bool(self.picked_ids or self.addresses or self.names)


def read(
    values: Mapping[str, str],
    kinds: Sequence[ActivityType],
    *,
    before: int = 0,
    groups: Sequence[Group] = (),
) -> tuple[NoticeEntry | None, dict[str, str]]:
    """Read a submitted form, whose audience are `before` people already, and those it adds.

    `groups` are those that it may offer where it stands. Returns the entry and no errors, or None
    and one sentence for each field that needs another look.
    """
    errors: dict[str, str] = {}
    kind = next((kind for kind in kinds if kind.type == values.get("activity_type")), None)
    if kind is None:
        return None, {"activity_type": gettext("Choose what kind of notice this is.")}
    parameters = _parameters(values, kind, errors)
    topic = values.get("topic") or "chat"
    if topic not in _TOPICS:
        errors["topic"] = gettext("Choose where the notice leads.")
    link = values.get("topic_link", "").strip()
    if topic == "link":
        _check_link(link, errors)
    preview = " ".join(values.get("preview", "").split())
    if not preview:
        errors["preview"] = gettext("Write what teammates should know.")
    elif len(preview) > PREVIEW_LENGTH:
        errors["preview"] = gettext(
            "This is {number} characters long; Teams shows the first {most}. Please shorten it.",
            number=len(preview),
            most=PREVIEW_LENGTH,
        )
    group, way = _group(values, groups, errors)
    picked = _picked(values.get("recipients", ""), errors)
    pasted = _pasted(values.get("recipient_list", ""), errors)
    _check_audience(before + len(picked), pasted, group, way, topic, errors)
    if errors:
        return None, errors
    title = " ".join(values.get("topic_title", "").split())[:PREVIEW_LENGTH]
    return (
        NoticeEntry(
            kind,
            parameters,
            topic,
            title,
            link,
            preview,
            picked,
            pasted.addresses,
            pasted.names,
            group,
            way,
        ),
        {},
    )


def _group(
    values: Mapping[str, str], groups: Sequence[Group], errors: dict[str, str]
) -> tuple[Group | None, str]:
    chosen, way = values.get("audience") or PEOPLE, values.get("way") or AUTO
    if way not in {AUTO, EACH, AT_ONCE}:
        errors["way"] = gettext("Choose how it goes out.")
    if chosen == PEOPLE:
        return None, way
    group = next((group for group in groups if group.kind == chosen), None)
    if group is None:
        errors["audience"] = gettext(
            "This is not a place where that group can be chosen. Choose people."
        )
    return group, way


def _check_audience(
    people: int,
    pasted: Pasted,
    group: Group | None,
    way: str,
    topic: str,
    errors: dict[str, str],
) -> None:
    number = people + len(pasted.addresses) + len(pasted.names)
    if group is not None and way == AT_ONCE:
        if number:
            errors["recipients"] = gettext(
                "A notice for {everyone} at once can't have other people beside it. Choose “each "
                "member by name”, or remove them.",
                everyone=group.everyone,
            )
        if topic == "app":
            errors["topic"] = gettext(_AT_ONCE_TOPIC)
    elif group is None and not number and not _AUDIENCE & errors.keys():
        errors["recipients"] = gettext(
            "Choose at least one teammate, or paste an address or a name."
        )
    if len(pasted.addresses) + len(pasted.names) > MAX_RECIPIENTS:
        errors["recipient_list"] = at_most(MAX_RECIPIENTS)


def at_most(number: int) -> str:
    """What a field says that names more people than this."""
    return gettext("Choose at most {number} people for one notice.", number=written(number))


def _parameters(
    values: Mapping[str, str], kind: ActivityType, errors: dict[str, str]
) -> dict[str, str]:
    found = {}
    for name in kind.parameters:
        value = " ".join(values.get(f"param_{name}", "").split())
        if not value:
            called = gettext(words(name)).lower()
            errors[f"param_{name}"] = gettext("Fill in: {name}.", name=called)
        elif len(value) > PARAMETER_LENGTH:
            errors[f"param_{name}"] = gettext(
                "At most {number} characters, please.", number=PARAMETER_LENGTH
            )
        found[name] = value
    return found


def _check_link(link: str, errors: dict[str, str]) -> None:
    if not link:
        errors["topic_link"] = gettext("Paste the Teams link that the notice leads to.")
    elif not is_in_teams(link):
        errors["topic_link"] = gettext(
            "Only links into Teams work here: they start with https://teams.microsoft.com/l/. "
            "Use “Copy link” on a message, channel or chat."
        )
    elif len(link) > LINK_LENGTH:
        errors["topic_link"] = gettext(
            "This link is too long for Teams: at most {number} characters.", number=LINK_LENGTH
        )


def _picked(written: str, errors: dict[str, str]) -> tuple[str, ...]:
    ids = ids_in(written)
    if any(not _GUID.fullmatch(part) for part in ids):
        errors["recipients"] = gettext("Choose people from the list, please.")
        return ()
    return tuple(ids)


def ids_in(written: str) -> list[str]:
    """The people picker's value as Entra object ids, each once, in lower case."""
    return list(dict.fromkeys(part.strip().lower() for part in written.split(",") if part.strip()))


def _pasted(written: str, errors: dict[str, str]) -> Pasted:
    pasted = read_pasted(written)
    if pasted.wrong:
        named = [f"“{piece}”" for piece in pasted.wrong[:5]]
        errors["recipient_list"] = gettext(
            "Neither an e-mail address nor a name: {pieces}.",
            pieces=listed(named, besides=len(pasted.wrong) - 5),
        )
    return pasted
