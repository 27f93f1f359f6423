"""When something leaves: now, or on a day and at a time in the user's own zone."""

from dataclasses import dataclass

from bot.words import gettext
from cards.blocks import aside, banner, section, sentence
from cards.elements import Element, clean
from cards.fields import Fields, side_by_side
from cards.plain import plain


@dataclass(frozen=True)
class _When:
    title: str
    value: str


def when_section(fields: Fields, zone_name: str, earliest: str, latest: str) -> list[Element]:
    """The inputs `when`, `when_date` and `when_time`; nothing where the zone isn't known."""
    if not zone_name:
        return []
    now, later = _When(gettext("Now"), "now"), _When(gettext("At a time I choose"), "later")
    ahead = gettext(
        "If you choose a time: up to 90 days ahead, in your own zone, {zone}.",
        zone=plain(zone_name, 60),
    )
    return [
        section(gettext("When it leaves")),
        fields.choice(
            "when",
            gettext("Send it"),
            (now, later),
            default="now",
            style="expanded",
            is_required=True,
            error_message=gettext("Choose when it leaves."),
        ),
        *fields.hint(ahead),
        day_and_time(fields, zone_name, earliest, latest),
    ]


def day_and_time(fields: Fields, zone_name: str, earliest: str, latest: str) -> Element:
    """The inputs `when_date` and `when_time`; the days offered are ISO dates."""
    outside = gettext("Choose a day from today, up to 90 days ahead.")
    time = gettext("Time")
    if zone_name:
        time = gettext("Time ({zone})", zone=clean(zone_name, 60))
    return side_by_side(
        fields.date(
            "when_date", gettext("Date"), earliest=earliest, latest=latest, error_message=outside
        ),
        fields.time("when_time", time),
    )


def departure(leaves: str, taken_back: str) -> list[Element]:
    """On a review: when it leaves, and until when it can be taken back."""
    title = section(gettext("When it leaves"))
    if not leaves:
        now = sentence(gettext("It leaves now, as soon as you send it."))
        return [title, now, aside(taken_back)]
    later = gettext("It leaves on {day}.", day=leaves)
    until = gettext("Until then you can change or cancel it: write “scheduled”.")
    return [title, sentence(f"🕒 {later}"), aside(f"{until} {taken_back}")]


def unused(sentences: tuple[str, ...]) -> list[Element]:
    """On a review, right above its buttons: what was filled in, but does not count."""
    if not sentences:
        return []
    title = gettext("Not all that you filled in is used")
    return [banner("warning", "⚠️", title, *map(sentence, sentences))]


def send_title(leaves: str, whom: str) -> str:
    """The title of a review's main button: it says whether anything leaves at once."""
    if leaves:
        return gettext("Schedule for {whom}", whom=whom)
    return gettext("Send now to {whom}", whom=whom)


def please_check(leaves: str) -> str:
    """The last words of a review's summary."""
    if not leaves:
        return gettext("Please check, then send.")
    return gettext("It leaves on {day}. Please check, then schedule.", day=leaves)
