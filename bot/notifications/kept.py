"""What a notification's form cannot hold on its card, kept beside it on the server.

A long audience does not fit on a card, and the inputs of one kind of notice are not on the card of
another. Both stay under the form's id, sealed, as long as drafts are kept.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Self

from bot.actor import Actor
from bot.delivery.drafts import Drafts
from bot.delivery.models import Kind
from bot.errors import StaleButton
from bot.notifications.request import Group, Recipient


@dataclass(frozen=True)
class Kept:
    """The people chosen before, the inputs `param_…` of every kind that was filled in, and the
    group that the notice was for, which a form elsewhere can still offer.
    """

    audience: tuple[Recipient, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    group: Group | None = None

    def evolve(
        self,
        *,
        audience: tuple[Recipient, ...] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> Self:
        """A copy with another audience, or with further parameters."""
        return replace(
            self,
            audience=self.audience if audience is None else audience,
            parameters={**self.parameters, **(parameters or {})},
        )


class KeptForms:
    """Reads and writes what is kept beside a form, for its actor alone."""

    def __init__(self, drafts: Drafts) -> None:
        self._drafts = drafts

    async def read(self, actor: Actor, form_id: str) -> Kept:
        """What is kept; nothing when it was never needed, or is too long ago."""
        try:
            draft = await self._drafts.read(actor, _beside(form_id), Kind.NOTICE)
        except StaleButton:
            return Kept()
        audience = tuple(Recipient(**row) for row in draft.request["audience"])
        group = draft.request.get("group")
        return Kept(audience, draft.request["parameters"], Group(**group) if group else None)

    async def keep(self, actor: Actor, form_id: str, kept: Kept) -> None:
        """Keep it; the newest word counts."""
        await self._drafts.keep(actor, _beside(form_id), Kind.NOTICE, asdict(kept))


def _beside(form_id: str) -> str:
    return f"{form_id}+"
