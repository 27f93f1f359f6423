"""Form ids: minted for one actor, and what a submit is known by for ever."""

import re
import secrets

from bot.actor import Actor
from bot.delivery.models import How, Kind, Succession
from bot.errors import NotYours, StaleButton
from bot.sealing import Stamp

_HOW = "".join(How)
_NAME = re.compile(
    rf"[A-Za-z0-9_-]{{16}}(?:~(?P<how>[{_HOW}])~(?P<id>[0-9a-f]{{32}})(?:~(?P<seen>\d{{1,16}}))?)?"
)


class Forms:
    """Mints form ids and tells whose they are, without keeping any.

    A form id is `<kind>.<name>.<signature over kind, name, tenant and user>`. The name is random,
    and says which delivery's place the form takes, if it does:
    `<random>~<how>~<delivery id>~<newest result seen>`.
    """

    def __init__(self, secret_keys: tuple[str, ...]) -> None:
        self._stamp = Stamp(secret_keys, "form")

    def mint(self, kind: Kind, actor: Actor, succeeds: Succession | None = None) -> str:
        """A new form's id, which only this actor can submit."""
        name = secrets.token_urlsafe(12)
        if succeeds:
            name += f"~{succeeds.how}~{succeeds.delivery_id}~{succeeds.seen_ms}"
        return f"{kind.value}.{name}.{self._stamp.sign(kind.value, name, *actor)}"

    def check(self, form_id: str, kind: Kind, actor: Actor) -> None:
        """Check that this form was minted for this actor.

        Raises:
            StaleButton: it is no form id of this kind.
            NotYours: it was minted for somebody else.
        """
        parts = form_id.split(".")
        if len(parts) != 3 or parts[0] != kind.value or not _NAME.fullmatch(parts[1]):
            raise StaleButton
        if not self._stamp.is_ours(parts[2], kind.value, parts[1], *actor):
            raise NotYours


def succession(form_id: str) -> Succession | None:
    """The delivery whose place a checked form's takes, and how; None if it is a new one."""
    found = _NAME.fullmatch(form_id.split(".")[1])  # every form id, also `each.<id>`, has a dot
    if not found or not found["how"]:
        return None
    return Succession(How(found["how"]), found["id"], int(found["seen"] or 0))
