"""When something leaves: now, or on a day and at a time in the user's own zone."""

from dataclasses import dataclass

from cards.blocks import aside, section, sentence
from cards.elements import Element, clean
from cards.fields import Fields, side_by_side
from cards.plain import plain

AHEAD = "up to 90 days ahead"
DAY_AND_TIME = frozenset({"when_date", "when_time"})
NAMES = DAY_AND_TIME | {"when"}


@dataclass(frozen=True)
class _When:
    title: str
    value: str


_CHOICES = (_When("Now", "now"), _When("At a time I choose", "later"))


def when_section(fields: Fields, zone_name: str, earliest: str, latest: str) -> list[Element]:
    """The inputs `when`, `when_date` and `when_time`; nothing where the zone isn't known."""
    if not zone_name:
        return []
    return [
        section("When it leaves"),
        fields.choice(
            "when",
            "Send it",
            _CHOICES,
            default="now",
            style="expanded",
            is_required=True,
            error_message="Choose when it leaves.",
        ),
        aside(f"If you choose a time: {AHEAD}, in your own zone, {plain(zone_name, 60)}."),
        day_and_time(fields, zone_name, earliest, latest),
    ]


def day_and_time(fields: Fields, zone_name: str, earliest: str, latest: str) -> Element:
    """The inputs `when_date` and `when_time`; the days offered are ISO dates."""
    zone = f" ({clean(zone_name, 60)})" if zone_name else ""
    outside = f"Choose a day from today, {AHEAD}."
    return side_by_side(
        fields.date("when_date", "Date", earliest=earliest, latest=latest, error_message=outside),
        fields.time("when_time", f"Time{zone}"),
    )


def departure(leaves: str, taken_back: str) -> list[Element]:
    """On a review: when it leaves, and until when it can be taken back."""
    title = section("When it leaves")
    if not leaves:
        return [title, sentence("It leaves now, as soon as you send it."), aside(taken_back)]
    return [
        title,
        sentence(f"🕒 It leaves on {leaves}."),
        aside(f"Until then you can change or cancel it: write “scheduled”. {taken_back}"),
    ]


def send_title(leaves: str, whom: str) -> str:
    """The title of a review's main button: it says whether anything leaves at once."""
    return f"Schedule for {whom}" if leaves else f"Send now to {whom}"


def please_check(leaves: str) -> str:
    """The last words of a review's summary."""
    return (
        f"It leaves on {leaves}. Please check, then schedule."
        if leaves
        else ("Please check, then send.")
    )
