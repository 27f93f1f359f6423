"""Settings of a clinic, and a copy of `manifest/` that a test may break."""

import json
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.admin.package import MANIFEST_DIR
from bot.settings import Settings
from sandbox.stage import Stage
from tests.admin.practice import Practice
from tests.conftest import Serve

ENVIRONMENT = {
    "MICROSOFT_APP_ID": "7b1f6a52-3d0e-4c19-8a54-2f2c9f0b6d11",
    "MICROSOFT_APP_PASSWORD": "not-a-real-secret",
    "MICROSOFT_APP_TENANT_ID": "5eafa5f0-6c1f-4f4e-9d3d-0c4b3b1a7e01",
    "PUBLIC_URL": "https://herald.contoso.example",
    "SECRET_KEYS": "0123456789abcdef0123456789abcdef",
    "TEAMS_APP_ID": "c0a9d4de-52b1-4d4f-9a86-3f5c8f6e2a77",
}

Change = Callable[[Any], object]


@pytest.fixture
def settings() -> Settings:
    values = {name.lower(): value for name, value in ENVIRONMENT.items()}
    return Settings(_env_file=None, **values)  # type: ignore[call-arg, arg-type]


class Folder:
    """A copy of `manifest/`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def change(self, name: str, change: Change) -> None:
        """Change one of the JSON files in place."""
        file = self.path / name
        value = json.loads(file.read_text("utf-8"))
        change(value)
        file.write_text(json.dumps(value), "utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(Path(shutil.copytree(MANIFEST_DIR, tmp_path / "manifest")))


@pytest.fixture
def practice(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Practice:
    monkeypatch.setenv("SSL_CERT_FILE", str(stage.ca_file))
    monkeypatch.setitem(Settings.model_config, "env_file", None)
    return Practice(stage)


@pytest.fixture
async def open_practice(practice: Practice, serve: Serve) -> AsyncIterator[Practice]:
    async with serve(PUBLIC_URL=practice.stage.app_url):
        yield practice
