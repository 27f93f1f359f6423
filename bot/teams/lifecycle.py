"""What Teams tells of the app itself: added, removed, updated; teams and people that come and go.

Source: "Conversation events in your Teams bot". Adding the app is told twice, as a
`conversationUpdate` and as an `installationUpdate`, in no sure order, and by some clouds once: the
first of them is answered, with one welcome. Nothing else is said by itself.
"""

from hashlib import sha256
from typing import Any

import structlog

from bot.delivery.drafts import Once
from bot.errors import HeraldError
from bot.identity.obo import Identity
from bot.teams.openers import doors
from bot.teams.turn import Turn
from cards.elements import payload
from cards.welcome import WelcomeView, welcome

log = structlog.get_logger(__name__)


class Lifecycle:
    """Welcomes, and forgets whom it has to forget."""

    def __init__(self, identity: Identity, once: Once) -> None:
        self._identity = identity
        self._once = once

    async def installation(self, turn: Turn) -> None:
        """`installationUpdate`. What an upgrade of the app brings (`…-upgrade`) is no news."""
        action = turn.raw.get("action")
        if action == "add":
            await self._welcome(turn)
        elif action == "remove":
            await self._removed(turn)

    async def conversation(self, turn: Turn) -> None:
        """`conversationUpdate`: only Herald's own coming and going means anything.

        A team or a channel that is gone shows itself when a card there is drawn: the delivery's
        progress moves to its owner's own chat (`progress`).
        """
        if _names(turn.raw.get("membersAdded"), turn):
            await self._welcome(turn)
        elif _names(turn.raw.get("membersRemoved"), turn):
            await self._removed(turn)

    async def _welcome(self, turn: Turn) -> None:
        if not await self._once.first_time(_key(turn)):
            return
        view = WelcomeView(turn.name)
        if not turn.is_private:
            view = WelcomeView(doors=doors("text", "notify"))
        try:
            await turn.send(payload(welcome(view)))
        except HeraldError as error:
            # Removed again, or a chat in which the bot may not write.
            log.info("welcome.not_said", problem=type(error).__name__)

    async def _removed(self, turn: Turn) -> None:
        await self._once.forget_key(_key(turn))  # added again, it says hello again
        if turn.is_private:
            # Whoever removed the app leaves no sign-in behind; what is scheduled waits for one.
            await self._identity.sign_out(turn.actor)


def _key(turn: Turn) -> str:
    place = turn.place.conversation_id.partition(";messageid=")[0]
    return f"welcome {sha256(f'{turn.actor.tenant_id} {place}'.encode()).hexdigest()}"


def _names(members: Any, turn: Turn) -> bool:
    """Whether the bot is among these people."""
    recipient = turn.raw.get("recipient")
    bot = recipient.get("id") if isinstance(recipient, dict) else None
    found = members if isinstance(members, list) else []
    return bool(bot) and any(isinstance(who, dict) and who.get("id") == bot for who in found)
