"""`python -m bot doctor`."""


def doctor() -> None:
    """Check everything."""
