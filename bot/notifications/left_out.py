"""Who is not notified, and why: kept as it is known, and said in its reader's language."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from bot.words import gettext, listed, marked, ngettext

_NAMED = 5
_SENTENCES = {
    "sender": marked("You: nobody can send a notice to himself or herself."),
    "strangers": marked(
        "People of other organizations ({names}): your organization's notices end there."
    ),
    "apps": marked("Apps get no notices."),
    "repeated": marked("People who were named twice get one notice."),
}


@dataclass(frozen=True)
class LeftOut:
    """Some who get no notice. `names` are the first of them, `number` is how many they are.

    `why` is sender, guests, strangers, nameless, apps or repeated; or "said", and the sentence
    stands in place of a name.
    """

    why: str
    names: tuple[str, ...] = ()
    number: int = 0

    @classmethod
    def of(cls, why: str, names: Sequence[str]) -> Self:
        """All of these, for the same reason."""
        return cls(why, tuple(names[:_NAMED]), len(names))

    @property
    def sentence(self) -> str:
        """Who they are, and why they are left out."""
        if self.why == "said":
            return self.names[0]
        names = listed(self.names, besides=self.number - len(self.names))
        if self.why == "guests":
            return ngettext(
                "A guest ({names}): Microsoft doesn't say whether guests get notices, and one that "
                "can't be notified would stop it for the others.",
                "Guests ({names}): Microsoft doesn't say whether guests get notices, and one that "
                "can't be notified would stop it for the others.",
                self.number,
                names=names,
            )
        if self.why == "nameless":
            return ngettext(
                "Somebody without an account: notices need one.",
                "{number} people without an account: notices need one.",
                self.number,
            )
        return gettext(_SENTENCES[self.why], names=names)

    def to_json(self) -> dict[str, Any]:
        """For the ledger."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any] | str) -> Self:
        """What `to_json` gave; or a whole sentence, as it was kept before."""
        if isinstance(found, str):
            return cls("said", (found,))
        return cls(found["why"], tuple(found["names"]), found["number"])
