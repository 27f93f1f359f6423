"""How long something takes, in words."""

import pytest

from bot.teams.delivery_views import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 second"), (1, "1 second"), (2, "2 seconds"), (89, "89 seconds"), (95, "2 minutes")],
)
def test_one_is_a_second_and_two_are_seconds(seconds: float, words: str) -> None:
    assert duration(seconds) == words
