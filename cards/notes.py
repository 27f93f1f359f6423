"""The short cards: welcome, help, signing in and out, who am I, and what went wrong."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CommandLine:
    """One command in the help: what to type, and what it does."""

    name: str
    summary: str


@dataclass(frozen=True)
class WelcomeView:
    """The first card, on installation."""

    name: str = ""


@dataclass(frozen=True)
class HelpView:
    """All commands; for an unknown word also the nearest one."""

    commands: tuple[CommandLine, ...]
    unknown: str = ""
    nearest: str = ""


@dataclass(frozen=True)
class SignInView:
    """The sign-in link, where silent sign-in did not come or cannot work.

    `why` is a sentence; `link` opens the consent pop-up (a Teams `signin` action); `then` is the
    command that goes on afterwards.
    """

    why: str
    link: str
    then: str


@dataclass(frozen=True)
class AdminConsentView:
    """What only an administrator can approve, with the link to forward."""

    what: str  # "sending appointment texts"
    permission: str  # "VirtualAppointmentNotification.Send"
    link: str
    then: str


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
