"""The form of a notification: from values as they came to an entry, or errors by field.

Everything is checked here, whatever the client checked: fields may be missing, stale or hostile.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.notifications.activity_types import ActivityType, words

PREVIEW_LENGTH = 150  # Teams shows so many characters of `previewText`
PARAMETER_LENGTH = 120
_LINK_LENGTH = 1024  # longer ones are reported to fail with 400
MAX_RECIPIENTS = 2000
_TOPICS = ("chat", "link", "app")
# Read letter by letter, as it is: a parser and a browser may disagree about whose link it is
# (`https://evil.example\@teams.microsoft.com/l/`).
_TEAMS_LINK = re.compile(
    r"https://(teams\.microsoft\.com|teams\.cloud\.microsoft)/l/[^\s\\<>\"\x00-\x20\x7f-\x9f]+"
)
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_MAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+")


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


def read(
    values: Mapping[str, str], kinds: Sequence[ActivityType], *, before: int = 0
) -> tuple[NoticeEntry | None, dict[str, str]]:
    """Read a submitted form, whose audience are `before` people already, and those it adds.

    Returns the entry and no errors, or None and one sentence for each field that needs another
    look.
    """
    errors: dict[str, str] = {}
    kind = next((kind for kind in kinds if kind.type == values.get("activity_type")), None)
    if kind is None:
        return None, {"activity_type": "Choose what kind of notice this is."}
    parameters = _parameters(values, kind, errors)
    topic = values.get("topic") or "chat"
    if topic not in _TOPICS:
        errors["topic"] = "Choose where the notice leads."
    link = values.get("topic_link", "").strip()
    if topic == "link":
        _check_link(link, errors)
    preview = " ".join(values.get("preview", "").split())
    if not preview:
        errors["preview"] = "Write what teammates should know."
    elif len(preview) > PREVIEW_LENGTH:
        errors["preview"] = (
            f"This is {len(preview)} characters long; Teams shows the first {PREVIEW_LENGTH}. "
            "Please shorten it."
        )
    picked = _picked(values.get("recipients", ""), errors)
    addresses = _addresses(values.get("recipient_list", ""), errors)
    if (
        not before + len(picked) + len(addresses)
        and not {"recipients", "recipient_list"} & errors.keys()
    ):
        errors["recipients"] = "Choose at least one teammate, or paste an address."
    if len(picked) + len(addresses) > MAX_RECIPIENTS:
        errors["recipient_list"] = f"Choose at most {MAX_RECIPIENTS} people for one notice."
    if errors:
        return None, errors
    title = " ".join(values.get("topic_title", "").split())[:PREVIEW_LENGTH]
    return NoticeEntry(kind, parameters, topic, title, link, preview, picked, addresses), {}


def _parameters(
    values: Mapping[str, str], kind: ActivityType, errors: dict[str, str]
) -> dict[str, str]:
    found = {}
    for name in kind.parameters:
        value = " ".join(values.get(f"param_{name}", "").split())
        if not value:
            errors[f"param_{name}"] = f"Fill in: {words(name).lower()}."
        elif len(value) > PARAMETER_LENGTH:
            errors[f"param_{name}"] = f"At most {PARAMETER_LENGTH} characters, please."
        found[name] = value
    return found


def _check_link(link: str, errors: dict[str, str]) -> None:
    if not link:
        errors["topic_link"] = "Paste the Teams link that the notice leads to."
    elif not _TEAMS_LINK.fullmatch(link):
        errors["topic_link"] = (
            "Only links into Teams work here: they start with https://teams.microsoft.com/l/. "
            "Use “Copy link” on a message, channel or chat."
        )
    elif len(link) > _LINK_LENGTH:
        errors["topic_link"] = (
            f"This link is too long for Teams: at most {_LINK_LENGTH} characters."
        )


def _picked(written: str, errors: dict[str, str]) -> tuple[str, ...]:
    ids = ids_in(written)
    if any(not _GUID.fullmatch(part) for part in ids):
        errors["recipients"] = "Choose people from the list, please."
        return ()
    return tuple(ids)


def ids_in(written: str) -> list[str]:
    """The people picker's value as Entra object ids, each once, in lower case."""
    return list(dict.fromkeys(part.strip().lower() for part in written.split(",") if part.strip()))


def _addresses(pasted: str, errors: dict[str, str]) -> tuple[str, ...]:
    # "Adele Vance <adele@…>" is how mail clients copy people.
    found: dict[str, None] = {}
    wrong = []
    for part in re.split(r"[\r\n;,]+", pasted):
        piece = part.strip()
        if not piece:
            continue
        bare = re.sub(r"^.*<([^<>]*)>$", r"\1", piece).strip().lower()
        if _MAIL.fullmatch(bare):
            found[bare] = None
        else:
            wrong.append(piece[:60])
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        named = ", ".join(f"“{piece}”" for piece in wrong[:5])
        errors["recipient_list"] = f"Not an e-mail address: {named}{more}."
    return tuple(found)
