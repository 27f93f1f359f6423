"""When something leaves: the ledger's milliseconds, a form's inputs, a person's words."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot.appointments.zones import friendly, local_time
from bot.words import marked

UNUSED = marked("You filled in a day or a time, but “Now” is chosen.")
TWICE = marked("Clocks are put back that night: this time comes twice, and it leaves at the first.")


def in_ms(moment: datetime | None) -> int | None:
    """Milliseconds since 1970, as the ledger keeps times."""
    return int(moment.timestamp() * 1000) if moment else None


def moment(at_ms: int) -> datetime:
    """The moment of the ledger's milliseconds."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def in_words(moment: datetime | None, zone: str) -> str:
    """`Tue, Dec 1, 9:00 AM, Pacific time`; nothing for now."""
    return f"{local_time(moment, zone)}, {friendly(zone)}" if moment else ""


def when_values(moment: datetime | None, zone: str) -> dict[str, str]:
    """The inputs `when`, `when_date` and `when_time` of a form."""
    if moment is None:
        return {"when": "now"}
    local = moment.astimezone(ZoneInfo(zone))
    return {
        "when": "later",
        "when_date": local.date().isoformat(),
        "when_time": local.strftime("%H:%M"),
    }
