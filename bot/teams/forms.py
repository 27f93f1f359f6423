"""Form ids: minted for one actor, and what a submit is known by for ever."""

import secrets

from bot.actor import Actor
from bot.delivery.models import Kind
from bot.errors import NotYours, StaleButton
from bot.sealing import Stamp


class Forms:
    """Mints form ids and tells whose they are, without keeping any.

    A form id is `<kind>.<random>.<signature over kind, random, tenant and user>`.
    """

    def __init__(self, secret_keys: tuple[str, ...]) -> None:
        self._stamp = Stamp(secret_keys, "form")

    def mint(self, kind: Kind, actor: Actor) -> str:
        """A new form's id, which only this actor can submit."""
        name = secrets.token_urlsafe(12)
        return f"{kind.value}.{name}.{self._stamp.sign(kind.value, name, *actor)}"

    def check(self, form_id: str, kind: Kind, actor: Actor) -> None:
        """Check that this form was minted for this actor.

        Raises:
            StaleButton: it is no form id of this kind.
            NotYours: it was minted for somebody else.
        """
        parts = form_id.split(".")
        if len(parts) != 3 or parts[0] != kind.value:
            raise StaleButton
        if not self._stamp.is_ours(parts[2], kind.value, parts[1], *actor):
            raise NotYours
