"""What people may type: one table, which is also the help and the manifest's command lists."""

import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from bot.words import gettext, marked, spoken
from cards.welcome import CommandLine

_MOST_WORDS = 3  # of a command: "cerrar la sesión"


@dataclass(frozen=True)
class Command:
    """One command: its name, other words for it, and what the help says.

    The name is understood in every language, and what buttons and links carry. `elsewhere` are the
    words of other languages; the first is what the help and the manifest of that language say.
    """

    name: str
    summary: str
    also: tuple[str, ...] = ()
    elsewhere: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def word(self) -> str:
        """What is typed for it in the language that is spoken."""
        return self.elsewhere.get(spoken(), (self.name,))[0]

    @property
    def words(self) -> Iterator[str]:
        """Everything that is understood as this command."""
        yield from (self.name, *self.also)
        for words in self.elsewhere.values():
            yield from words


COMMANDS = (
    Command(
        "text",
        marked("Text the people of an appointment"),
        ("sms", "appointment"),
        {"es": ("sms", "texto", "mensaje", "cita")},
    ),
    Command(
        "notify",
        marked("Put a notice into teammates' activity feeds"),
        ("notice", "notification"),
        {"es": ("avisar", "aviso", "avisos", "notificar", "notificación")},
    ),
    Command(
        "scheduled",
        marked("Show what waits to be sent, and change it"),
        ("waiting", "schedule"),
        {"es": ("programados", "programado", "pendientes", "en espera")},
    ),
    Command(
        "history",
        marked("Show what you sent"),
        ("sent",),
        {"es": ("historial", "enviados")},
    ),
    Command("status", marked("Show one delivery: status and its id"), (), {"es": ("estado",)}),
    Command(
        "signin",
        marked("Sign in, so that Herald can act in your name"),
        ("login", "sign-in", "sign in"),
        {"es": ("iniciar sesión", "iniciar la sesión", "entrar", "acceder")},
    ),
    Command(
        "signout",
        marked("Sign out and forget your sign-in"),
        ("logout", "sign-out", "sign out"),
        {"es": ("cerrar sesión", "cerrar la sesión", "salir")},
    ),
    Command(
        "whoami",
        marked("Show whom Herald acts for"),
        ("who",),
        {"es": ("quién soy", "quién")},
    ),
    Command(
        "help",
        marked("Show what Herald can do"),
        ("hi", "hello", "start", "?"),
        {"es": ("ayuda", "hola", "inicio", "comandos")},
    ),
)


@dataclass(frozen=True)
class Heard:
    """What was understood of a message: a command and the words after it, or the nearest one.

    `nearest` is a word of the language that is spoken.
    """

    command: Command | None
    words: str = ""
    unknown: str = ""
    nearest: str = ""


def understand(text: str) -> Heard:
    """Find the command of a message, in any language.

    Forgiving of case, accents, slashes and punctuation.
    """
    first = text.strip().partition(" ")[0]
    if not _plain(first):
        return Heard(named("help"))
    words = text.split()
    for number in range(min(_MOST_WORDS, len(words)), 0, -1):
        command = _by_word().get(" ".join(map(_plain, words[:number])))
        if command is not None:
            return Heard(command, " ".join(words[number:]))
    near = difflib.get_close_matches(_plain(first), _by_word(), n=1, cutoff=0.6)
    return Heard(None, unknown=first[:60], nearest=_by_word()[near[0]].word if near else "")


@cache
def _by_word() -> dict[str, Command]:
    return {_plain(word): command for command in COMMANDS for word in command.words}


def _plain(word: str) -> str:
    bare = re.sub(r"^[/¿¡]+|[.!,:]+$|(?<=.)\?$", "", word.casefold())
    apart = unicodedata.normalize("NFKD", bare)
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def named(name: str) -> Command:
    """The command of this name. Raises StopIteration for none."""
    return next(command for command in COMMANDS if command.name == name)


def lines() -> tuple[CommandLine, ...]:
    """The help's lines."""
    return tuple(CommandLine(command.word, gettext(command.summary)) for command in COMMANDS)
