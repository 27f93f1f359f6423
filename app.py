"""Herald: `python app.py` reads the settings, builds the web application and runs it."""

import sys

from bot.errors import CannotStart, SettingsError
from bot.logs import set_up_logging
from bot.server import run
from bot.settings import read_settings
from bot.wiring import build_app


def main() -> int:
    """Run until stopped. Returns the process's exit code: 2 when it can't start."""
    try:
        settings = read_settings()
        set_up_logging(settings)
        run(build_app(settings), settings)
    except SettingsError as error:
        print(f"Herald is not set up:\n{error}", file=sys.stderr)  # noqa: T201
        return 2
    except CannotStart as error:
        print(f"Herald can't start. {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
