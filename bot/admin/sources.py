"""Where each setting's value comes from: the environment, the file `.env`, or Herald's default."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_core import PydanticUndefined
from pydantic_settings import DotEnvSettingsSource

from bot.settings import Settings

_MASK = "••••••••"


@dataclass(frozen=True)
class Setting:
    """One setting: what is shown of its value, and where that was said."""

    name: str
    shown: str  # secrets masked; empty where nothing is set
    source: str  # environment, .env, default, or "not set"


def sources() -> list[Setting]:
    """Every setting, in the order of README's table. Nothing is checked here."""
    file = _file()
    said = {name.upper(): value for name, value in os.environ.items() if value}
    return [_setting(name, said, file) for name in Settings.model_fields]


def strangers() -> list[str]:
    """Names in `.env` that are no settings of Herald: most often a slip of the pen."""
    known = {name.upper() for name in Settings.model_fields}
    return sorted(name for name in _file() if name not in known)


def _file() -> dict[str, str]:
    path: Any = Settings.model_config.get("env_file")
    if not isinstance(path, Path) or not path.is_file():
        return {}
    found = DotEnvSettingsSource(Settings, env_file=path).env_vars
    return {name.upper(): value for name, value in found.items() if value}


def _setting(name: str, said: dict[str, str], file: dict[str, str]) -> Setting:
    field, upper = Settings.model_fields[name], name.upper()
    for source, values in (("environment", said), (".env", file)):
        if upper in values:
            return Setting(upper, _shown(name, values[upper]), source)
    default = field.default
    if default in (PydanticUndefined, None, "", ()):
        return Setting(upper, "", "not set")
    return Setting(upper, _shown(name, str(default)), "default")


def _shown(name: str, value: str) -> str:
    if name == "secret_keys":
        keys = sum(1 for key in value.split(",") if key.strip())
        return f"{_MASK} ({keys} {'key' if keys == 1 else 'keys'})"
    if SecretStr.__name__ in str(Settings.model_fields[name].annotation):
        return _MASK
    return _address(value) if "://" in value else value


def _address(value: str) -> str:
    # Up to the last @, whatever stands before it: what can't be read for sure is hidden whole.
    hidden = re.sub(r"://([^:/@]*):?.*@", rf"://\1:{_MASK}@", value)
    return re.sub(r"(password=)[^&]*", rf"\1{_MASK}", hidden, flags=re.IGNORECASE)
