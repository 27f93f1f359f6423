"""Herald's own texts in the reader's language, by gettext.

English stands in the code; the catalogues are `bot/locales/<language>.po`. Whoever answers says for
whom: `with speaking(locale): …`. Inside, `gettext` and `ngettext` give that language, wherever
they are called: a card stays a function of its view and of the language it is drawn in.

A text is translated where it is shown. One that is made at import time, in a table, is only
`marked` there, and goes through `gettext` where it is used. What stands in braces is filled in
afterwards: `gettext("It leaves on {day}.", day=day)`; never an f-string, which no catalogue knows.
"""

import gettext as catalogues
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LOCALES = Path(__file__).parent / "locales"
SOURCE = "en"
LANGUAGES = (SOURCE, *sorted(path.stem for path in LOCALES.glob("*.po")))
_THOUSAND = 1000


@cache
def _catalogue(language: str) -> catalogues.NullTranslations:
    """The texts of one language, read once in a process."""
    if language == SOURCE:
        return catalogues.NullTranslations()
    # Only needed by those who don't read English: reading a catalogue takes some milliseconds.
    from babel.messages.mofile import write_mo  # noqa: PLC0415
    from babel.messages.pofile import read_po  # noqa: PLC0415

    with (LOCALES / f"{language}.po").open("rb") as file:
        compiled = io.BytesIO()
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return catalogues.GNUTranslations(compiled)


_CURRENT: ContextVar[str] = ContextVar("language", default=SOURCE)


def language_of(locale: str) -> str:
    """The language to speak to somebody whose client says this: `es` for `es-MX`; else English."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    return language if language in LANGUAGES else SOURCE


@contextmanager
def speaking(locale: str) -> Iterator[None]:
    """Until it is left, this task, and those that it starts, speak the language of `locale`."""
    before = _CURRENT.set(language_of(locale))
    try:
        yield
    finally:
        _CURRENT.reset(before)


def spoken() -> str:
    """The language that is spoken now, as `lang` attributes and `Accept-Language` write it."""
    return _CURRENT.get()


def region() -> str:
    """The locale by which numbers and times are written now: `es_US`."""
    return _region(_CURRENT.get())


@cache
def _region(language: str) -> str:
    from babel.core import Locale, UnknownLocaleError  # noqa: PLC0415 - see above

    # Every language is spoken to people in the United States, where 1,200 is written so.
    name = f"{language}_US"
    try:
        Locale.parse(name)
    except UnknownLocaleError:
        return f"{SOURCE}_US"
    return name


def load() -> None:
    """Read every catalogue now, so that no turn has to wait for it."""
    for language in LANGUAGES:
        _catalogue(language)


def gettext(text: str, /, **values: object) -> str:
    """The text in the language that is spoken, its `{names}` filled in."""
    translated = _catalogue(_CURRENT.get()).gettext(text) if text else ""
    return translated.format_map(values) if values else translated


def pgettext(context: str, text: str, /, **values: object) -> str:
    """The same for a text that stands in two places, where other languages need two: `context`."""
    translated = _catalogue(_CURRENT.get()).pgettext(context, text)
    return translated.format_map(values) if values else translated


def ngettext(one: str, many: str, number: int, **values: object) -> str:
    """The form for so many; `{number}` is the number as the language writes it."""
    translated = _catalogue(_CURRENT.get()).ngettext(one, many, number)
    return translated.format_map({"number": written(number), **values})


def listed(names: Sequence[str], *, besides: int = 0) -> str:
    """`Ada, Lee`, and how many there are besides: `Ada, Lee and 1,200 more`."""
    named = ", ".join(names)
    if not named or besides < 1:
        return named
    return ngettext("{names} and {number} more", "{names} and {number} more", besides, names=named)


def joined(parts: Sequence[str]) -> str:
    """Several as one part of a sentence: `1`, `1 and 2`, `1, 2 and 3`."""
    if len(parts) < 2:
        return "".join(parts)
    return gettext("{first} and {last}", first=", ".join(parts[:-1]), last=parts[-1])


def marked(text: str) -> str:
    """The text itself: a mark for the catalogues where it is kept to be translated later."""
    return text


def written(number: int) -> str:
    """`1,200`, as the language writes it."""
    if abs(number) < _THOUSAND or _CURRENT.get() == SOURCE:
        return f"{number:,}"
    from babel.numbers import format_decimal  # noqa: PLC0415 - see above

    return str(format_decimal(number, locale=region()))
