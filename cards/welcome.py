"""The first card, and the help: what Herald does, and how to say so."""

from dataclasses import dataclass

from bot.words import gettext, listed
from cards.blocks import aside, banner, heading, sentence
from cards.buttons import OpenNotice, OpenText
from cards.elements import AdaptiveCard, Element, card, execute, opens_dialog, plain, rich_text, run
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


def welcome(view: WelcomeView) -> AdaptiveCard:
    """The first card: what Herald does, and a button for each."""
    if view.doors:
        return _welcome_all(view)
    return card(
        [
            heading(_hello(plain(view.name, 60))),
            sentence(gettext("I am Herald. I send two kinds of messages, always in your name:")),
            *_two_jobs(),
            aside(gettext("You see everything before it is sent. Write “help” for all commands.")),
        ],
        _jobs(),
        summary=gettext(
            "Hello {name}. Herald sends appointment texts and notifications.", name=view.name
        ),
    )


def _hello(name: str) -> str:
    return gettext("Hello, {name}", name=name) if name else gettext("Hello")


def _welcome_all(view: WelcomeView) -> AdaptiveCard:
    return card(
        [
            heading(gettext("Hello, everybody")),
            sentence(
                gettext("I am Herald. I send two kinds of messages, each in the sender's own name:")
            ),
            *_two_jobs(),
            sentence(
                gettext(
                    "Mention me with a command: “@Herald notify”, “@Herald text”, “@Herald help”."
                )
            ),
            aside(
                gettext(
                    "Each of you gets a form of his or her own, which nobody else sees. Here it "
                    "says only what kind of message was sent, by whom, and to how many."
                )
            ),
        ],
        _jobs(view.doors),
        summary=gettext(
            "Hello. Herald sends appointment texts and notifications. Mention it to begin."
        ),
    )


def help_card(view: HelpView) -> AdaptiveCard:
    """All commands; for an unknown word the nearest one first."""
    return card(
        [
            *([_unknown_word(view)] if view.unknown else []),
            heading(gettext("What you can write to me")),
            *(_job("", line.name, line.summary) for line in view.commands),
            *([aside(gettext("Mention me: “@Herald” and the command."))] if view.doors else []),
        ],
        _jobs(view.doors),
        summary=gettext("The commands: {names}", names=listed([c.name for c in view.commands])),
    )


def _job(symbol: str, name: str, summary: str) -> Element:
    start = f"{symbol} {name}" if symbol else name
    return rich_text(run(start, weight="bolder"), run(f" – {summary}"))


def _two_jobs() -> list[Element]:
    return [
        _job(
            "📱",
            gettext("Appointment texts"),
            gettext("tell people by SMS that it is on, moved or off."),
        ),
        _job(
            "🔔",
            gettext("Notifications"),
            gettext("put a notice into the activity feeds of your teammates."),
        ),
    ]


def _jobs(doors: tuple[Door, ...] = ()) -> list[Element]:
    if doors:
        return [opens_dialog(door.title, door.button) for door in doors]
    return [
        execute(gettext("Text an appointment"), OpenText(), main=True),
        execute(gettext("Notify teammates"), OpenNotice()),
    ]


def _unknown_word(view: HelpView) -> Element:
    maybe = sentence(gettext("Did you mean “{command}”?", command=view.nearest))
    asked = sentence(gettext("You wrote “{word}”.", word=view.unknown), limit=120)
    nearest = [maybe] if view.nearest else []
    return banner("emphasis", "🤔", gettext("I don't know that word"), asked, *nearest)
