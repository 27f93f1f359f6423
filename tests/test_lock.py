"""The lock files fit what they lock, and tell nothing of where they were made."""

import re
from importlib.metadata import distributions
from pathlib import Path

import pytest

from bot.settings import ROOT

LOCKS = {
    "requirements.txt": "requirements.lock.txt",
    "requirements-dev.txt": "requirements-dev.lock.txt",
}
_PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==([^\s;\\]+)", re.MULTILINE)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(path: Path) -> dict[str, str]:
    return {normal(name): version for name, version in _PIN.findall(path.read_text("utf-8"))}


@pytest.mark.parametrize(("source", "lock"), LOCKS.items())
def test_every_pin_is_locked_at_its_version(source: str, lock: str) -> None:
    wanted, locked = pins(ROOT / source), pins(ROOT / lock)
    assert {name: locked.get(name) for name in wanted} == wanted, "run `make lock`"


@pytest.mark.parametrize("lock", LOCKS.values())
def test_every_locked_package_has_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)  # no option, such as an index
    for entry in re.split(r"\n(?=\S)", text):
        if "==" in entry and not entry.startswith("#"):
            assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_the_development_lock_holds_the_same_versions_as_the_other() -> None:
    runs, builds = (pins(ROOT / lock) for lock in LOCKS.values())
    assert {name: builds.get(name) for name in runs} == runs


def test_what_is_installed_to_run_is_what_is_locked() -> None:
    locked = pins(ROOT / "requirements.lock.txt")
    here = {normal(str(one.metadata["Name"])): one.version for one in distributions()}
    other = {
        name: (here[name], version)
        for name, version in locked.items()
        if name in here and here[name] != version
    }
    assert not other, "run `make lock`, or install what is locked"
