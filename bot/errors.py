"""Every error that Herald raises on purpose, and the sentence a person reads for it.

    HeraldError
    ├── CannotStart
    │   └── SettingsError
    ├── NotYours
    ├── StaleButton
    ├── Unreadable                  (bot/sealing.py)
    ├── IdentityError
    │   ├── SignInNeeded
    │   ├── ConsentNeeded
    │   │   └── AdminConsentNeeded
    │   ├── WrongPerson
    │   ├── SignInExpired
    │   ├── TokenTooShort
    │   ├── EntraUnavailable
    │   └── NotConfigured
    └── GraphError                  (bot/graph/errors.py draws the branches below)

The first line of a class's docstring is the sentence the user reads. It is never blamed on the
reader, and it never carries a token, a phone number or the text of a message.
"""

from collections.abc import Iterable

from bot.words import gettext


class HeraldError(Exception):
    """Something went wrong on our side. Nothing more was sent; please try again."""

    @property
    def sentence(self) -> str:
        """The sentence that a person may read: the first line of the class's docstring.

        In the language that is spoken (`bot.words`).
        """
        return gettext((type(self).__doc__ or "").strip().splitlines()[0])

    def __str__(self) -> str:
        """The detail given when raised, or the sentence."""
        return super().__str__() or self.sentence


class CannotStart(HeraldError):
    """Herald can't start."""


class SettingsError(CannotStart):
    """Herald is not set up correctly."""


class NotYours(HeraldError):
    """This belongs to somebody else, so it can't be opened or sent from here."""


class StaleButton(HeraldError):
    """This card is from an earlier time and its button no longer leads anywhere."""


class IdentityError(HeraldError):
    """Herald could not act in your name."""


class SignInNeeded(IdentityError):
    """You need to sign in before Herald can act in your name.

    `claims` is what Entra wants to see of that sign-in, as JSON, or empty.
    """

    def __init__(self, detail: str = "", claims: str = "") -> None:
        super().__init__(detail)
        self.claims = claims


class ConsentNeeded(IdentityError):
    """Herald needs your permission before it can do this in your name.

    `scopes` are the short names of the delegated permissions that were asked for.
    """

    def __init__(self, scopes: Iterable[str] = (), detail: str = "") -> None:
        super().__init__(detail)
        self.scopes = tuple(scopes)


class AdminConsentNeeded(ConsentNeeded):
    """Your administrator needs to approve this before Herald can do it in your name."""


class WrongPerson(IdentityError):
    """The sign-in was completed by somebody else, so nothing of it was kept."""


class SignInExpired(IdentityError):
    """This sign-in has expired or was already used. Please start it again."""


class TokenTooShort(IdentityError):
    """Your organization's sign-ins don't last long enough for this: Graph wants 45 minutes left."""


class EntraUnavailable(IdentityError):
    """Microsoft's sign-in service did not answer. Nothing was sent; please try again."""


class NotConfigured(IdentityError):
    """Herald's own sign-in secret was refused by Entra; your administrator needs to renew it."""
