"""Form ids: minted for one actor, and what a submit is known by for ever."""

import re
import secrets

from bot.actor import Actor
from bot.delivery.models import Kind
from bot.errors import NotYours, StaleButton
from bot.sealing import Stamp

REPLACES = "r"  # submitting it cancels what still waits of another delivery
CORRECTS = "c"  # what it sends replaces another delivery in the feeds
_NAME = re.compile(r"[A-Za-z0-9_-]{16}(?:~(?P<why>[rc])~(?P<id>[0-9a-f]{32}))?")


class Forms:
    """Mints form ids and tells whose they are, without keeping any.

    A form id is `<kind>.<name>.<signature over kind, name, tenant and user>`. The name is random,
    and says which delivery the form is about, if it is about one: `<random>~<why>~<delivery id>`.
    """

    def __init__(self, secret_keys: tuple[str, ...]) -> None:
        self._stamp = Stamp(secret_keys, "form")

    def mint(self, kind: Kind, actor: Actor, *, why: str = "", delivery_id: str = "") -> str:
        """A new form's id, which only this actor can submit."""
        about = f"~{why}~{delivery_id}" if why else ""
        name = secrets.token_urlsafe(12) + about
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


def about(form_id: str, why: str) -> str:
    """The delivery that a checked form replaces or corrects, or nothing."""
    found = _NAME.fullmatch(form_id.split(".")[1])  # every form id, also `each.<id>`, has a dot
    return str(found["id"]) if found and found["why"] == why else ""
