"""Texts as they stand in the code: the catalogues' tool finds every one, and each is whole."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from bot.settings import ROOT
from tests.bot.test_words import TOOL

FILES = sorted(path for room in ("bot", "cards") for path in (ROOT / room).rglob("*.py"))
TEXTS = {"gettext": (0,), "marked": (0,), "ngettext": (0, 1), "pgettext": (1,)}


def texts_of(path: Path) -> Iterator[ast.expr]:
    """What stands in a module where a text is asked for."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield from (node.args[at] for at in TEXTS.get(node.func.id, ()) if at < len(node.args))


def test_every_text_in_the_code_is_one_that_the_catalogues_get() -> None:
    catalog = TOOL.marked()
    known = {
        text
        for message in catalog
        for text in (message.id if isinstance(message.id, tuple) else (message.id,))
    }
    found = {
        text.value: path.name
        for path in FILES
        for text in texts_of(path)
        if isinstance(text, ast.Constant)
    }
    assert len(found) > 200
    assert {text: name for text, name in found.items() if text not in known} == {}


def test_no_text_is_put_together_before_it_is_translated() -> None:
    pieced = [
        f"{path.relative_to(ROOT)}:{text.lineno}"
        for path in FILES
        for text in texts_of(path)
        if isinstance(text, ast.JoinedStr) or _has_words(text)
    ]
    assert pieced == []


def _has_words(text: ast.expr) -> bool:
    """Whether words are joined to something by `+` or `%`."""
    return isinstance(text, ast.BinOp) and any(
        isinstance(part, ast.Constant) and isinstance(part.value, str) for part in ast.walk(text)
    )


# What those read who run Herald, in English.
FOR_ADMINISTRATORS = (
    *("bot/admin/", "bot/delivery/migrations/", "bot/delivery/census.py"),
    *("bot/health.py", "bot/metrics.py", "bot/settings.py"),
)
SENTENCE = re.compile(r"[A-Z“][^ ]* .*[.!?:]", re.DOTALL)
MARKS = {*TEXTS, "advice"}  # what errors advise needs no mark


def test_no_sentence_stands_in_the_code_without_a_mark() -> None:
    found = []
    for path in FILES:
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(FOR_ADMINISTRATORS):
            tree = ast.parse(path.read_text("utf-8"))
            found += [f"{name}: {text}" for text in unmarked(tree) if SENTENCE.fullmatch(text)]
    assert found == []


def unmarked(node: ast.AST) -> Iterator[str]:
    """The texts below this that stand neither in a mark, nor by themselves, as docstrings do."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return
        case (
            ast.Call(func=ast.Name(id=name))
            | ast.AnnAssign(target=ast.Name(id=name))
            | ast.Assign(targets=[ast.Name(id=name)])
        ) if name in MARKS:
            return
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=parts):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts
            )
        case _:
            for below in ast.iter_child_nodes(node):
                yield from unmarked(below)
