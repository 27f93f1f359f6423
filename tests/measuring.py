"""When coverage looks: not while tests are collected, and not at those that would say nothing.

Python asks coverage at every line of every library, which makes a measured test half as dear again.
"""

import importlib
import pkgutil
from collections.abc import Generator
from typing import Any

import pytest

import bot
import cards

# Where the product runs in processes of its own, or not at all, or does for long what others
# measured.
NOT_MEASURED = {"sandbox", "browser", "faults", "docs", "fuzz"}
NOT_MEASURED_FILES = {
    "test_crash_matrix.py",
    "test_replicas.py",
    "test_chaos.py",
    "test_rules.py",
    "test_starts.py",
    "test_crash.py",
    "test_upgrades.py",
    "test_within_a_second.py",
}


def is_measured(item: pytest.Item) -> bool:
    path = item.path
    return path.name not in NOT_MEASURED_FILES and path.parent.name not in NOT_MEASURED


class Measuring:
    """Lets coverage look, or not; nothing where coverage was not asked for."""

    def __init__(self, config: pytest.Config) -> None:
        self._plugins = config.pluginmanager
        self._looks = True

    def look(self, looks: bool) -> None:
        # Looked up each time: a worker gets another one on its way.
        controller: Any = getattr(self._plugins.getplugin("_cov"), "cov_controller", None)
        if controller is not None and looks is not self._looks:
            (controller.resume if looks else controller.pause)()
        self._looks = looks

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self) -> Generator[None, Any, Any]:
        # Their definitions count where they are read first.
        for package in (bot, cards):
            for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
                if "migrations" not in module.name and not module.name.endswith("__main__"):
                    importlib.import_module(module.name)
        importlib.import_module("app")
        self.look(False)
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        self.look(is_measured(item))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self.look(True)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Measuring(config), "measuring")
