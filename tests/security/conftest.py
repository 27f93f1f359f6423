"""What attacks start from: Adele at her desk, a browser, and identity by itself."""

from tests.bot.identity.conftest import another, database, database_file, home, settings
from tests.stories.conftest import adele, browser

__all__ = ["adele", "another", "browser", "database", "database_file", "home", "settings"]
