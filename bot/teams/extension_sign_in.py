"""Signing in inside the messaging extension: silently first, then by Teams' own pop-up.

Source: "Enable SSO for message extensions" and "Add authentication to your message extension",
Microsoft Teams. An answer `silentAuth` brings the same invoke again with `authentication.token`, an
answer `auth` brings it with `state`, the code of the pop-up's last page.
"""

from typing import Any

from bot.errors import SignInExpired
from bot.identity.obo import Identity
from bot.teams.hostile import at, text
from bot.teams.turn import Turn
from bot.words import gettext


class ExtensionSignIn:
    """Takes what a reissued invoke brings, and asks for what is missing."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    async def take(self, turn: Turn, scopes: tuple[str, ...]) -> None:
        """Complete the sign-in that came with this invoke, if one did.

        Raises IdentityError; `WrongPerson` where it was somebody else's, of which nothing is kept.
        """
        token, code = text(at(turn.value, "authentication", "token")), text(turn.value.get("state"))
        if token:
            await self._identity.exchange(turn.actor, token, scopes)
        elif code:
            try:
                await self._identity.finish(turn.actor, code)
            except SignInExpired:
                # Teams may send the same code twice; the first one signed its owner in.
                if await self._identity.who(turn.actor) is None:
                    raise

    async def ask(self, turn: Turn, scopes: tuple[str, ...]) -> dict[str, Any]:
        """The answer that makes Teams sign its user in and send the same invoke again.

        When that came back with something and it still won't do, the pop-up is next.
        """
        link = await self._identity.sign_in_link(turn.actor, scopes, then="")
        action = {"type": "openUrl", "value": link, "title": gettext("Sign in")}
        kind = "auth" if came_back(turn) else "silentAuth"
        return {"composeExtension": {"type": kind, "suggestedActions": {"actions": [action]}}}


def came_back(turn: Turn) -> bool:
    """Whether this invoke is one that was sent again after a sign-in."""
    return "authentication" in turn.value or "state" in turn.value
