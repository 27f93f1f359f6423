"""The short cards: signing in, who am I, what went wrong, and where the results are."""

from dataclasses import dataclass

from bot.words import gettext, marked
from cards.blocks import Tone, aside, banner, for_support, heading, section, sentence
from cards.buttons import SignIn, TryAgain
from cards.elements import (
    AdaptiveCard,
    Element,
    OpenUrl,
    TextInput,
    card,
    execute,
    plain,
    rich_text,
    run,
    sign_in_action,
)


@dataclass(frozen=True)
class SignInView:
    """The sign-in link, where silent sign-in did not come or cannot work.

    `why` is a sentence; `link` opens the consent pop-up (a Teams `signin` action), or, with
    `in_browser`, a page of its own; `then` is the command that goes on afterwards, or nothing.
    """

    why: str
    link: str
    then: str = ""
    in_browser: bool = False


@dataclass(frozen=True)
class AdminConsentView:
    """What only an administrator can approve, with the link to forward."""

    what: str  # "sending appointment texts"
    permission: str  # "VirtualAppointmentNotification.Send"
    link: str
    then: str = ""  # a command's name, offered as a button "Try again"


@dataclass(frozen=True)
class WhoAmIView:
    """Who Herald acts for, and with which permissions; `name` is empty when signed out."""

    name: str
    username: str
    permissions: tuple[str, ...]


@dataclass(frozen=True)
class NoteView:
    """One sentence, with an optional next step. `tone` is good, neutral, or problem."""

    title: str
    sentence: str
    tone: str = "neutral"
    advice: str = ""
    reference: str = ""
    try_again: str = ""  # a command's name, offered as a button "Try again"


@dataclass(frozen=True)
class ResultsView:
    """The results of a delivery as a download, where Teams can't take a file."""

    short_id: str
    link: str  # asks who you are; no name or token in it


_TONES: dict[str, tuple[Tone, str]] = {
    "good": ("good", "✅"),
    "neutral": ("emphasis", "ℹ️"),
    "problem": ("attention", "⚠️"),
}
_ALLOWS = {
    "TeamsActivity.Send": marked("Put notices into activity feeds"),
    "TeamsAppInstallation.ReadForUser": marked("See which Teams apps you have"),
    "User.ReadBasic.All": marked("Look up the names of colleagues"),
    "VirtualAppointmentNotification.Send": marked("Send appointment texts"),
    "OnlineMeetings.Read": marked("Read your online meetings"),
    "Calendars.Read": marked("Read your calendar"),
}


def sign_in(view: SignInView) -> AdaptiveCard:
    """Signing in by hand: Teams opens the link in its own window."""
    if view.in_browser:
        way: Element = OpenUrl(title=gettext("Sign in"), url=view.link, style="positive")
        back = gettext("It opens in your browser. Come back afterwards, and press again.")
        done = [sentence(back)]
    else:
        way, done = sign_in_action(gettext("Sign in"), view.link), []
    return card(
        [heading(gettext("Please sign in")), sentence(view.why), *done],
        [way, *_again(view.then)],
        summary=gettext("Please sign in. {why}", why=view.why),
    )


def admin_consent(view: AdminConsentView) -> AdaptiveCard:
    """What an administrator has to approve once, for everyone."""
    not_yet = gettext("Your organization has not approved {what} with Herald yet.", what=view.what)
    return card(
        [
            heading(gettext("An administrator has to approve this once")),
            sentence(not_yet),
            sentence(gettext("The permission is called {name}.", name=view.permission)),
            sentence(gettext("Are you an administrator? Open the approval page.")),
            sentence(gettext("If not, forward this link. Once it is approved, you can try again.")),
            # An input, because a link in one can be copied whole on every client.
            TextInput(
                id="link", label=gettext("Link to forward"), value=view.link, is_multiline=True
            ),
        ],
        [
            OpenUrl(title=gettext("Open the approval page"), url=view.link),
            *_again(view.then, main=True),
        ],
        summary=gettext("An administrator has to approve {what} once.", what=view.what),
    )


def who_am_i(view: WhoAmIView) -> AdaptiveCard:
    """Who Herald acts for, and what it may do in that name."""
    if not view.name and not view.username:
        return card(
            [
                heading(gettext("You are not signed in")),
                sentence(gettext("Herald can't act in your name now.")),
            ],
            [execute(gettext("Sign in"), SignIn("signin"), main=True)],
            summary=gettext("You are not signed in."),
        )
    return card(
        [
            heading(gettext("You are signed in")),
            rich_text(run(view.name, weight="bolder"), run(f"  {view.username}")),
            *_permissions(view.permissions),
        ],
        [],
        summary=gettext("You are signed in as {name}.", name=view.name or view.username),
    )


def note(view: NoteView) -> AdaptiveCard:
    """One sentence, what to do, and whom to show which number."""
    tone, symbol = _TONES.get(view.tone, _TONES["neutral"])
    body = [sentence(view.sentence)]
    if view.advice:
        body.append(sentence(f"→ {view.advice}"))
    if view.reference:
        body.append(rich_text(run(for_support(view.reference), size="small")))
    return card(
        [banner(tone, symbol, plain(view.title, 120), *body)],
        _again(view.try_again),
        summary=f"{view.title}. {view.sentence}",
    )


def results(view: ResultsView) -> AdaptiveCard:
    """The way to a file that Teams does not take in this place."""
    return card(
        [
            heading(gettext("Your results are ready")),
            sentence(
                gettext("The results of delivery {id}, a line for each person.", id=view.short_id)
            ),
            aside(gettext("The page asks you to sign in: only you can download them.")),
        ],
        [OpenUrl(title=gettext("Download the results"), url=view.link, style="positive")],
        summary=gettext("The results of delivery {id} are ready to download.", id=view.short_id),
    )


def _again(then: str, *, main: bool = False) -> list[Element]:
    return [execute(gettext("Try again"), TryAgain(then), main=main)] if then else []


def _permissions(permissions: tuple[str, ...]) -> list[Element]:
    if not permissions:
        nothing = gettext("You have not allowed Herald anything yet. It asks when it needs to.")
        return [sentence(nothing)]
    return [
        section(gettext("What you allowed Herald to do in your name")),
        *(_permission(name) for name in permissions[:20]),
    ]


def _permission(name: str) -> Element:
    allows = gettext(_ALLOWS[name]) if name in _ALLOWS else name
    return rich_text(
        run(f"• {allows}"),
        *([run(f"  {name}", size="small", isSubtle=True)] if name in _ALLOWS else []),
        spacing="small",
    )
