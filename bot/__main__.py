"""`python -m bot …`."""

from bot.admin.cli import app

if __name__ == "__main__":
    app(prog_name="python -m bot")
