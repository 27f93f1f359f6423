"""Reviews for which a sign-in has to be renewed first: two questions, one after the other.

In a chat such a review comes a moment later (`belated`). A dialog can't be changed once it was
answered: there the same form says so, and the next press has only one question to wait for.
"""

import asyncio
from collections.abc import Mapping

from bot.errors import HeraldError
from bot.identity.obo import MEETINGS, NOTIFY, Identity
from bot.teams.turn import Turn
from bot.words import gettext, marked
from cards.buttons import Button, ReviewNotice, ReviewText

_SCOPES: Mapping[type[Button], tuple[str, ...]] = {ReviewText: MEETINGS, ReviewNotice: NOTIFY}
_RENEWED = marked(
    "Your sign-in was renewed just now, which took a moment. Please press “Review” again. Nothing "
    "was sent, and everything you entered is still here."
)


class Renewals:
    """Renews what a dialog's button needs before it can be answered in time."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    async def sentence(self, turn: Turn, button: Button | None) -> str:
        """What to say instead of an answer; nothing where the button can be answered."""
        scopes = _SCOPES.get(type(button), ()) if button else ()
        try:
            if not scopes or not await self._identity.is_over(turn.actor, scopes):
                return ""
            async with asyncio.timeout(turn.left_s()):
                await self._identity.token(turn.actor, scopes)
        except TimeoutError:
            pass  # it goes on all the same
        except HeraldError:
            return ""  # what the review itself says of it leads further
        return gettext(_RENEWED)
