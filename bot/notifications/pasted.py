"""A pasted list of people: mail addresses as mail clients copy them, and names."""

import re
from dataclasses import dataclass

_MAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+")
_IN_BRACKETS = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")
_NAME = re.compile(r"(?=[^\W\d_])[^@<>\"\x00-\x1f\x7f]{2,80}")
NOBODY = "none"  # the value of such an input for none of them
_CHOICE = "which_"  # inputs that ask which of several people a name means


@dataclass(frozen=True)
class Pasted:
    """What stands in the list: addresses and names, each once, and what is neither."""

    addresses: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()


def read_pasted(written: str) -> Pasted:
    """Read a list, one a line or with semicolons or commas between.

    `Vance, Adele <adele@contoso.com>` is one address; `Vance, Adele` on a line of its own is one
    name, the family name first; more words with commas are as many names.
    """
    addresses: dict[str, None] = {}
    names: dict[str, str] = {}
    wrong: dict[str, None] = {}
    for piece in _pieces(written):
        bare = _address_of(piece)
        if _MAIL.fullmatch(bare):
            addresses[bare] = None
        elif "@" not in piece and _NAME.fullmatch(piece):
            names.setdefault(folded(piece), piece)
        else:
            wrong[piece[:60]] = None
    return Pasted(tuple(addresses), tuple(names.values()), tuple(wrong))


def without(written: str, names: set[str]) -> str:
    """The list without these names, which are `folded`; the rest as it was written."""
    kept = []
    for line in re.split(r"[\r\n]+", written):
        pieces = list(_pieces(line))
        left = [piece for piece in pieces if folded(piece) not in names]
        if len(left) == len(pieces):
            kept.append(line)
        elif left:
            kept.append("; ".join(left))
    return "\n".join(kept)


def folded(name: str) -> str:
    """A name as names are compared."""
    return " ".join(name.casefold().split())


def choice_id(name: str) -> str:
    """The id of the input that asks which person a name means; it says which name it is."""
    return _CHOICE + folded(name).encode().hex()


def which_of(values: dict[str, str]) -> dict[str, str]:
    """A form's values, where whoever was chosen for a name is picked, and the name is done with."""
    values = dict(values)
    for name in [name for name in values if name.startswith(_CHOICE)]:
        picked = values.pop(name)
        meant = _name_of(name)
        listed = values.get("recipient_list", "")
        if picked in {"", NOBODY} or not meant:
            continue
        if any(folded(one) == meant for one in _pieces(listed)):
            values["recipient_list"] = without(listed, {meant})
            values["recipients"] = ",".join(filter(None, (values.get("recipients", ""), picked)))
    return values


def _name_of(choice: str) -> str:
    try:
        return bytes.fromhex(choice.removeprefix(_CHOICE)).decode()
    except ValueError:
        return ""


def _pieces(written: str) -> list[str]:
    found = []
    for part in re.split(r"[\r\n;]+", written):
        at = 0
        # What stands in brackets ends an entry, whatever commas stood before it.
        while match := _IN_BRACKETS.match(part, at):
            found.append(match.group().strip(" ,\t"))
            at = match.end()
        words = [word.strip() for word in part[at:].split(",")]
        words = [word for word in words if word]
        is_one = len(words) == 2 and all(re.fullmatch(r"[^\s@]+", word) for word in words)
        found += [f"{words[1]} {words[0]}"] if is_one else words
    return [piece for piece in found if piece]


def _address_of(piece: str) -> str:
    match = _IN_BRACKETS.fullmatch(piece)
    return (match["address"] if match else piece).strip().lower()
