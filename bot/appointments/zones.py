"""Time zones: Teams and people say IANA names or plain words, Graph wants Windows names."""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_datetime, get_timezone_name
from tzlocal import windows_tz

from bot.words import LANGUAGES, gettext, marked, region, speaking

# The table has a row without an IANA name, which no zone is written with, and lacks some old names
# that clients still say.
tz_win = {iana: windows for iana, windows in windows_tz.tz_win.items() if iana} | {
    "GMT": "UTC",
    "EST5EDT": "Eastern Standard Time",
    "CST6CDT": "Central Standard Time",
    "MST7MDT": "Mountain Standard Time",
    "PST8PDT": "Pacific Standard Time",
    "US/East-Indiana": "US Eastern Standard Time",
    "Europe/Uzhgorod": "FLE Standard Time",
    "Europe/Zaporozhye": "FLE Standard Time",
}
win_tz = windows_tz.win_tz

# The zones of the United States, from east to west: IANA name and what people call it.
_UNITED_STATES = (
    ("America/Puerto_Rico", marked("Atlantic time (Puerto Rico)")),
    ("America/New_York", marked("Eastern time")),
    ("America/Indiana/Indianapolis", marked("Eastern time (Indiana)")),
    ("America/Chicago", marked("Central time")),
    ("America/Denver", marked("Mountain time")),
    ("America/Phoenix", marked("Mountain time (Arizona)")),
    ("America/Los_Angeles", marked("Pacific time")),
    ("America/Anchorage", marked("Alaska time")),
    ("America/Adak", marked("Aleutian time")),
    ("Pacific/Honolulu", marked("Hawaii time")),
)
# As people write them, in lower case and without accents.
_SHORT = {
    "atlantic": "America/Puerto_Rico",
    "atlantico": "America/Puerto_Rico",
    "puerto rico": "America/Puerto_Rico",
    "eastern": "America/New_York",
    "este": "America/New_York",
    "oriental": "America/New_York",
    "et": "America/New_York",
    "est": "America/New_York",
    "edt": "America/New_York",
    "central": "America/Chicago",
    "ct": "America/Chicago",
    "cst": "America/Chicago",
    "cdt": "America/Chicago",
    "centro": "America/Chicago",
    "mountain": "America/Denver",
    "montana": "America/Denver",
    "montanas": "America/Denver",
    "mt": "America/Denver",
    "mst": "America/Denver",
    "mdt": "America/Denver",
    "arizona": "America/Phoenix",
    "pacific": "America/Los_Angeles",
    "pacifico": "America/Los_Angeles",
    "pt": "America/Los_Angeles",
    "pst": "America/Los_Angeles",
    "pdt": "America/Los_Angeles",
    "alaska": "America/Anchorage",
    "akst": "America/Anchorage",
    "hawaii": "Pacific/Honolulu",
    "hawai": "Pacific/Honolulu",
    "hst": "Pacific/Honolulu",
    "utc": "Etc/UTC",
    "gmt": "Etc/GMT",
}


@dataclass(frozen=True)
class Zone:
    """A zone to choose: its Windows name, and what people call it."""

    windows: str
    name: str


def load() -> None:
    """Read what days and zones are called in each language, so that no turn has to wait for it."""
    for language in LANGUAGES:
        with speaking(language):
            local_time(datetime.now(UTC), "UTC")
            friendly("Europe/London")


def offered(own_iana: str) -> tuple[Zone, ...]:
    """The zones a form offers: the user's own first, then those of the United States."""
    zones = [Zone(tz_win[iana], gettext(name)) for iana, name in _UNITED_STATES]
    own = windows_name(own_iana)
    if own and own not in {zone.windows for zone in zones}:
        zones.insert(0, Zone(own, friendly(own_iana)))
    zones.sort(key=lambda zone: zone.windows != own)
    return tuple(zones)


def windows_name(written: str) -> str | None:
    """The Windows name of a zone written as IANA, Windows, or plain word; None if unknown."""
    name = " ".join(written.split())
    if name in win_tz:
        return name
    if name in tz_win:
        return str(tz_win[name])
    folded = _folded(name)
    plain = folded.removesuffix(" time").removesuffix(" standard").removesuffix(" daylight")
    plain = plain.removeprefix("hora ").removeprefix("de ").removeprefix("del ")
    plain = plain.removeprefix("la ").removeprefix("las ")
    return tz_win.get(_SHORT.get(plain, "")) or _by_folded_name().get(folded)


@lru_cache(maxsize=1)
def _by_folded_name() -> dict[str, str]:
    folded = {_folded(iana): windows for iana, windows in tz_win.items()}
    folded |= {_folded(windows): windows for windows in win_tz}
    # Whatever language is spoken: somebody copied it from a form that was in another.
    for language in LANGUAGES:
        with speaking(language):
            folded |= {_folded(gettext(name)): tz_win[iana] for iana, name in _UNITED_STATES}
    return folded


def _folded(written: str) -> str:
    apart = unicodedata.normalize("NFKD", written.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def iana_name(windows: str) -> str:
    """The IANA name of a Windows zone; UTC if there is none."""
    return str(win_tz.get(windows, "Etc/UTC"))


def friendly(zone: str) -> str:
    """What people call a zone, from its Windows or IANA name: "Pacific time", "UTC".

    In the language that is spoken, as everything below.
    """
    iana = _iana(zone)
    for known, name in _UNITED_STATES:
        if tz_win[known] == tz_win.get(iana):
            return gettext(name)
    return _elsewhere(_zone_info(iana), region())


@lru_cache(maxsize=256)
def _elsewhere(zone: ZoneInfo, locale: str) -> str:
    if str(get_timezone_name(zone, locale="en")).startswith("Unknown"):
        # CLDR has no name for those that belong to no place.
        return _offset(zone)
    called = str(get_timezone_name(zone, locale=locale))
    # Where CLDR has only the place, Babel takes its pattern for summer time.
    of_summer = str(Locale.parse(locale).zone_formats["region"]) % ""
    if locale != "en_US" and called.startswith(of_summer):
        return gettext("{place} Time", place=called.removeprefix(of_summer))
    return called


def _offset(zone: ZoneInfo) -> str:
    offset = datetime.now(zone).strftime("%z")
    return "UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:]}"


def local_time(moment: datetime, zone: str) -> str:
    """A moment on the clock of a zone (Windows or IANA name): "Tue, Dec 1, 9:00 AM"."""
    # A pattern of CLDR's: https://unicode.org/reports/tr35/tr35-dates.html
    return _formatted(moment, gettext("EEE, MMM d, h:mm a"), zone)


def all_day(start: datetime) -> str:
    """The day of an all-day event, whose start is midnight in UTC: "Tue, Dec 1, all day"."""
    pattern = gettext("EEE, MMM d")
    return gettext("{day}, all day", day=_formatted(start, pattern, "UTC"))


def _formatted(moment: datetime, pattern: str, zone: str) -> str:
    tzinfo = _zone_info(_iana(zone))
    text = str(format_datetime(moment, pattern, tzinfo=tzinfo, locale=region()))
    return text.replace("\u202f", " ").replace("\xa0", " ")


def days_apart(moment: datetime, zone: str, other: str) -> int:
    """How many days a moment's date in `zone` is after the one in `other`: -1, 0 or 1."""
    here, there = (moment.astimezone(_zone_info(_iana(name))).date() for name in (zone, other))
    return (here - there).days


def _iana(zone: str) -> str:
    return zone if zone in tz_win or zone not in win_tz else iana_name(zone)


def _zone_info(iana: str) -> ZoneInfo:
    try:
        return ZoneInfo(iana)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
