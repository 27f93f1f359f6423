"""`python -m bot …`."""

from bot.admin.cli import main

if __name__ == "__main__":
    main()
