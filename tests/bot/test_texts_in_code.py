"""Texts as they stand in the code: the catalogues' tool finds every one, and each is whole."""

import ast
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
