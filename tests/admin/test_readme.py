"""README and what it describes, kept in step both ways."""

import re

import pytest
from pydantic_core import PydanticUndefined

from bot.identity.permissions import MEETINGS, NOTIFY, SIGN_IN, TEXT
from bot.settings import ROOT, Settings
from bot.teams.commands import COMMANDS

README = (ROOT / "README.md").read_text("utf-8")
REGISTER = (ROOT / "docs" / "register.md").read_text("utf-8")
ROWS = {
    name: (default, meaning)
    for name, default, meaning in re.findall(
        r"^\| `([A-Z][A-Z_]+)` \| (.+?) \| (.+?) \|$", README, re.MULTILINE
    )
}


def default_of(name: str) -> str:
    """A setting's default as the table writes it."""
    default = Settings.model_fields[name].default
    if default is PydanticUndefined:
        return "needed"
    if name == "database_url":
        return "`herald.sqlite3` beside `app.py`"
    return f"`{default}`" if default not in (None, "", ()) else "none"


def test_readme_describes_every_setting_and_no_other_in_the_same_order() -> None:
    assert list(ROWS) == [name.upper() for name in Settings.model_fields]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_readme_says_a_settings_real_default(name: str) -> None:
    assert ROWS[name.upper()][0] == default_of(name)


def test_the_default_database_lies_where_readme_says() -> None:
    default = Settings.model_fields["database_url"].default
    assert default == f"sqlite+aiosqlite:///{ROOT / 'herald.sqlite3'}"


def test_readme_lists_the_commands_word_for_word() -> None:
    for command in COMMANDS:
        assert re.search(
            rf"^\| `{command.name}`.* \| {re.escape(command.summary)} \|$", README, re.MULTILINE
        )


def test_the_registration_guide_names_exactly_the_permissions_that_herald_asks_for() -> None:
    table = REGISTER.partition("### Permissions")[2].partition("## 2.")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([A-Za-z_.]+)`", row)}
    assert named == {*SIGN_IN, *NOTIFY, *TEXT, *MEETINGS}


@pytest.mark.parametrize("text", [README, REGISTER], ids=["README.md", "register.md"])
def test_links_to_other_files_lead_somewhere(text: str) -> None:
    folder = ROOT if text is README else ROOT / "docs"
    links = re.findall(r"(?:\]\(|src=\")(?!https?:)([^)#\"]+)", text)
    missing = [link for link in links if not (folder / link).exists()]
    assert missing == []
