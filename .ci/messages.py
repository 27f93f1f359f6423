"""Read the marked texts into the catalogues: `python .ci/messages.py`, or only `--check` them.

A text is marked by `gettext`, `ngettext`, `pgettext` or `marked` of `bot.words`; the sentences of
errors, what they advise, and the names of the manifest's parameters need no mark. New ones are
added to every `bot/locales/<language>.po`, untranslated; those that nobody says any more are taken
out. Ends with 1 while something is missing.
"""

import importlib
import pkgutil
import re
import sys
from io import BytesIO
from itertools import takewhile
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

# ruff: noqa: E402 - found through the line above
from bot.errors import CannotStart, HeraldError
from bot.notifications.activity_types import read_activity_types, words

LOCALES = ROOT / "bot" / "locales"
SOURCES = ("bot", "cards")
KEYWORDS = {"gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "marked": None}
_NAMES = re.compile(r"\{(\w+)\}")


def main(arguments: list[str]) -> int:
    """Bring the catalogues up to date unless `--check` is given. The exit code."""
    found: list[str] = []
    for path in sorted(LOCALES.glob("*.po")):
        fresh = updated(path)
        if "--check" not in arguments:
            path.write_bytes(written(fresh))
        elif written(fresh) != path.read_bytes():
            found.append(f"{path.name} is not up to date: run make messages.")
        found += [f"{path.name}: {problem}" for problem in problems(fresh)]
    sys.stdout.write("".join(f"{line}\n" for line in found) or "Every text is translated.\n")
    return 1 if found else 0


def marked() -> Catalog:
    """Every marked text of the sources, with where it stands."""
    catalog = Catalog()
    for source in SOURCES:
        rows = extract_from_dir(ROOT / source, [("**.py", "python")], keywords=KEYWORDS)
        for file, _line, message, comments, context in rows:
            # No line numbers: they would change the catalogues with every edit elsewhere.
            place = [(f"{source}/{file}", None)]
            catalog.add(message, locations=place, auto_comments=comments, context=context)
    for kind in errors():
        place = [(kind.__module__.replace(".", "/") + ".py", None)]
        texts = ((kind.__doc__ or "").strip().splitlines()[0], kind.__dict__.get("advice", ""))
        for text in filter(None, texts):
            catalog.add(text, locations=place)
    for kind in read_activity_types():
        for name in kind.parameters:
            catalog.add(words(name), locations=[("manifest/manifest.json", None)])
    return catalog


def errors() -> list[type[HeraldError]]:
    """The errors that people who use Herald can meet; those who run it read English."""
    for module in pkgutil.walk_packages([str(ROOT / "bot")], "bot."):
        if not re.search(r"migrations|__main__|bot\.admin", module.name):
            importlib.import_module(module.name)
    found: list[type[HeraldError]] = [HeraldError]
    for kind in found:
        found += [below for below in kind.__subclasses__() if below not in found]
    ours = [kind for kind in found if re.match(r"bot\.(?!admin)", kind.__module__)]
    return [kind for kind in ours if not issubclass(kind, CannotStart)]


def updated(path: Path) -> Catalog:
    """A language's catalogue with exactly the texts that are marked now."""
    text = path.read_bytes()
    catalog = read_po(BytesIO(text), locale=path.stem)
    # Where a language's words are agreed on.
    catalog.header_comment = "".join(takewhile(_is_comment, text.decode().splitlines(True)))
    catalog.update(marked(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    return catalog


def _is_comment(line: str) -> bool:
    return line.startswith("#")


def written(catalog: Catalog) -> bytes:
    """A catalogue as it is kept: sorted, without dates, lines as people compare them."""
    out = BytesIO()
    write_po(out, catalog, width=100, omit_header=True, sort_output=True, include_lineno=False)
    return (_header(catalog) + out.getvalue().decode()).encode()


def _header(catalog: Catalog) -> str:
    plural = f"nplurals={catalog.num_plurals}; plural={catalog.plural_expr};"
    return (
        f"{catalog.header_comment}"
        'msgid ""\nmsgstr ""\n'
        f'"Language: {catalog.locale}\\n"\n'
        '"MIME-Version: 1.0\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Content-Transfer-Encoding: 8bit\\n"\n"Plural-Forms: {plural}\\n"\n\n'
    )


def problems(catalog: Catalog) -> list[str]:
    """What is missing or can't be right in a catalogue, one sentence each."""
    return [sentence for message in catalog if message.id for sentence in _problems(message)]


def _problems(message: Message) -> list[str]:
    forms = message.string if isinstance(message.string, tuple) else (message.string,)
    originals = message.id if isinstance(message.id, tuple) else (message.id,)
    if not all(forms) or message.fuzzy:
        return [f"{originals[0]!r} is not translated."]
    wanted = {name for text in originals for name in _NAMES.findall(text)}
    given = {name for text in forms for name in _NAMES.findall(text)}
    # The form for one may say "a person" where the other says "{number} people".
    fits = given <= wanted if len(originals) > 1 else given == wanted
    return [] if fits else [f"{originals[0]!r}: its names in braces are {sorted(wanted)}."]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
