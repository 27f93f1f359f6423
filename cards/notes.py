"""The short cards: welcome, help, signing in and out, who am I, and what went wrong."""

from dataclasses import dataclass

from cards.blocks import Tone, aside, banner, heading, section, sentence
from cards.buttons import OpenNotice, OpenText, SignIn, TryAgain
from cards.elements import (
    AdaptiveCard,
    Element,
    OpenUrl,
    TextInput,
    card,
    execute,
    opens_dialog,
    plain,
    rich_text,
    run,
    sign_in_action,
)
from cards.opener import Door


@dataclass(frozen=True)
class CommandLine:
    """One command in the help: what to type, and what it does."""

    name: str
    summary: str


@dataclass(frozen=True)
class WelcomeView:
    """The first card, on installation: in one's own chat, or, with doors, where others read."""

    name: str = ""
    doors: tuple[Door, ...] = ()


@dataclass(frozen=True)
class HelpView:
    """All commands; for an unknown word also the nearest one. `doors` as in the welcome."""

    commands: tuple[CommandLine, ...]
    unknown: str = ""
    nearest: str = ""
    doors: tuple[Door, ...] = ()


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
    "TeamsActivity.Send": "Put notices into activity feeds",
    "TeamsAppInstallation.ReadForUser": "See which Teams apps you have",
    "User.ReadBasic.All": "Look up the names of colleagues",
    "VirtualAppointmentNotification.Send": "Send appointment texts",
    "OnlineMeetings.Read": "Read your online meetings",
    "Calendars.Read": "Read your calendar",
}


def welcome(view: WelcomeView) -> AdaptiveCard:
    """The first card: what Herald does, and a button for each."""
    if view.doors:
        return _welcome_all(view)
    return card(
        [
            _title("Hello, ", view.name, "Hello"),
            sentence("I am Herald. I send two kinds of messages, always in your name:"),
            *_two_jobs(),
            aside("You see everything before it is sent. Write “help” for all commands."),
        ],
        _jobs(),
        summary=f"Hello {view.name}. Herald sends appointment texts and notifications.",
    )


def _welcome_all(view: WelcomeView) -> AdaptiveCard:
    return card(
        [
            heading("Hello, everybody"),
            sentence("I am Herald. I send two kinds of messages, each in the sender's own name:"),
            *_two_jobs(),
            sentence(
                "Mention me with a command: “@Herald notify”, “@Herald text”, “@Herald help”."
            ),
            aside(
                "Each of you gets a form of his or her own, which nobody else sees. Here it says "
                "only what kind of message was sent, by whom, and to how many."
            ),
        ],
        _jobs(view.doors),
        summary="Hello. Herald sends appointment texts and notifications. Mention it to begin.",
    )


def help_card(view: HelpView) -> AdaptiveCard:
    """All commands; for an unknown word the nearest one first."""
    return card(
        [
            *([_unknown_word(view)] if view.unknown else []),
            heading("What you can write to me"),
            *(_job("", line.name, line.summary) for line in view.commands),
            *([aside("Mention me: “@Herald” and the command.")] if view.doors else []),
        ],
        _jobs(view.doors),
        summary="The commands: " + ", ".join(line.name for line in view.commands),
    )


def sign_in(view: SignInView) -> AdaptiveCard:
    """Signing in by hand: Teams opens the link in its own window."""
    if view.in_browser:
        way: Element = OpenUrl(title="Sign in", url=view.link, style="positive")
        done = [sentence("It opens in your browser. Come back afterwards, and press again.")]
    else:
        way, done = sign_in_action("Sign in", view.link), []
    return card(
        [heading("Please sign in"), sentence(view.why), *done],
        [way, *_again(view.then)],
        summary=f"Please sign in. {view.why}",
    )


def admin_consent(view: AdminConsentView) -> AdaptiveCard:
    """What an administrator has to approve once, for everyone."""
    return card(
        [
            heading("An administrator has to approve this once"),
            sentence(f"Your organization has not approved {view.what} with Herald yet."),
            sentence(f"The permission is called {view.permission}."),
            sentence("Are you an administrator? Open the approval page."),
            sentence("If not, forward this link. Once it is approved, you can try again."),
            # An input, because a link in one can be copied whole on every client.
            TextInput(id="link", label="Link to forward", value=view.link, is_multiline=True),
        ],
        [
            OpenUrl(title="Open the approval page", url=view.link),
            *_again(view.then, main=True),
        ],
        summary=f"An administrator has to approve {view.what} once.",
    )


def who_am_i(view: WhoAmIView) -> AdaptiveCard:
    """Who Herald acts for, and what it may do in that name."""
    if not view.name and not view.username:
        return card(
            [heading("You are not signed in"), sentence("Herald can't act in your name now.")],
            [execute("Sign in", SignIn("signin"), main=True)],
            summary="You are not signed in.",
        )
    return card(
        [
            heading("You are signed in"),
            rich_text(run(view.name, weight="bolder"), run(f"  {view.username}")),
            *_permissions(view.permissions),
        ],
        [],
        summary=f"You are signed in as {view.name or view.username}.",
    )


def note(view: NoteView) -> AdaptiveCard:
    """One sentence, what to do, and whom to show which number."""
    tone, symbol = _TONES.get(view.tone, _TONES["neutral"])
    body = [sentence(view.sentence)]
    if view.advice:
        body.append(sentence(f"→ {view.advice}"))
    if view.reference:
        body.append(rich_text(run(f"For support: {view.reference}", size="small")))
    return card(
        [banner(tone, symbol, plain(view.title, 120), *body)],
        _again(view.try_again),
        summary=f"{view.title}. {view.sentence}",
    )


def results(view: ResultsView) -> AdaptiveCard:
    """The way to a file that Teams does not take in this place."""
    return card(
        [
            heading("Your results are ready"),
            sentence(f"The results of delivery {view.short_id}, a line for each person."),
            aside("The page asks you to sign in: only you can download them."),
        ],
        [OpenUrl(title="Download the results", url=view.link, style="positive")],
        summary=f"The results of delivery {view.short_id} are ready to download.",
    )


def _again(then: str, *, main: bool = False) -> list[Element]:
    return [execute("Try again", TryAgain(then), main=main)] if then else []


def _title(greeting: str, name: str, without: str) -> Element:
    return heading(f"{greeting}{plain(name, 60)}" if name else without)


def _job(symbol: str, name: str, summary: str) -> Element:
    start = f"{symbol} {name}" if symbol else name
    return rich_text(run(start, weight="bolder"), run(f" – {summary}"))


def _two_jobs() -> list[Element]:
    return [
        _job("📱", "Appointment texts", "tell people by SMS that it is on, moved or off."),
        _job("🔔", "Notifications", "put a notice into the activity feeds of your teammates."),
    ]


def _jobs(doors: tuple[Door, ...] = ()) -> list[Element]:
    if doors:
        return [opens_dialog(door.title, door.button) for door in doors]
    return [
        execute("Text an appointment", OpenText(), main=True),
        execute("Notify teammates", OpenNotice()),
    ]


def _unknown_word(view: HelpView) -> Element:
    nearest = [sentence(f"Did you mean “{view.nearest}”?")] if view.nearest else []
    asked = sentence(f"You wrote “{view.unknown}”.", limit=120)
    return banner("emphasis", "🤔", "I don't know that word", asked, *nearest)


def _permissions(permissions: tuple[str, ...]) -> list[Element]:
    if not permissions:
        return [sentence("You have not allowed Herald anything yet. It asks when it needs to.")]
    return [
        section("What you allowed Herald to do in your name"),
        *(_permission(name) for name in permissions[:20]),
    ]


def _permission(name: str) -> Element:
    return rich_text(
        run(f"• {_ALLOWS.get(name, name)}"),
        *([run(f"  {name}", size="small", isSubtle=True)] if name in _ALLOWS else []),
        spacing="small",
    )
